"""A crowd of clients for `bank simulate`: what they ask, and what the ledger must say afterwards.

An answer is a yes, a refusal or unknown. What is unknown is asked again under the same reference,
which the bank promises is safe; only then is the money counted.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

_LINE_BYTES_MAX = 65_536
_TRIES = 5
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

    def __init__(self, vpa: str, number: int, category: str = "") -> None:
        self.vpa = vpa
        self.category = category
        self.mobile = f"420{number:09}"
        self.account = ""
        self.vmid = ""
        self.code = ""
        self.expected = 0


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
            if reply is not None and "too busy" not in reply:
                return reply
            self._tally.unknown += 1
            await asyncio.sleep(0.2)
        raise ConnectionError(f"no answer to {line.split()[0]}")

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


class Crowd:
    """The members, and what they do to one bank."""

    def __init__(
        self, host: str, port: int, users: int, merchants: int, clients: int, seed: int
    ) -> None:
        self._at = (host, port)
        self._clients = clients
        self._draw = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
        # Whoever runs it twice against one bank needs other addresses.
        self._run = f"{seed:x}".translate(_LETTERS)
        self._users, self._merchants = users, merchants
        self.users: list[Member] = []
        self.merchants: list[Member] = []
        self.tally = Tally()
        self.timeout_s = 30.0

    async def meet(self) -> int:
        """Learns the handle of the bank; returns what it holds before anybody comes."""
        line = Line(*self._at, self.timeout_s, Tally())
        words = (await line.insist("VE")).split()
        handles = [word[len("handle=") :] for word in words if word.startswith("handle=")]
        if not handles:
            raise ConnectionError("this bank has no payments")
        tag = self._run + "x"
        self.users = [
            Member(f"u{tag}{n:06}".translate(_LETTERS) + "@" + handles[0], n)
            for n in range(self._users)
        ]
        self.merchants = [
            Member(f"m{tag}{n:06}".translate(_LETTERS) + "@" + handles[0], n, "5411")
            for n in range(self._merchants)
        ]
        held = int((await line.insist("BA")).split()[1])
        line.close()
        return held

    async def phase(
        self, name: str, members: Iterable[Member], do: Callable[[Line, Member], Awaitable[None]]
    ) -> Phase:
        """Everybody does something, as many at once as there are connections."""
        waiting = iter(list(members))
        self.tally.times, self.tally.done = [], 0
        started = time.perf_counter()

        async def serve() -> None:
            line = Line(*self._at, self.timeout_s, self.tally)
            try:
                for member in waiting:
                    await do(line, member)
            finally:
                line.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(serve())
        seconds = time.perf_counter() - started
        times = sorted(self.tally.times) or [0.0]
        p50, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
        return Phase(name, len(self.tally.times), seconds, p50, p99)

    async def register(self, line: Line, member: Member) -> None:
        """A member gets an account; a merchant also a code."""
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

    async def fund(self, line: Line, member: Member) -> None:
        """A member gets its first money; a deposit that nobody answered is never sent again."""
        reply = await line.ask(f"AD {member.account} {MONEY}")
        if reply == "AD":
            member.expected += MONEY
        elif reply is None:
            member.expected += int((await line.insist(f"AB {member.account}")).split()[1])
        else:
            self.tally.contradict("AD", reply)

    async def act(self, line: Line, member: Member) -> None:
        """A user does one of the things that people do."""
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

    async def count_money(self, line: Line, member: Member) -> None:
        """Compares what a member should have with what the bank says."""
        reply = await line.insist(f"AB {member.account}")
        if reply != f"AB {member.expected}":
            self.tally.contradict(f"AB {member.account}, expected {member.expected}", reply)

    async def held(self) -> int:
        """What the bank holds now."""
        line = Line(*self._at, self.timeout_s, Tally())
        held = int((await line.insist("BA")).split()[1])
        line.close()
        return held
