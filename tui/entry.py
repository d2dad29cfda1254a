"""The ways in: a console on a node, and the question of a first start."""

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bank_node.network.client import AsyncClient, Deadlines, Endpoint, Unreachable
from bank_node.telemetry.clock import Clock
from tui.link import Connect, Lost
from tui.model.interfaces import Interface
from tui.model.lines import changes

# A page of a thousand accounts, or a plan with its frontier, fits many times over.
_REPLY_BYTES_MAX = 8 * 1024 * 1024
# A long poll keeps quiet for twenty seconds, and a node always ends its lines.
_DEADLINES = Deadlines(connect_s=3.0, first_byte_s=40.0, reply_s=60.0, quiet_s=40.0)


class _Connection:
    """A kept connection; one that was lost is not made again under an authenticated name."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def call(self, line: str) -> str:
        try:
            return await self._client.say(line)
        except Unreachable as error:
            raise Lost(str(error), unknown=error.sent and changes(line)) from None

    async def close(self) -> None:
        await self._client.close()


def connector(host: str, port: int) -> Connect:
    """How to connect to the operator's listener of a node."""

    async def connect() -> _Connection:
        client = AsyncClient(
            Endpoint(host, port), _DEADLINES, reconnects=False, reply_bytes_max=_REPLY_BYTES_MAX
        )
        try:
            await client.open()
        except Unreachable as error:
            raise Lost(str(error)) from None
        return _Connection(client)

    return connect


def run(
    host: str,
    port: int,
    token: str,
    *,
    clock: Clock,
    state_folder: Path | None = None,
    save_folder: Path | None = None,
    read_only: bool = False,
    embedded: bool = False,
    in_browser: bool = False,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Shows the console on the node whose operator's listener is at `host` and `port`.

    Returns when the operator leaves. What is remembered until the next start is kept in
    `state_folder` (None forgets), saved tables go to `save_folder` (None is the working folder).
    With `embedded` the node ends with the console, so that leaving asks when clients are
    connected. With `in_browser` it draws for a browser, over its standard streams, and `read_only`
    cannot be ended. `on_ready` is called when the first screen is drawn.
    """
    # Until the first screen is drawn nothing becomes garbage, and looking for it takes a tenth of
    # the start.
    gc.disable()
    from tui.app import BankConsole
    from tui.state import Memory

    def ready() -> None:
        gc.freeze()
        gc.enable()
        if on_ready is not None:
            on_ready()

    app = BankConsole(
        connector(host, port),
        token,
        clock=clock,
        memory=Memory(state_folder),
        read_only=read_only,
        embedded=embedded,
        in_browser=in_browser,
        save_folder=save_folder,
        on_ready=ready,
    )
    app.run()


def ask_first_start(
    interfaces: Sequence[Interface],
    write: Callable[[dict[str, Any]], None],
    obstacle: Callable[[str, int], str],
) -> bool:
    """Asks which address and subnet to serve, and hands the settings to `write`.

    `write` may raise OSError or ValueError, whose words are then shown; `obstacle` says why an
    address and port cannot be served, or nothing. False means that the operator left without an
    answer.
    """
    from tui.first_start import FirstStart

    return bool(FirstStart(interfaces, write, obstacle).run())
