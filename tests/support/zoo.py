"""A zoo of misbehaving banks: small servers that each do one thing that was seen on the wire.

Apart from its one habit each is an orderly little bank over a dict, with all of the classic
commands, and it writes down what it received, so that a test can tell that a deposit was sent
exactly once and each command in one packet.
"""

import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

_MAX = 2**63 - 1
_CHUNK = 65_536
_LAST_WAIT_S = 10.0


@dataclass(frozen=True)
class Behaviour:
    """What a bank does differently; the defaults are what all should do."""

    end: str = "\r\n"
    """What ends a reply."""
    greeting: tuple[str, ...] = ()
    """Lines sent at accept."""
    before: str = ""
    """What stands before each reply."""
    after: str = ""
    """What stands between each reply and its end."""
    error: str = "ER {}"
    """The shape of its errors."""
    wrong: str = "Account does not exist"
    """Its words for an account that it does not have."""
    code: str = ""
    """The address in BC; empty for its own, `client` for that of whoever asks."""
    amount: str = ""
    """What it replies to BA instead of the sum."""
    tells_address: bool = True
    """Whether AC names the bank."""
    codes_its_errors: bool = False
    """Whether an error starts with the code of the command instead of an error word."""
    first_byte_s: float = 0.0
    """How long it thinks before it replies."""
    byte_s: float | None = None
    """The pause between two bytes of a reply; None sends a reply whole."""
    closes: bool = False
    """Whether it hangs up after each reply."""
    answers: bool = True
    """Whether it replies at all."""
    acts: bool = True
    """Whether it carries out what it was asked."""
    resets: str = ""
    """When it resets the connection: `after request` or `mid reply`."""
    resets_once: bool = False
    """Whether it resets at the next request and is orderly again from then on."""
    padding: int = 0
    """How many letters it adds to each reply."""
    ends_lines: bool = True
    """Whether its replies ever end; one that does not goes on while anybody listens."""
    requests_max: int = 0
    """After so many requests it closes every connection at accept; 0 for never."""
    threads: int = 0
    """How many connections it serves at a time, the others wait; 0 for all."""


ESCAPES = "\x1b[2J\x1b]0;owned\x07[bold red]No[/] such\x00\b\u202e account"

BEHAVIOURS: Mapping[str, Behaviour] = {
    "orderly": Behaviour(),
    "ends LF": Behaviour(end="\n"),
    "ends LF CR": Behaviour(end="\n\r"),
    "ends CR CR LF": Behaviour(end="\r\r\n"),
    "no end, stays open": Behaviour(end=""),
    "no end, closes": Behaviour(end="", closes=True),
    "greets": Behaviour(greeting=("Welcome to the bank",)),
    "greets with three lines": Behaviour(
        greeting=("*** Bank of Elsewhere ***", "Banking since 1993", "Type a command:")
    ),
    "greets with an empty line": Behaviour(greeting=("",)),
    "byte order mark": Behaviour(before="\ufeff"),
    "pads": Behaviour(before="  ", after=" \t "),
    "client's address": Behaviour(code="client"),
    "wrong address": Behaviour(code="10.99.98.97"),
    "no address in AC": Behaviour(tells_address=False),
    "ERR": Behaviour(error="ERR {}"),
    "ERROR": Behaviour(error="ERROR: ER {}"),
    "bare errors": Behaviour(error="{}"),
    "code before errors": Behaviour(codes_its_errors=True, wrong="Account does not exists"),
    "no amount": Behaviour(amount="None"),
    "float amount": Behaviour(amount="9.223372036854778e+18"),
    "negative amount": Behaviour(amount="-500"),
    "amount too large": Behaviour(amount=str(_MAX + 1)),
    "absurd digits": Behaviour(amount="9" * 50_000),
    "bans": Behaviour(requests_max=3),
    "mute": Behaviour(answers=False, acts=False),
    "mute but acts": Behaviour(answers=False),
    "byte by byte": Behaviour(byte_s=0.002),
    "slowly byte by byte": Behaviour(byte_s=0.15),
    "hangs up": Behaviour(answers=False, closes=True),
    "resets": Behaviour(resets="after request"),
    "resets mid reply": Behaviour(resets="mid reply"),
    "long line": Behaviour(padding=100_000),
    "endless line": Behaviour(padding=1000, ends_lines=False),
    "four threads": Behaviour(threads=4),
    "closes after each reply": Behaviour(closes=True),
    "slow first byte": Behaviour(first_byte_s=0.23),
    "escapes": Behaviour(wrong=ESCAPES, greeting=(f"Welcome {ESCAPES}",)),
}


class Peer:
    """A bank of the zoo while it is open."""

    def __init__(
        self, behaviour: Behaviour, host: str, port: int, accounts: Mapping[int, int]
    ) -> None:
        self.behaviour = behaviour
        self.accounts = dict(accounts)
        self.received: list[str] = []
        """The lines that came, in order, without their ends."""
        self.packets: list[bytes] = []
        """What came, as one receive each brought it."""
        self.connections = 0
        """How many connections were accepted."""
        self._listener = socket.create_server((host, port))
        self.host, self.port = self._listener.getsockname()[:2]
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._seats = threading.Semaphore(behaviour.threads or 10_000)
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def count(self, code: str) -> int:
        """How many commands of a code came."""
        return sum(line.split()[0] == code for line in list(self.received) if line.split())

    def stop(self) -> None:
        """Hangs up on everybody; the port is free again when this returns."""
        self._stopping.set()
        with suppress(OSError):
            # Closing alone does not wake a thread that waits in accept.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for _ in self._threads:
            self._seats.release()
        for thread in list(self._threads):
            thread.join(_LAST_WAIT_S)
            assert not thread.is_alive(), "a bank of the zoo does not end"

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, client = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection, client[0]), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        try:
            with self._seats, suppress(OSError):
                if not self._stopping.is_set() and not self._is_banned():
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._converse(connection, client)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _is_banned(self) -> bool:
        limit = self.behaviour.requests_max
        return bool(limit) and len(self.received) >= limit

    def _converse(self, connection: socket.socket, client: str) -> None:
        habits = self.behaviour
        for line in habits.greeting:
            connection.sendall(line.encode() + b"\r\n")
        held = b""
        while data := connection.recv(_CHUNK):
            self.packets.append(data)
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                command = line.decode("utf-8", "replace").strip()
                self.received.append(command)
                reply = self._reply(command, client) if habits.acts else ""
                if self.behaviour.resets_once:
                    self.behaviour = replace(self.behaviour, resets_once=False)
                    self._reset(connection, "")
                    return
                if habits.resets:
                    self._reset(connection, reply)
                    return
                if habits.answers:
                    self._send(connection, reply)
                if habits.closes:
                    return

    def _send(self, connection: socket.socket, reply: str) -> None:
        """Sends a reply in the bank's own manner."""
        habits = self.behaviour
        text = habits.before + reply + "x" * habits.padding + habits.after + habits.end
        data = text.encode("utf-8", "surrogateescape")
        if habits.first_byte_s:
            self._stopping.wait(habits.first_byte_s)
        if habits.byte_s is not None:
            for byte in data:
                connection.sendall(bytes([byte]))
                self._stopping.wait(habits.byte_s)
            return
        if not habits.ends_lines:
            data = data.rstrip()
            while not self._stopping.is_set():
                connection.sendall(data)
        if habits.closes:
            # The end comes in one packet with the reply, so that no test depends on which of
            # the two the other side hears of first.
            connection.sendall(data, getattr(socket, "MSG_MORE", 0))
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(data)

    def _reset(self, connection: socket.socket, reply: str) -> None:
        if self.behaviour.resets == "mid reply":
            connection.sendall(reply[: max(1, len(reply) - 2)].encode())
            # Far enough from the reset for the other side to have read it.
            self._stopping.wait(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _reply(self, line: str, client: str) -> str:
        words = line.split()
        code = words[0].upper() if words else ""
        with self._lock:
            try:
                return self._carried_out(code, words[1:], client)
            except (KeyError, ValueError, IndexError):
                if self.behaviour.codes_its_errors:
                    return f"{code} {self.behaviour.wrong}"
                return self.behaviour.error.format(self.behaviour.wrong)

    def _carried_out(self, code: str, arguments: list[str], client: str) -> str:
        accounts = self.accounts
        if code == "BC":
            own = self.behaviour.code or self.host
            return f"BC {client if own == 'client' else own}"
        if code == "BA":
            return f"BA {self.behaviour.amount or sum(accounts.values())}"
        if code == "BN":
            return f"BN {len(accounts)}"
        if code == "AC":
            number = next(n for n in range(10_000, 100_000) if n not in accounts)
            accounts[number] = 0
            return f"AC {number}/{self.host}" if self.behaviour.tells_address else f"AC {number}"
        number = int(arguments[0].partition("/")[0])
        balance = accounts[number]
        if code == "AB":
            return f"AB {balance}"
        if code == "AR":
            if balance:
                raise ValueError
            del accounts[number]
            return "AR"
        balance += {"AD": 1, "AW": -1}[code] * int(arguments[1])
        if not 0 <= balance <= _MAX:
            raise ValueError
        accounts[number] = balance
        return code


@contextmanager
def bank(
    behaviour: str = "orderly",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    accounts: Mapping[int, int] | None = None,
    **changes: object,
) -> Iterator[Peer]:
    """A bank with a habit of BEHAVIOURS until the block ends.

    It has the account 10001 with 500 unless told otherwise; `changes` are fields of Behaviour,
    such as `requests_max=60`.
    """
    habits = replace(BEHAVIOURS[behaviour], **changes)  # type: ignore[arg-type]
    peer = Peer(habits, host, port, {10_001: 500} if accounts is None else accounts)
    try:
        yield peer
    finally:
        peer.stop()
