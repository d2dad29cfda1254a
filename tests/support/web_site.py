"""A web server with consoles in this process, and a browser that has shown its key, or has not."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from bank_node.cli.web.gate import Gate
from bank_node.cli.web.server import Place, WebServer

HOST = "127.0.0.1"
_CONSOLE = Path(__file__).with_name("fake_console.py")


class Browser:
    """A browser at one server; `cookies` are what it has been given."""

    def __init__(self, port: int, session: aiohttp.ClientSession, scheme: str = "http") -> None:
        self.port = port
        self.session = session
        self.origin = f"{scheme}://{HOST}:{port}"
        self.cookies: dict[str, str] = {}
        self.server: WebServer | None = None

    async def get(self, path: str, **headers: str) -> tuple[int, Any, str]:
        """Status, headers and text of a page; redirections are not followed."""
        async with self.session.get(
            self.origin + path,
            headers=headers,
            cookies=self.cookies,
            allow_redirects=False,
            ssl=False,
        ) as answer:
            return answer.status, answer.headers, await answer.text(errors="replace")

    async def show_key(self, key: str) -> Any:
        """Opens the URL with the key in it, and keeps the cookie; its headers."""
        status, headers, _ = await self.get(f"/?key={key}")
        assert status == 303
        name, _, value = headers["Set-Cookie"].partition(";")[0].partition("=")
        self.cookies = {name: value}
        return headers

    @asynccontextmanager
    async def window(self, query: str = "", **headers: str) -> AsyncIterator["Screen"]:
        """A websocket as the page opens it."""
        own = {"Origin": self.origin, "Cookie": "; ".join(map("=".join, self.cookies.items()))}
        async with self.session.ws_connect(
            f"{self.origin.replace('http', 'ws')}/ws{query}", headers=own | headers, ssl=False
        ) as socket:
            yield Screen(socket)


class Screen:
    """What a window has been sent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.drawn = ""
        self.told: list[Any] = []

    async def sees(self, pattern: str) -> re.Match[str]:
        """Waits until a pattern was drawn since the last one that was waited for."""
        while (found := re.search(pattern, self.drawn)) is None:
            message = await self.socket.receive(120)
            assert not self._is_end(message), f"never: {pattern}\n{self.drawn[-3000:]!r}"
        self.drawn = self.drawn[found.end() :]
        return found

    async def hears(self, word: str) -> Any:
        """Waits for a message that begins with a word, and returns what follows."""
        while not (found := [rest for first, *rest in self.told if first == word]):
            message = await self.socket.receive(120)
            assert not self._is_end(message), f"never: {word}"
        return found[0][0]

    async def end(self) -> int | None:
        """Waits until the server hangs up; with which code."""
        while not self._is_end(await self.socket.receive(120)):
            pass
        return self.socket.close_code

    async def send(self, *message: object) -> None:
        await self.socket.send_str(json.dumps(message))

    async def types(self, text: str) -> None:
        await self.send("stdin", text)

    def _is_end(self, message: aiohttp.WSMessage) -> bool:
        if message.type is aiohttp.WSMsgType.BINARY:
            text = message.data.decode()
            self.drawn += re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", text)
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.told.append(json.loads(message.data))
        else:
            return True
        return False


@asynccontextmanager
async def browsing(port: int, scheme: str = "http") -> AsyncIterator[Browser]:
    """A browser that has shown nothing yet."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(port, session, scheme)


@asynccontextmanager
async def opened(
    manner: str = "ready", *, windows_max: int = 4, tls: Any = None, shows_key: bool = True
) -> AsyncIterator[Browser]:
    """A server whose consoles are `fake_console`, and a browser at it."""
    numbers = count(1)
    gate = Gate(draw=lambda: f"secret-{next(numbers)}", encrypted=tls is not None)
    command = [sys.executable, "-S", str(_CONSOLE), manner]
    server = WebServer(command, gate, windows_max=windows_max)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def ready(number: int) -> None:
        port.set_result(number)

    running = asyncio.create_task(server.run(Place(HOST, 0, tls), stop, ready))
    try:
        await asyncio.wait({running, port}, return_when=asyncio.FIRST_COMPLETED)
        async with browsing(port.result(), "https" if tls else "http") as browser:
            browser.server = server
            if shows_key:
                await browser.show_key(gate.key)
            yield browser
    finally:
        stop.set()
        await running
