"""The flow of payments as operators watch it: what was paid, and what was refused and why.

Bounded, in memory, and gone with the node: the ledger has the payments themselves. Those who
write never wait for those who read.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from bank_node.banking.payments.records import FAILED, Payment, read
from bank_node.errors import Reason
from bank_node.ledger.notes import Note
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.ring import Ring

_KEPT = 2000


class Passed(NamedTuple):
    """One payment that came to an end, or one that was refused."""

    time_us: int
    """When it was on disk, or refused."""
    payment: Payment | None = None
    payer: str = ""
    reason: Reason | None = None


class Flow:
    """See the module. Everything may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ring: Ring[Passed] = Ring(_KEPT)
        self._lock = Lock()
        self._done = 0
        self._reasons: Tally[str] = Tally()

    def heard(self, notes: Sequence[Note]) -> None:
        """Takes in records of payments that became durable."""
        now_us = self._clock.now_us()
        passed = [Passed(now_us, read(Payment, note)) for note in notes]
        self.ring.add(passed)
        with self._lock:
            for each in passed:
                assert each.payment is not None
                if each.payment.state == FAILED:
                    self._reasons[each.payment.why] += 1
                else:
                    self._done += 1

    def refused(self, payer: str, reason: Reason) -> None:
        """Takes in that a client was not allowed to pay."""
        self.ring.add([Passed(self._clock.now_us(), None, payer, reason)])
        with self._lock:
            self._reasons[reason.value] += 1

    def sums(self) -> tuple[int, dict[str, int]]:
        """How many were paid since the start, and how often there was which reason."""
        with self._lock:
            return self._done, dict(self._reasons.most_common())
