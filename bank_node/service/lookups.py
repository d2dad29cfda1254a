"""Reads of a ledger that other nodes write to, too: they overtake writes, in order on their own.

Such a read is answered beside the ledger thread. What follows it on its own connection waits
until it is answered, so that the requests of one connection still see each other in their order.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bank_node.ledger.operations import Operation


class Waiting(NamedTuple):
    """An operation and the ticket of its reply."""

    operation: Operation
    ticket: Any


class Lookups:
    """What one desk is looking up. Sessions are only told apart."""

    def __init__(self) -> None:
        self._gathered: list[Waiting] = []
        self._behind: dict[Any, list[Waiting]] = {}

    def add(self, session: Any, waiting: Waiting) -> None:
        """The first request of a session with nothing before it, to be looked up."""
        self._gathered.append(waiting)
        self._behind[session] = []

    def hold_back(self, session: Any, waiting: Waiting) -> bool:
        """Keeps a request that must wait for a read of its session; False if it need not."""
        if not self._behind or session not in self._behind:
            return False
        self._behind[session].append(waiting)
        return True

    def take(self) -> list[Waiting]:
        """What has gathered since the last call."""
        gathered, self._gathered = self._gathered, []
        return gathered

    def answered(self, sessions: Sequence[Any]) -> list[Waiting]:
        """What was held back behind the reads of these sessions, in its order."""
        return [waiting for session in sessions for waiting in self._behind.pop(session)]
