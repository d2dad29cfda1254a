"""A desk with everything around it faked: ledger, session, clocks, and the loop's next round."""

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bank_node.errors import Reason, Refused
from bank_node.ledger.log import Log
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.proofs import SignedHead
from bank_node.protocol.messages import Catalogue
from bank_node.protocol.transfer_messages import joined
from bank_node.security.identity import Identity
from bank_node.service.calls import Answer, Bank, Survey
from bank_node.service.dispatch import Desk
from bank_node.service.gate import Gate
from bank_node.service.workers import Workers
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic_lines import records_of
from bank_node.values import BankCode

OWN = "10.1.2.3"
# The public key that belongs to a secret of 32 zeros.
KEY = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"


class FakeLedger:
    """Answers reads from `balance`, and keeps what is submitted until the test settles it."""

    def __init__(self, *, reads_are_instant: bool) -> None:
        self.reads_are_instant = reads_are_instant
        self.balance: Result = 70
        self.reads: list[Operation] = []
        self.submitted: list[tuple[Sequence[Operation], Callable[..., object]]] = []
        self.looked_up: list[tuple[Sequence[Operation], Callable[..., object]]] = []

    def read(self, operation: Operation) -> Result:
        self.reads.append(operation)
        return self.balance

    def submit(self, operations: Sequence[Operation], done: Callable[..., object]) -> None:
        self.submitted.append((operations, done))

    def look_up(self, operations: Sequence[Operation], done: Callable[..., object]) -> None:
        self.looked_up.append((operations, done))

    def find(self, *results: Result) -> None:
        """Answers the oldest reads that are being looked up."""
        _, done = self.looked_up.pop(0)
        done(results)

    @property
    def operations(self) -> list[Operation]:
        """Everything that was submitted and is not settled, in order."""
        return [operation for batch, _ in self.submitted for operation in batch]

    def settle(self, *results: Result) -> None:
        """Settles the oldest submission; without results all operations come to 0."""
        operations, done = self.submitted.pop(0)
        done(results or [0] * len(operations))


class FakeSession:
    """A connection that writes into a list."""

    def __init__(self, house: "House", name: str) -> None:
        self._house = house
        self.peer = name
        self.pending: deque[Any] = deque()
        self.in_flight = 0
        self.closing = False
        self.is_link = False
        self.replies: list[str] = []

    def flush(self) -> None:
        ready = []
        while self.pending and self.pending[0].replies is not None:
            ready.append(self.pending.popleft())
        self._house.desk.sent(ready)
        replies = [reply.decode() for ticket in ready for reply in ticket.replies]
        self.in_flight -= len(replies)
        self.replies += replies
        # Whoever writes has the round of the loop ended.
        self._house.desk.flush()

    def send(self, *lines: str | bytes | None) -> None:
        """Has lines answered in one round of the loop, as a connection does."""
        desk, now_ns = self._house.desk, self._house.now_ns
        sent = [line.encode() if isinstance(line, str) else line for line in lines]
        at = 0
        while at < len(sent):
            reply = desk.answer(sent[at], self, now_ns)
            at += 1
            if reply is None:
                at += desk.join(sent[at:], self, now_ns)
            else:
                self.replies.append(reply.decode())
        desk.flush()

    def ask(self, line: str | bytes | None) -> str:
        """One line that is answered at once; its reply without the line end."""
        self.send(line)
        reply = self.replies.pop()
        assert reply.endswith("\r\n")
        return reply[:-2]


class FakeNetwork:
    """Other banks as the test says they are."""

    def __init__(self) -> None:
        self.found = Survey((), ())
        self.asked: list[tuple[float, int]] = []
        self.hints: list[str] = []
        self.seen: dict[str, SignedHead] = {}

    def noticed(self, bank: BankCode) -> None:
        self.hints.append(bank)

    def witnessed(self, bank: BankCode) -> SignedHead | None:
        return self.seen.get(bank)

    def survey(self, within_s: float, trace: int) -> Survey:
        self.asked.append((within_s, trace))
        return self.found


class FakeFollowing:
    """Another node leads, at an address that the test may change."""

    address = "10.1.2.4:65525"

    def details(self, reason: Reason) -> dict[str, str]:
        return {"leader": self.address} if reason is Reason.NOT_LEADER else {}


class FakeElsewhere:
    """Keeps what is to be carried on until the test answers it; `refusal` refuses it at once."""

    def __init__(self) -> None:
        self.refusal: Refused | None = None
        self.carried: list[tuple[str, bytes, int]] = []
        self.waiting: list[Callable[[bytes | Refused], object]] = []

    def forward(
        self,
        bank: BankCode,
        line: bytes,
        trace: int,
        client: Any,
        done: Callable[[bytes | Refused], object],
    ) -> None:
        if self.refusal:
            raise self.refusal
        self.carried.append((bank, line, trace))
        self.waiting.append(done)

    def close(self) -> None:
        self.carried.clear()

    def answer(self, answer: bytes | Refused) -> None:
        """Answers the oldest request."""
        self.waiting.pop(0)(answer)


class FakeTransfers:
    """Keeps what is wanted and what was said until the test answers it."""

    def __init__(self) -> None:
        self.received: set[str] = set()
        self.begun: list[Any] = []
        self.said: list[Any] = []
        self.waiting: list[Callable[[Answer], object]] = []

    def begin(self, call: Any, order: Any, done: Callable[[Answer], object]) -> None:
        self.begun.append(order)
        self.waiting.append(done)

    def has_received(self, key: str) -> bool:
        return key in self.received

    def receive(
        self, sender: str, messages: Any, signature: str, done: Callable[[Answer], object]
    ) -> None:
        self.said.append((sender, joined(messages), signature))
        self.waiting.append(done)

    def answer(self, answer: Answer) -> None:
        self.waiting.pop(0)(answer)


class Inline:
    """Workers that work at once."""

    def run(self, work: Callable[[], str], done: Callable[[Answer], object]) -> None:
        try:
            done(work())
        except Refused as refused:
            done(refused)


class House:
    """A desk and its surroundings."""

    def __init__(
        self,
        *,
        extensions: bool = True,
        language: str = "en",
        requests_queued: int = 1000,
        reads_are_instant: bool = True,
        objective: str = "fewest",
        workers: Workers | None = None,
    ) -> None:
        self.now_ns = 1_000_000
        self.now_us = 1_700_000_000_000_000
        self.ledger = FakeLedger(reads_are_instant=reads_are_instant)
        self.metrics = Metrics()
        self.records: list[Any] = []
        self.network = FakeNetwork()
        self.elsewhere = FakeElsewhere()
        self.transfers = FakeTransfers()
        self.key = KEY
        clock = Clock(lambda: self.now_us, lambda: self.now_ns)
        self.store = MemoryStore()
        self.following = FakeFollowing()
        identity = Identity(bytes(32), KEY)
        bank = Bank(
            code=BankCode(OWN),
            name="a-bank",
            version="1.2.3",
            extensions=extensions,
            catalogue=Catalogue(language),
            draw=lambda: 4711,
            network=self.network,
            identity=identity,
            log=Log(self.store, OWN, identity, clock.now_us),
            journal=self.store,
            transfers=self.transfers,
            following=self.following,
            clock=clock,
            timeout_s=5.0,
            objective=objective,
        )
        gate = Gate(
            bank,
            self.ledger,
            self.metrics,
            clock,
            lambda answered: self.records.extend(records_of(answered)),
            requests_queued,
            workers or Inline(),
            itertools.count(1).__next__,
        )
        self.desk: Desk = gate.desk(lambda call, *arguments: call(*arguments), self.elsewhere)

    def session(self, name: str = "192.0.2.7:4000") -> FakeSession:
        return FakeSession(self, name)

    def figures(self, code: str) -> dict[str, int]:
        figures: dict[str, int] = self.metrics.snapshot()["commands"][code]
        return figures


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def session(house: House) -> FakeSession:
    return house.session()


@pytest.fixture
def ledger(house: House) -> FakeLedger:
    return house.ledger


@pytest.fixture
def build() -> type[House]:
    """Builds a house with settings of its own."""
    return House
