"""A client that speaks bytes: sends exactly what it is told, and never waits for ever."""

import socket
import struct
import time

Address = tuple[str, int]


class Wire:
    """A raw socket on which every wait has a deadline; late means a failed test."""

    def __init__(self, address: Address, *, deadline_s: float = 30.0) -> None:
        self._deadline_s = deadline_s
        self._buffer = b""
        self.socket = socket.create_connection(address, deadline_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> str:
        """The next reply, which must end in CRLF. Fails at the end of the stream."""
        return self.lines(1)[0]

    def lines(self, count: int) -> list[str]:
        """The next replies, all of them before the deadline."""
        give_up = time.monotonic() + self._deadline_s
        missing = count - self._buffer.count(b"\n")
        while missing > 0:
            data = self._receive(give_up)
            assert data, f"the node hung up, {missing} replies are missing: {self._buffer[-200:]!r}"
            missing -= data.count(b"\n")
        *lines, self._buffer = self._buffer.split(b"\n", count)
        assert all(line.endswith(b"\r") for line in lines), lines
        return [line[:-1].decode() for line in lines]

    def ask(self, command: str) -> str:
        """One command and its reply."""
        self.send(command.encode() + b"\r\n")
        return self.line()

    def rest(self) -> str:
        """Everything up to the end of the stream, which has to come."""
        give_up = time.monotonic() + self._deadline_s
        try:
            while self._receive(give_up):
                pass
        except ConnectionResetError:
            pass
        rest, self._buffer = self._buffer, b""
        return rest.decode()

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing at all arrives for a while: no byte, no end of the stream."""
        if self._buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self._buffer += self.socket.recv(65_536)
        except TimeoutError:
            return True
        return False

    def half_close(self) -> None:
        """Says the last word, as `nc -N` does, and keeps listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with a reset instead of a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _receive(self, give_up: float) -> bytes:
        self.socket.settimeout(max(0.001, give_up - time.monotonic()))
        data = self.socket.recv(1 << 20)
        self._buffer += data
        return data

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def open_account(wire: Wire, amount: int = 0) -> str:
    """Opens an account and returns its `<number>/<ip>`; `amount` is deposited at once."""
    code, account = wire.ask("AC").split()
    assert code == "AC"
    if amount:
        assert wire.ask(f"AD {account} {amount}") == "AD"
    return account
