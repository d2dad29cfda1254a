"""A crowd of clients for `bank simulate`: what they ask, and what the ledger must say afterwards.

An answer is a yes, a refusal or unknown. What is unknown is asked again under the same reference,
which the bank promises is safe; only then is the money counted.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

_LINE_BYTES_MAX = 65_536
_TRIES = 5
_ACQUAINTED_S = 30.0
_SETTLED_S = 30.0
# A payment that is on its way; asked again, the bank says what became of it.
_PENDING = "ER 01"
PIN, WRONG_PIN = "2580", "1470"
MONEY = 100_000
"""Units that every user begins with."""
_TOO_MUCH = 4 * MONEY
_AMOUNT_MAX = 900
# Letters of which no two look alike: names that could be mistaken are refused.
_LETTERS = str.maketrans("0123456789", "abcdefghjk")

# What users do, and how many of a thousand do it.
MIX = {"pay": 640, "code": 200, "wrong pin": 50, "no money": 40, "duplicate": 40, "replay": 30}


class Member:
    """A user or merchant of the crowd."""

    def __init__(self, vpa: str, number: int, home: int, category: str = "") -> None:
        self.vpa = vpa
        self.home = home
        self.category = category
        self.mobile = f"420{number:09}"
        self.account = ""
        self.vmid = ""
        self.code = ""
        self.expected = 0
        self.told = 0
        """What its machine was told that it was paid."""


class Phase(NamedTuple):
    """What a phase came to; times in milliseconds."""

    name: str
    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass
class Tally:
    """What was answered, and what should not have been."""

    answers: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)
    unknown: int = 0
    times: list[float] = field(default_factory=list)
    done: int = 0

    def contradict(self, asked: str, told: str) -> None:
        self.contradictions.append(f"{asked} -> {told}")


class Line:
    """A connection that is made again when it is lost."""

    def __init__(self, host: str, port: int, timeout_s: float, tally: Tally) -> None:
        self._at = (host, port)
        self._timeout_s = timeout_s
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, line: str) -> str | None:
        """The reply; None if none came, so that nobody knows what became of the request."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self._at, limit=_LINE_BYTES_MAX)
                reader, writer = self._streams
                writer.write(line.encode() + b"\r\n")
                reply = await reader.readline()
        except (OSError, TimeoutError, ValueError):
            reply = b""
        if not reply.endswith(b"\n"):
            self.close()
            return None
        self._tally.times.append(time.perf_counter() - started)
        self._tally.done += 1
        text = reply.decode().rstrip("\r\n")
        return None if "outcome is unknown" in text else text

    async def insist(self, line: str) -> str:
        """The reply to something that may be asked again. Raises ConnectionError."""
        for _ in range(_TRIES):
            reply = await self.ask(line)
            is_final = reply is not None and not reply.startswith(_PENDING)
            if reply is not None and is_final and "too busy" not in reply:
                return reply
            self._tally.unknown += 1
            await asyncio.sleep(0.2)
        raise ConnectionError(f"no answer to {line.split()[0]}")

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


class Place(NamedTuple):
    """A bank, and the end of its addresses."""

    host: str
    port: int
    handle: str


class Lines:
    """The connections of one client of the crowd, one to each bank, made when they are needed."""

    def __init__(self, places: Sequence[Place], timeout_s: float, tally: Tally) -> None:
        self._lines = [Line(place.host, place.port, timeout_s, tally) for place in places]

    def of(self, member: Member) -> Line:
        """The connection to the bank of a member."""
        return self._lines[member.home]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def close(self) -> None:
        for line in self._lines:
            line.close()


class Crowd:
    """The members, and what they do to their banks."""

    def __init__(
        self, at: Sequence[tuple[str, int]], users: int, merchants: int, clients: int, seed: int
    ) -> None:
        self._at = at
        self.places: list[Place] = []
        self._clients = clients
        self._draw = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
        # Whoever runs it twice against one bank needs other addresses.
        self._run = f"{seed:x}".translate(_LETTERS)
        self._users, self._merchants = users, merchants
        self.users: list[Member] = []
        self.merchants: list[Member] = []
        self.tally = Tally()
        self.timeout_s = 30.0
        self.answered_at: dict[str, float] = {}
        """When the payment of a code was answered, by its id."""

    def lines(self, tally: Tally | None = None) -> Lines:
        return Lines(self.places, self.timeout_s, tally or Tally())

    async def meet(self) -> int:
        """Learns the handles of the banks; returns what they hold before anybody comes."""
        for host, port in self._at:
            line = Line(host, port, self.timeout_s, Tally())
            words = (await line.insist("VE")).split()
            line.close()
            handles = [word[len("handle=") :] for word in words if word.startswith("handle=")]
            if not handles:
                raise ConnectionError("this bank has no payments")
            self.places.append(Place(host, port, handles[0]))
        self.users = [self._member("u", n) for n in range(self._users)]
        self.merchants = [self._member("m", n, "5411") for n in range(self._merchants)]
        return await self.held()

    def _member(self, kind: str, number: int, category: str = "") -> Member:
        home = number % len(self.places)
        name = f"{kind}{self._run}x{number:06}".translate(_LETTERS)
        return Member(f"{name}@{self.places[home].handle}", number, home, category)

    async def introduce(self) -> None:
        """Waits until each bank knows whom the others serve. Raises ConnectionError."""
        lines = self.lines()
        until = time.perf_counter() + _ACQUAINTED_S
        for line in lines:
            for member in self.merchants[: len(self.places)]:
                while not (await line.insist(f"PR {member.vpa}")).startswith("PR"):
                    if time.perf_counter() > until:
                        raise ConnectionError(f"a bank does not find {member.vpa}")
                    await asyncio.sleep(0.1)
        lines.close()

    async def phase(
        self, name: str, members: Iterable[Member], do: Callable[[Lines, Member], Awaitable[None]]
    ) -> Phase:
        """Everybody does something, as many at once as there are connections."""
        waiting = iter(list(members))
        self.tally.times, self.tally.done = [], 0
        started = time.perf_counter()

        async def serve() -> None:
            lines = self.lines(self.tally)
            try:
                for member in waiting:
                    await do(lines, member)
            finally:
                lines.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(serve())
        seconds = time.perf_counter() - started
        p50, p99 = percentiles(self.tally.times)
        return Phase(name, len(self.tally.times), seconds, p50, p99)

    async def register(self, lines: Lines, member: Member) -> None:
        """A member gets an account; a merchant also a code."""
        line = lines.of(member)
        kind, category = ("PM", f"{member.category} ") if member.category else ("PU", "")
        asked = f"{kind} {member.vpa} Somebody {category}{member.mobile} {PIN}"
        words = (await line.insist(asked)).split()
        if words[0] != kind:
            self.tally.contradict(asked.rpartition(" ")[0], " ".join(words))
            return
        member.account = words[1]
        if member.category:
            member.vmid = words[-1]
            member.code = (await line.insist(f"PG {member.vmid}"))[3:]

    async def fund(self, lines: Lines, member: Member) -> None:
        """A member gets its first money; a deposit that nobody answered is never sent again."""
        line = lines.of(member)
        reply = await line.ask(f"AD {member.account} {MONEY}")
        if reply == "AD":
            member.expected += MONEY
        elif reply is None:
            member.expected += int((await line.insist(f"AB {member.account}")).split()[1])
        else:
            self.tally.contradict("AD", reply)

    async def act(self, lines: Lines, member: Member) -> None:
        """A user does one of the things that people do."""
        line = lines.of(member)
        what = self._draw.choices(list(MIX), list(MIX.values()))[0]
        payee = self._other(member)
        amount = self._draw.randint(1, _AMOUNT_MAX)
        if what == "code":
            payee = self._draw.choice(self.merchants)
            asked = f"PY {member.vpa} {payee.code} {amount} r1"
        elif what == "no money":
            asked = f"PP {member.vpa} {payee.vpa} {_TOO_MUCH} r1"
        else:
            asked = f"PP {member.vpa} {payee.vpa} {amount} r1"
        pin = WRONG_PIN if what == "wrong pin" else PIN
        reply = await line.insist(f"{asked} {pin}")
        if what == "code":
            self.answered_at[reply.split()[1]] = time.perf_counter()
        expected = {"wrong pin": "ER ZM", "no money": "ER Z9"}.get(what, asked[:3])
        self._count(what, asked, reply, expected)
        if reply[:2] == asked[:2]:
            member.expected -= amount
            payee.expected += amount
        if what == "duplicate":
            self._count(what, asked, await line.insist(f"{asked} {pin}"), reply)
        elif what == "replay":
            asked = f"PP {member.vpa} {payee.vpa} {amount + 1} r1"
            self._count(what, asked, await line.insist(f"{asked} {pin}"), "ER U01")

    def _other(self, member: Member) -> Member:
        while True:
            payee = self._draw.choice(self.users)
            if payee is not member:
                return payee

    def _count(self, what: str, asked: str, reply: str, expected: str) -> None:
        self.tally.answers[what if reply.startswith(expected) else "contradictions"] += 1
        if not reply.startswith(expected):
            self.tally.contradict(asked, reply)

    async def count_money(self, lines: Lines, member: Member) -> None:
        """Compares what a member should have with what the bank says.

        What comes from another bank is there soon after it was decided, not at the same time.
        """
        line, expected = lines.of(member), f"AB {member.expected}"
        until = time.perf_counter() + (_SETTLED_S if len(self.places) > 1 else 0)
        while (reply := await line.insist(f"AB {member.account}")) != expected:
            if time.perf_counter() >= until:
                self.tally.contradict(f"AB {member.account}, expected {member.expected}", reply)
                return
            await asyncio.sleep(0.2)

    async def held(self) -> int:
        """What the banks hold now."""
        lines = self.lines()
        held = [int((await line.insist("BA")).split()[1]) for line in lines]
        lines.close()
        return sum(held)


def percentiles(seconds: Iterable[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    times = sorted(seconds) or [0.0]
    p50, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
    return p50, p99
