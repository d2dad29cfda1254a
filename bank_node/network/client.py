"""The client library: one connection to a bank, one line out, one line back, with deadlines."""

import socket
from types import TracebackType

from bank_node.errors import BankError

_REPLY_BYTES_MAX = 65_536


class Unreachable(BankError):
    """The bank did not answer: nobody listens, the time is over, or it hung up."""


class Client:
    """A blocking connection to a bank."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        """Connects. `timeout_s` is the longest wait for the connection, and for each reply.

        Raises Unreachable.
        """
        self._name = f"{host}:{port}"
        self._rest = b""
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise Unreachable(f"{self._name} cannot be reached: {_reason(error)}") from None

    def call(self, line: str) -> str:
        """Sends one command and returns the reply without its line end. Raises Unreachable."""
        try:
            # One send: several banks take what one receive brings for one command.
            self._socket.sendall(line.encode("utf-8", "surrogateescape") + b"\r\n")
            return self._reply().decode("utf-8", "replace").strip()
        except OSError as error:
            raise Unreachable(f"{self._name} did not answer: {_reason(error)}") from None

    def _reply(self) -> bytes:
        while b"\n" not in self._rest:
            data = self._socket.recv(_REPLY_BYTES_MAX)
            if not data:
                raise ConnectionResetError("it closed the connection")
            self._rest += data
            if len(self._rest) > _REPLY_BYTES_MAX:
                raise ConnectionResetError("its reply has no end")
        reply, _, self._rest = self._rest.partition(b"\n")
        return reply

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
