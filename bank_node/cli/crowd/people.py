"""A crowd of clients: who they are, how they register, and what they must have in the end.

Money is counted by what was answered, and then compared with what the banks say.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from bank_node.cli.crowd.lines import Line, Lines, Phase, Place, Second, Tally, percentiles

_ACQUAINTED_S = 30.0
_SETTLED_S = 30.0
PIN = "2580"
MONEY = 100_000
"""Units that every user begins with."""
# Letters of which no two look alike: names that could be mistaken are refused.
_LETTERS = str.maketrans("0123456789", "abcdefghjk")


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
        """What its machine was told that it was paid, less what it was told that it gave back."""


class Crowd:
    """The members, and what they do to their banks."""

    def __init__(
        self, at: Sequence[tuple[str, int]], users: int, merchants: int, clients: int, seed: int,
        patience_s: float = 0.0,
    ) -> None:  # fmt: skip
        """`patience_s`: how long a bank that takes no connections is tried again."""
        self._at = at
        self.places: list[Place] = []
        self._clients = clients
        self.draw = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
        # Whoever runs it twice against one bank needs other addresses.
        self._run = f"{seed:x}".translate(_LETTERS)
        self._users, self._merchants = users, merchants
        self.users: list[Member] = []
        self.merchants: list[Member] = []
        self.tally = Tally()
        self.timeout_s = 30.0
        self.patience_s = patience_s
        self.answered_at: dict[str, float] = {}
        """When the payment of a code was answered, by its id."""
        self.seconds: list[Second] = []
        """How it went, second by second."""

    def lines(self, tally: Tally | None = None) -> Lines:
        return Lines(self.places, self.timeout_s, tally or Tally(), self.patience_s)

    def line_to(self, member: Member) -> Line:
        """A connection of its own to the bank of a member, whose answers nobody times."""
        place = self.places[member.home]
        return Line(place.host, place.port, self.timeout_s, Tally(), self.patience_s)

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
        waiting = iter(members)
        self.tally.phase, self.tally.times = name, []
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

    async def watch(self, told: Callable[[Second], object]) -> None:
        """Tells every second how it goes, until it is cancelled."""
        started = before = time.perf_counter()
        phase, counted = "", 0
        while True:
            await asyncio.sleep(1)
            now, tally = time.perf_counter(), self.tally
            if tally.phase != phase:
                phase, counted = tally.phase, 0
            lately = tally.times[counted:]
            counted += len(lately)
            p50, p99 = percentiles(lately)
            second = Second(phase, now - started, counted, len(lately) / (now - before), p50, p99)
            before = now
            self.seconds.append(second)
            told(second)

    async def register(self, lines: Lines, member: Member) -> None:
        """A member gets an account; a merchant also a code."""
        line = lines.of(member.home)
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
        line = lines.of(member.home)
        reply = await line.ask(f"AD {member.account} {MONEY}")
        if reply == "AD":
            member.expected += MONEY
        elif reply is None:
            member.expected += int((await line.insist(f"AB {member.account}")).split()[1])
        else:
            self.tally.contradict("AD", reply)

    async def count_money(self, lines: Lines, member: Member) -> None:
        """Compares what a member should have with what the bank says.

        What comes from another bank is there soon after it was decided, not at the same time.
        """
        line, expected = lines.of(member.home), f"AB {member.expected}"
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
