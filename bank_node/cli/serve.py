"""`bank serve` runs a node without a screen; `bank config` shows its settings."""

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import click

from bank_node.cli.options import effective, settings_options
from bank_node.config import DEFAULT_FILE, Effective, data_folder, log_folder
from bank_node.errors import StartupError

_log = logging.getLogger(__name__)

# A signal ends a wait at once. One that comes in the moment in which the wait begins, and any on
# Windows, is seen when the wait is over.
_SIGNAL_S = 0.25 if sys.platform == "win32" else 1.0


@click.command()
@settings_options
@click.option("--host", help="The address to serve, which is also the bank's code.")
@click.option("--port", type=int, help="The port, 65525 to 65535 for classic peers.")
@click.option("--follow", metavar="HOST:PORT", help="Keep a copy of the bank that serves there.")
@click.option("--greet", is_flag=True, hidden=True)
def serve(
    config: Path | None,
    data: Path | None,
    store: str | None,
    host: str | None,
    port: int | None,
    follow: str | None,
    greet: bool = False,
) -> None:
    """Serve a bank until SIGTERM or SIGINT; prints `ready HOST:PORT` when it accepts."""
    given = {"network__host": host, "network__port": port, "replication__follow": follow}
    settings = effective(config, data, store, **given)
    run(settings, config or DEFAULT_FILE, greet=greet)


def run(settings: Effective, settings_file: Path, *, greet: bool) -> None:
    """Runs a node to its end. Raises BankError when it cannot start."""
    # Imported here so that `bank call` and `bank --version` need not load a node.
    from bank_node.node import Node, devote_process

    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    # What a bank keeps is its own: the ledger, the logs, the folders that they are in.
    os.umask(0o077)
    _start_logging(settings)
    node = Node(settings, settings_file=settings_file, request_stop=stop.set)
    try:
        address, port = node.start()
        devote_process()
        _log.info("ready on %s:%d", address, port)
        click.echo(f"ready {address}:{port}")
        if greet:
            _greet(settings, address, port)
        while not stop.wait(_SIGNAL_S):
            pass
        _log.info("stopping")
    finally:
        node.stop()
    _log.info("stopped")


def _start_logging(settings: Effective) -> None:
    from bank_node.telemetry.logs import start_logging

    log = settings.settings.log
    file = log_folder(settings.settings) / "bank.log"
    try:
        start_logging(
            file,
            level=log.level,
            as_json=log.format == "json",
            file_bytes=log.file_bytes,
            files_kept=log.files_kept,
        )
    except OSError as error:
        raise StartupError(f"the log {file} cannot be written: {error.strerror}") from None


def _greet(settings: Effective, host: str, port: int) -> None:
    click.echo(
        f"\nThis is the bank {host}. Talk to it from a second terminal:\n"
        f"  telnet {host} {port}\n"
        f"  bank call --host {host} --port {port} BC\n"
        f"and type AC to open an account, HE for help. Its files are in\n"
        f"  {data_folder(settings.settings)}\n"
        f"Ctrl+C stops it."
    )


@click.command("config")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_config(config: Path | None, data: Path | None, store: str | None, as_json: bool) -> None:
    """Show the effective settings and where each of them comes from."""
    rows = effective(config, data, store).describe()
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2, ensure_ascii=False))
        return
    width = max(len(row.key) for row in rows)
    values = [json.dumps(row.value, ensure_ascii=False) for row in rows]
    value_width = max(map(len, values))
    for row, value in zip(rows, values, strict=True):
        click.echo(f"{row.key:<{width}}  {value:<{value_width}}  {row.origin}")
