"""One browser window: its websocket, and the console behind it, which is a process of its own.

Knows the packets of both; never who may open a window.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from bank_node.cli.ending import GROUP_OF_ITS_OWN

WIDTH, HEIGHT = 80, 24
_WIDTH_MAX, _HEIGHT_MAX = 1_000, 500
# So long a console may be busy before it is taken for stuck, and so long it has to end in order.
_PATIENCE_S = 10.0
_STOP_S = 5.0
_STARTS_WITH = b"__GANGLION__\n"
_LAST_BYTES = 4_096


class Window(AppService):
    """Runs a console for a browser, from `serve` to its end; used once."""

    def __init__(
        self, command: Sequence[str], socket: web.WebSocketResponse, downloads: DownloadManager
    ) -> None:
        """`command` starts a console that draws on its standard streams."""
        super().__init__(
            "",
            write_bytes=self._draw,
            write_str=self._say,
            close=self._hang_up,
            download_manager=downloads,
        )
        self._console = list(command)
        self._socket = socket
        self._is_over = False

    async def serve(self, width: int, height: int) -> None:
        """Returns when the console and the browser have parted and its process has ended."""
        process = await self._open_app_process(
            _within(width, _WIDTH_MAX), _within(height, _HEIGHT_MAX)
        )
        assert process.stderr is not None
        self._complaint = asyncio.create_task(_end_of(process.stderr))
        reading = asyncio.create_task(self.run())
        try:
            await self._listen()
        finally:
            await asyncio.shield(self._end(process, reading))

    # The console

    async def _open_app_process(
        self, width: int = WIDTH, height: int = HEIGHT
    ) -> asyncio.subprocess.Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._console,
            env=_environment(width, height),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl+C is for the server, which ends its consoles in order.
            start_new_session=sys.platform != "win32",
            creationflags=GROUP_OF_ITS_OWN,
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Passes on what the console draws, to its end, and then hangs up."""
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while await stdout.readuntil(b"\n") != _STARTS_WITH:
                pass
            while True:
                await self._pass_on(stdout)
        if await self._process.wait():
            await self._draw(_why(await self._complaint))
        self._is_over = True
        await self._hang_up()

    async def _pass_on(self, stdout: asyncio.StreamReader) -> None:
        kind = await stdout.readexactly(1)
        payload = await stdout.readexactly(int.from_bytes(await stdout.readexactly(4), "big"))
        if kind == b"D":
            await self.on_data(payload)
        elif kind == b"M":
            await self.on_meta(payload)
        elif kind == b"P":
            await self.on_packed(payload)

    async def _end(self, process: asyncio.subprocess.Process, reading: asyncio.Task[None]) -> None:
        """Ends the console in order, or at least for sure."""
        await self._download_manager.cancel_app_downloads(self.app_service_id)
        if not self._is_over:
            # It may be waiting for a browser that does not take what is drawn.
            reading.cancel()
        await asyncio.wait({reading}, timeout=_STOP_S)
        assert process.stdout is not None
        # A console that cannot draw could not end.
        dropping = asyncio.create_task(_end_of(process.stdout))
        try:
            async with asyncio.timeout(_STOP_S):
                await self.send_meta({"type": "quit"})
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        for task in (dropping, self._complaint):
            task.cancel()

    # The browser

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._take(message.data)
            except TimeoutError:
                return

    async def _take(self, text: str) -> None:
        """Carries one message out; one that makes no sense is dropped."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        match message:
            case ["stdin", str(typed)]:
                await self.send_bytes(typed.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                width, height = _within(width, _WIDTH_MAX), _within(height, _HEIGHT_MAX)
                await self.set_terminal_size(width, height)
            case ["ping", str(data)]:
                await self._say(json.dumps(["pong", data]))
            case ["focus", *_]:
                await self.focus()
            case ["blur", *_]:
                await self.blur()

    async def _hang_up(self) -> None:
        await self._socket.close()

    async def _draw(self, data: bytes) -> None:
        if not self._socket.closed:
            with suppress(ConnectionError):
                await self._socket.send_bytes(data)

    async def _say(self, text: str) -> None:
        if not self._socket.closed:
            with suppress(ConnectionError):
                await self._socket.send_str(text)


def told(text: str) -> bytes:
    """A sentence as a terminal shows it."""
    return f"\x1b[2J\x1b[H\x1b[1m{text}\r\n".encode()


async def _end_of(stream: asyncio.StreamReader) -> bytes:
    """Reads a stream to its end, and returns the last of it."""
    last = b""
    while more := await stream.read(_LAST_BYTES):
        last = (last + more)[-_LAST_BYTES:]
    return last


def _within(cells: int, most: int) -> int:
    return max(1, min(cells, most))


def _environment(width: int, height: int) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return own | {
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "COLUMNS": str(width),
        "ROWS": str(height),
    }


def _why(complaint: bytes) -> bytes:
    """What the browser is told of a console that could not go on.

    Only a sentence of ours: a traceback may have anything in it, the operator's token as well.
    """
    last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return told(last if last.startswith("bank: ") else "The console has ended unexpectedly.")
