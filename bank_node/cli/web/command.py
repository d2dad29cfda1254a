"""`bank web`: what is typed, and how a server comes out of it."""

import asyncio
import secrets
import signal
import threading
from contextlib import ExitStack, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import click

from bank_node.cli.console import Served
from bank_node.cli.op.entrance import Operator, token_of
from bank_node.cli.options import FILE, effective, endpoint, entrance_options, settings_options
from bank_node.cli.program import as_typed, program
from bank_node.cli.web.gate import Gate, Site, is_this_machine, public_site, site_at
from bank_node.config import OPERATOR_ADDRESS_FILE, Settings, data_folder
from bank_node.errors import StartupError
from bank_node.network.client import Endpoint, Unreachable

_PORT = 8000
_WINDOWS = 8
_WINDOWS_MAX = 64
_KEY_BYTES = 32
_UNENCRYPTED = (
    "WARNING: the console is served without encryption. Everybody between here and the browser can "
    "read it and take it over; --tls-cert and --tls-key prevent that."
)
_EXPOSED = (
    "{} can be reached from other machines, and what goes there is not encrypted: give --tls-cert "
    "and --tls-key, or say --unencrypted if you mean it"
)
_STOPPING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


class Listening(NamedTuple):
    """Where browsers come in, as it was typed."""

    host: str
    port: int
    public: Site | None
    tls_cert: Path | None
    tls_key: Path | None
    windows_max: int


@click.command()
@settings_options
@entrance_options
@click.option("--read-only", is_flag=True, help="Let browsers look, and change nothing.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port to listen on; 0 is any free one.",
)
@click.option("--public-url", metavar="URL", help="The URL that leads here, if others do not.")
@click.option("--tls-cert", type=FILE, help="A certificate (PEM), to encrypt with.")
@click.option("--tls-key", type=FILE, help="The key of the certificate (PEM).")
@click.option(
    "--unencrypted", is_flag=True, help="Listen for other machines without a certificate."
)
@click.option(
    "--sessions",
    type=click.IntRange(1, _WINDOWS_MAX),
    default=_WINDOWS,
    show_default=True,
    help="So many consoles at a time, each of which is a process.",
)
def web(
    config: Path | None,
    data: Path | None,
    store: str | None,
    connect: Endpoint | None,
    token_file: Path | None,
    read_only: bool,
    host: str,
    port: int,
    public_url: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    unencrypted: bool,
    sessions: int,
) -> None:
    """Show the console in a browser, and print the URL to open, which has a key in it.

    The console is on the bank that serves from the data folder, or on another one. If none serves,
    one is started, and stopped in the end. SIGTERM or SIGINT ends it with all its consoles.
    """
    public = public_site(public_url) if public_url else None
    if (tls_cert is None) is not (tls_key is None):
        raise StartupError("--tls-cert and --tls-key belong together")
    if not is_this_machine(host) and tls_cert is None:
        if not unencrypted:
            raise StartupError(_EXPOSED.format(host))
        click.echo(_UNENCRYPTED, err=True)
    settings = effective(config, data, store).settings
    folder = data_folder(settings)
    shown = {"--config": config, "--data": folder, "--connect": connect, "--token-file": token_file}
    console = [*program(), "tui", "--in-browser", *as_typed(shown)]
    if read_only:
        console.append("--read-only")
    listening = Listening(host, port, public, tls_cert, tls_key, sessions)
    started = None
    if not _is_served(settings, connect, token_file):
        started = Served(as_typed({"--config": config, "--data": data, "--store": store}))
    with ExitStack() as stack:
        asyncio.run(_serve(console, listening, started, stack))


def _is_served(settings: Settings, connect: Endpoint | None, token_file: Path | None) -> bool:
    """Whether the node to show answers and takes the token.

    Raises Unreachable for one that was named, NoEntrance, and Refusal for a wrong token.
    """
    where = connect
    if where is None:
        try:
            file = data_folder(settings) / OPERATOR_ADDRESS_FILE
            where = endpoint(file.read_text(encoding="ascii"))
        except (OSError, ValueError, StartupError):
            return False
    try:
        Operator(*where, token_of(settings, token_file)).close()
    except Unreachable:
        # What a node that was killed has left behind.
        if connect is None:
            return False
        raise
    return True


def _to_open(host: str) -> str:
    """An address that leads to a server on `host`, which may stand for all of this machine."""
    from bank_node.network.interfaces import addresses_of_this_machine

    if not ip_address(host).is_unspecified:
        return host
    if ":" in host:
        return "::1"
    others = (face.address for face in addresses_of_this_machine() if not face.is_loopback)
    return next(others, "127.0.0.1")


async def _serve(
    console: list[str], listening: Listening, bank: Served | None, stack: ExitStack
) -> None:
    """Serves until a signal comes, or `bank` ends, which is started first and stopped by `stack`.

    Raises StartupError.
    """
    from bank_node.cli.web.server import Place, WebServer, certificate

    tls = None
    if listening.tls_cert is not None:
        tls = certificate(str(listening.tls_cert), str(listening.tls_key))
    gate = Gate(
        draw=lambda: secrets.token_urlsafe(_KEY_BYTES),
        public=listening.public,
        encrypted=tls is not None,
    )
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    why_lost = ""

    def stop_soon(*_signal: object) -> None:
        # A second signal comes when all is stopping, and perhaps when the loop is closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    def watch(bank: Served) -> None:
        nonlocal why_lost
        why_lost = bank.outlived()
        stop_soon()

    async def ready(port: int) -> None:
        if bank is not None:
            await asyncio.to_thread(stack.enter_context, bank)
            threading.Thread(target=watch, args=(bank,), daemon=True).start()
        own = site_at(_to_open(listening.host), port, encrypted=tls is not None)
        click.echo(f"open {(listening.public or own).origin}/?key={gate.key}")

    for name in filter(partial(hasattr, signal), _STOPPING):
        number = getattr(signal, name)
        # Whoever started it with nohup wants it to go on without the terminal.
        if name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop_soon)
    server = WebServer(console, gate, windows_max=listening.windows_max)
    await server.run(Place(listening.host, listening.port, tls), stop, ready)
    if why_lost:
        raise StartupError(why_lost)
