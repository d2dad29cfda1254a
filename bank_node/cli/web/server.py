"""The web server of `bank web`: every request passes the gate, every window gets a console.

Knows paths, headers and limits; what a window shows is the business of the console behind it.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiohttp import WSCloseCode, web
from aiohttp.http import HttpProcessingError
from textual_serve.download_manager import DownloadManager

from bank_node.cli.web.gate import Gate, Site
from bank_node.cli.web.page import FILES, SCRIPT, files_folder, page, policy
from bank_node.cli.web.window import HEIGHT, WIDTH, Window, told
from bank_node.cli.words import counted
from bank_node.errors import StartupError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A pasted text fits, and nothing that anybody would type does not.
_MESSAGE_BYTES_MAX = 64 * 1024
_HEARTBEAT_S = 15.0
# Windows, and the short connections of their pages.
_CONNECTIONS_MAX = 128
# So long a connection may take to show that it belongs here.
_STRANGER_S = 10.0
_KEEPALIVE_S = 60.0
_SOCKET_CLOSE_S = 2.0
_SHUTDOWN_S = 15.0
_SITE = web.RequestKey("site", Site)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "bank",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_HERE = "This server does not go by that name. Open the URL that `bank web` has printed.\n"
_NO_KEY = "Open the URL that `bank web` has printed, with the key in it.\n"
_NOT_OURS = "A page from elsewhere may not open a console here.\n"


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether something went wrong here; what strangers send wrong, perhaps with a key in it, is
    not written down."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_log = logging.getLogger(__name__)
_log.addFilter(_is_ours)


class Place(NamedTuple):
    """Where to listen, and the certificate to show, if any."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


def certificate(cert: str, key: str) -> ssl.SSLContext:
    """What encrypts, from two PEM files. Raises StartupError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # A key behind a password is refused: nobody is there to type it.
        context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StartupError(f"{cert} and {key} are no certificate and its key: {why}") from None
    return context


class WebServer:
    """Serves consoles to browsers until it is told to stop."""

    def __init__(self, command: Sequence[str], gate: Gate, *, windows_max: int) -> None:
        """`command` starts a console for a browser; `windows_max` of them at a time."""
        self._command = command
        self._gate = gate
        self._windows_max = windows_max
        self._windows: dict[web.WebSocketResponse, asyncio.Transport | None] = {}
        self._downloads = DownloadManager()
        self._admitted: set[object] = set()

    async def run(
        self, place: Place, stop: asyncio.Event, on_ready: Callable[[int], Awaitable[None]]
    ) -> None:
        """Serves until `stop`; tells `on_ready` the port. Both may raise StartupError."""
        runner = web.AppRunner(
            self._application(),
            # Of the first request of all, the path has the key in it.
            access_log=None,
            logger=_log,
            keepalive_timeout=_KEEPALIVE_S,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await runner.setup()
        assert runner.server is not None
        sweeping = asyncio.create_task(self._sweep(runner.server))
        try:
            listener = await self._listen(runner.server, place)
            try:
                await on_ready(listener.sockets[0].getsockname()[1])
                await stop.wait()
            finally:
                listener.close()
        finally:
            sweeping.cancel()
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guarded])
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/page.js", self._script),
                web.get("/ws", self._window),
                web.get("/download/{key}", self._download),
                *(web.get(f"/static/{name}", self._file) for name in FILES),
            ]
        )
        application.on_response_prepare.append(self._dressed)
        application.on_shutdown.append(self._close_windows)
        return application

    async def _listen(self, server: web.Server, place: Place) -> asyncio.Server:
        def answering() -> asyncio.Protocol:
            full = len(server.connections) >= _CONNECTIONS_MAX
            return _Turned() if full else server()

        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(answering, place.host, place.port, ssl=place.tls)
        except OSError as error:
            # What is in its own words names the address once more.
            why = (error.strerror or str(error)).rpartition(": ")[2]
            raise StartupError(
                f"{place.host}:{place.port}: {why}; --port names another port"
            ) from None

    async def _sweep(self, server: web.Server) -> None:
        """Hangs up on connections that have not shown in time that they belong here."""
        before: set[object] = set()
        while True:
            await asyncio.sleep(_STRANGER_S)
            open_now = server.connections
            self._admitted.intersection_update(open_now)
            for connection in open_now:
                if connection in before and connection not in self._admitted:
                    connection.force_close()
            before = set(open_now)

    # Every request

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response(status=403)
        site = self._gate.site(
            request.headers.getall("Host", []), transport.get_extra_info("sockname")[:2]
        )
        if site is None:
            return web.Response(status=403, text=_NOT_HERE)
        request[_SITE] = site
        name = self._cookie_name(request)
        if request.path == "/" and "key" in request.query:
            return self._first_visit(request.query["key"], site, name)
        if not self._gate.admits(request.cookies.get(name, "")):
            return web.Response(status=403, text=_NO_KEY)
        self._admitted.add(request.protocol)
        return await handler(request)

    def _first_visit(self, key: str, site: Site, cookie: str) -> web.StreamResponse:
        """Takes the key, and leads to an address without it."""
        if not self._gate.takes_key(key):
            return web.Response(status=403, text=_NO_KEY)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            cookie,
            self._gate.cookie,
            httponly=True,
            samesite="Strict",
            secure=site.scheme == "https",
        )
        return response

    @staticmethod
    def _cookie_name(request: web.Request) -> str:
        """Cookies are of an address whatever its port: two servers must not take each other's."""
        assert request.transport is not None
        return f"bank-web-{request.transport.get_extra_info('sockname')[1]}"

    @staticmethod
    async def _dressed(request: web.Request, response: web.StreamResponse) -> None:
        """What a response tells a browser about itself."""
        response.headers.update(_HEADERS)
        if _SITE in request:
            response.headers["Content-Security-Policy"] = policy(request[_SITE].socket_origin)

    # Each path

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if request.query_string:
            # The terminal would obey some words there.
            return web.Response(status=303, headers={"Location": "/"})
        text = page(request[_SITE].socket_origin + "/ws")
        return web.Response(text=text, content_type="text/html")

    async def _script(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=SCRIPT, content_type="text/javascript")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(files_folder() / request.path.removeprefix("/static/"))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        try:
            found = await self._downloads.get_download_metadata(key)
        except KeyError:
            return web.Response(status=404, text="There is no such download, or no more.\n")
        name = re.sub(r"[^\w.-]", "_", found.file_name, flags=re.ASCII)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}"',
            }
        )
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _window(self, request: web.Request) -> web.StreamResponse:
        """A websocket, and a console for as long as it is open."""
        if request.headers.getall("Origin", []) != [request[_SITE].origin]:
            return web.Response(status=403, text=_NOT_OURS)
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S,
            timeout=_SOCKET_CLOSE_S,
            max_msg_size=_MESSAGE_BYTES_MAX,
            compress=False,
        )
        await socket.prepare(request)
        if len(self._windows) >= self._windows_max:
            await socket.send_bytes(
                told(f"No more than {counted(self._windows_max, 'console')} may be open at a time.")
            )
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return socket
        self._windows[socket] = request.transport
        try:
            size = [_number(request, *side) for side in (("width", WIDTH), ("height", HEIGHT))]
            await Window(self._command, socket, self._downloads).serve(*size)
        finally:
            await self._part(socket, WSCloseCode.OK)
        return socket

    async def _close_windows(self, _application: web.Application) -> None:
        parting = [self._part(socket, WSCloseCode.GOING_AWAY) for socket in self._windows]
        await asyncio.gather(*parting)

    async def _part(self, socket: web.WebSocketResponse, code: int) -> None:
        """Closes a websocket in order, or at least for sure: its browser may take nothing."""
        transport = self._windows.pop(socket, None)
        closing = asyncio.create_task(socket.close(code=code))
        await asyncio.wait({closing}, timeout=2 * _SOCKET_CLOSE_S)
        if transport is not None and (not closing.done() or socket.exception() is not None):
            transport.abort()


class _Turned(asyncio.Protocol):
    """Hangs up on who comes when there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else default
