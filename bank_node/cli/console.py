"""`bank` and `bank tui`: the console on a node of its own, or on one that runs already."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import click

from bank_node.cli.ending import END, GROUP_OF_ITS_OWN
from bank_node.cli.options import effective, endpoint, entrance_options, settings_options
from bank_node.cli.program import as_typed, program
from bank_node.config import (
    DEFAULT_FILE,
    OPERATOR_ADDRESS_FILE,
    OPERATOR_TOKEN_FILE,
    data_folder,
)
from bank_node.errors import StartupError
from bank_node.network.client import Endpoint
from bank_node.telemetry.clock import Clock

_STATE_FOLDER = "console"
_LARGEST_PREFIX, _ALONE = 16, 32
_STOP_S = 20.0
_CLOCK = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)


@click.command()
@settings_options
@entrance_options
@click.option("--read-only", is_flag=True, help="Look, and change nothing.")
@click.option("--in-browser", is_flag=True, hidden=True)
def tui(
    config: Path | None,
    data: Path | None,
    store: str | None,
    connect: Endpoint | None,
    token_file: Path | None,
    read_only: bool,
    in_browser: bool,
) -> None:
    """Show the console on a node that runs already: the one of the data folder, or another."""
    if not in_browser and not has_screen():
        raise StartupError("there is no terminal for a console; `bank op` does all of it without")
    folder = data_folder(effective(config, data, store).settings)
    show(
        folder,
        connect=connect,
        token_file=token_file,
        read_only=read_only,
        in_browser=in_browser,
    )


def show(
    folder: Path,
    *,
    connect: Endpoint | None = None,
    token_file: Path | None = None,
    read_only: bool = False,
    embedded: bool = False,
    in_browser: bool = False,
) -> None:
    """Runs the console until the operator leaves. Raises StartupError."""
    from tui.entry import run

    host, port = connect or endpoint(_left_by(folder, OPERATOR_ADDRESS_FILE))
    token = _read(token_file) if token_file else _left_by(folder, OPERATOR_TOKEN_FILE)
    run(
        host,
        port,
        token,
        clock=_CLOCK,
        # What the operator has typed is not for those who may only look.
        state_folder=None if in_browser and read_only else folder / _STATE_FOLDER,
        read_only=read_only,
        embedded=embedded,
        in_browser=in_browser,
    )


def has_screen() -> bool:
    """Whether there is a terminal that a console can be drawn on."""
    return (
        sys.stdin.isatty()
        and sys.stdout.isatty()
        and sys.stderr.isatty()
        and os.environ.get("TERM", "xterm") not in ("dumb", "unknown", "")
    )


def with_a_bank(config: Path | None, data: Path | None, store: str | None) -> None:
    """Serves a bank in a process of its own, and shows the console on it. Raises StartupError."""
    if config is None and not DEFAULT_FILE.exists() and not _ask_first_start():
        return
    folder = data_folder(effective(config, data, store).settings)
    # An ordinary exit stops the bank; a killed console would leave it alone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given = {"--config": config, "--data": data, "--store": store}
    with Served(as_typed(given), lambda: import_module("tui.app")) as served:
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: served.leave())
        show(folder, embedded=True)


class Served:
    """A bank in a process of its own: ready at the start of the block, stopped at its end."""

    def __init__(self, options: list[str], meanwhile: Callable[[], object] = bool) -> None:
        """`options` are those of `bank serve`; `meanwhile` is called while the bank starts."""
        self._command = [*program(), "serve", *options]
        self._meanwhile = meanwhile

    def __enter__(self) -> "Served":
        """Raises StartupError."""
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # What it says there is in its log as well; on the screen it would spoil the console.
            stderr=self._said,
            start_new_session=sys.platform != "win32",
            creationflags=GROUP_OF_ITS_OWN,
        )
        self._meanwhile()
        assert self._process.stdout is not None
        if not self._process.stdout.readline().startswith(b"ready "):
            self._process.wait()
            why = self._why()
            self._close()
            raise StartupError(why or "the bank does not start")
        return self

    def outlived(self) -> str:
        """Waits until the bank has ended, whoever ended it; why, if not in order."""
        return (self._why() or "the bank has ended") if self._process.wait() else ""

    def _why(self) -> str:
        if self._said.closed:
            return ""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace").strip().removeprefix("bank: ")

    def leave(self) -> None:
        """Stops the bank and ends this process, whose terminal is gone.

        At once: a console that is to end in order draws first, and waits for a terminal to take it.
        """
        self._stop()
        os._exit(1)

    def __exit__(self, *_error: object) -> None:
        self._stop()
        self._close()

    def _stop(self) -> None:
        self._process.send_signal(END)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _close(self) -> None:
        self._said.close()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _ask_first_start() -> bool:
    from bank_node.network.interfaces import addresses_of_this_machine, free_loopback, obstacle
    from tui.entry import ask_first_start
    from tui.model.interfaces import PORTS, Interface

    faces = [
        Interface(found.interface or "–", found.address, _subnet(found.address, found.prefix))
        for found in addresses_of_this_machine()
        if not found.is_loopback
    ]
    # Alone on this machine, but among the banks of `bank demo` and others that are tried out.
    faces.append(Interface("this machine alone", free_loopback(PORTS[0]), "127.0.0.0/24"))
    return ask_first_start(faces, _write_settings, obstacle)


def _subnet(address: str, prefix: int | None) -> str:
    """The subnet to search, unless it is unknown, nothing but the address, or too large."""
    if prefix is None or not _LARGEST_PREFIX <= prefix < _ALONE:
        return ""
    return str(IPv4Network((address, prefix), strict=False))


def _write_settings(settings: dict[str, Any]) -> None:
    DEFAULT_FILE.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _left_by(folder: Path, name: str) -> str:
    try:
        return _read(folder / name)
    except StartupError:
        raise StartupError(
            f"{folder / name} cannot be read: does a node serve from this folder? "
            "`bank serve` starts one, --data names another folder"
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise StartupError(f"{path} cannot be read") from None
