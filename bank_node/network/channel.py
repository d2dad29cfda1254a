"""A connection between two nodes of one bank: a line out, a line back, with deadlines.

Unlike a stranger's, such a reply may be long, and is exactly one line.
"""

import socket
from contextlib import suppress

from bank_node.network.exchange import Unreachable, failure_of

# A delivery of blocks in base64, the longest reply, has three quarters of a megabyte.
_REPLY_BYTES_MAX = 4 * 1024 * 1024
_CHUNK_BYTES = 262_144


class Channel:
    """Belongs to one thread, but for `hang_up`."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        """Connects. `timeout_s` is for the connection and for each wait. Raises Unreachable."""
        self._name = f"{host}:{port}"
        self._rest = bytearray()
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise Unreachable(f"{self._name} cannot be reached: {failure_of(error)}") from None

    def ask(self, line: str) -> bytes:
        """The reply to a line, without its end. Raises Unreachable."""
        try:
            self._socket.sendall(line.encode() + b"\r\n")
            return self._line()
        except OSError as error:
            raise Unreachable(
                f"{self._name} did not answer: {failure_of(error)}", sent=True
            ) from None

    def hang_up(self) -> None:
        """Ends the wait of the thread that asks; from any other thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _line(self) -> bytes:
        rest, searched = self._rest, 0
        while (end := rest.find(b"\n", searched)) < 0:
            searched = len(rest)
            data = self._socket.recv(_CHUNK_BYTES)
            if not data:
                raise ConnectionResetError("it closed the connection")
            rest += data
            if len(rest) > _REPLY_BYTES_MAX:
                raise ConnectionResetError("its reply has no end")
        line = bytes(rest[:end]).rstrip(b"\r")
        del rest[: end + 1]
        return line
