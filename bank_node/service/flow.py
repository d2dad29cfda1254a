"""The flow of payments as operators watch it: each state that one came to, and what was refused.

Bounded, in memory, and gone with the node: the ledger has the payments themselves. Those who
write never wait for those who read.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from bank_node.banking.payments.records import FAILED, PENDING, SUCCESS, Payment, read
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.ring import Ring

_KEPT = 2000
# Requests that are remembered until their payments are on disk; most are at once.
_ASKED_MAX = 20_000
# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__


class Noted(Refused):
    """A refusal of a payment that has a record: the record tells the flow of it."""


class Attempt(NamedTuple):
    """Who asked to pay whom; what is not known is empty."""

    payer: str
    payee: str = ""
    amount: int | None = None
    reference: str = ""


class Passed(NamedTuple):
    """A state that a payment came to, or an attempt that was refused."""

    time_us: int
    """When it was on disk, or refused."""
    payment: Payment | None = None
    attempt: Attempt = Attempt("")
    reason: Reason | None = None
    """Why an attempt was refused."""
    asked_us: int = 0


_NO_ATTEMPT = Attempt("")


class Flow:
    """See the module. Everything may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ring: Ring[Passed] = Ring(_KEPT)
        self._lock = Lock()
        self._asked: dict[str, int] = {}
        self._done = 0
        self._reasons: Tally[str] = Tally()

    def asked(self, payment_id: str, asked_us: int) -> None:
        """Takes in when a payment was asked for; the record has when the PIN was right."""
        self._asked.setdefault(payment_id, asked_us)
        if len(self._asked) > _ASKED_MAX:
            with self._lock:
                del self._asked[next(iter(self._asked))]

    def heard(self, notes: Sequence[Note]) -> None:
        """Takes in records of payments that became durable."""
        self._pass([read(Payment, note) for note in notes])

    def set_out(self, payment: Payment) -> None:
        """Takes in that the money of a payment to another bank was set aside."""
        asked_us = self._asked.get(payment.id, payment.time_us)
        self.ring.add((_new(Passed, (self._clock.now_us(), payment, _NO_ATTEMPT, None, asked_us)),))

    def _pass(self, payments: Sequence[Payment]) -> None:
        now_us = self._clock.now_us()
        passed = []
        with self._lock:
            for each in payments:
                if each.state == PENDING:
                    asked_us = self._asked.get(each.id, each.time_us)
                else:
                    asked_us = self._asked.pop(each.id, each.time_us)
                passed.append(_new(Passed, (now_us, each, _NO_ATTEMPT, None, asked_us)))
                if each.state == FAILED:
                    self._reasons[each.why] += 1
                elif each.state == SUCCESS:
                    self._done += 1
        self.ring.add(passed)

    def refused(self, attempt: Attempt, refused: Refused, asked_us: int) -> None:
        """Takes in that a client was not allowed to pay, who had asked at that moment."""
        if isinstance(refused, Noted):
            return
        passed = Passed(self._clock.now_us(), None, attempt, refused.reason, asked_us)
        self.ring.add([passed])
        with self._lock:
            self._reasons[refused.reason.value] += 1

    def sums(self) -> tuple[int, dict[str, int]]:
        """How many were paid since the start, and how often there was which reason."""
        with self._lock:
            return self._done, dict(self._reasons.most_common())
