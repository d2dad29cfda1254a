"""A wire between a client and a server that the test cuts at the worst moment."""

import socket
import threading
from contextlib import suppress

from support.wire import Address


class Cutter:
    """Carries bytes both ways until a message of the client contains what is to be cut at."""

    def __init__(self, server: Address) -> None:
        self._server = server
        # At the server's address, so that a URL needs another port only.
        self._listener = socket.create_server((server[0], 0))
        self.port: int = self._listener.getsockname()[1]
        self._marker: bytes | None = None
        self._forwards = False
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def before(self, marker: bytes) -> None:
        """The next message with this in it never reaches the server."""
        self._marker, self._forwards = marker, False

    def after(self, marker: bytes) -> None:
        """The next message with this in it is carried out, but nobody hears of it."""
        self._marker, self._forwards = marker, True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self._open += [client, server]
            for source, sink, is_client in ((client, server, True), (server, client, False)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                arguments = (source, sink, is_client)
                threading.Thread(target=self._carry, args=arguments, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, is_client: bool) -> None:
        try:
            while data := source.recv(1 << 20):
                if is_client and self._marker is not None and self._marker in data:
                    self._cut(data, source, sink)
                    return
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                self._hang_up(end)

    def _cut(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        self._marker = None
        # The client hears nothing any more, whatever the server answers.
        self._hang_up(client)
        if self._forwards:
            server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            # The other direction reads the answer to its end and cannot pass it on.
        self.cuts += 1

    def _hang_up(self, end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "Cutter":
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()
        for end in self._open:
            end.close()
