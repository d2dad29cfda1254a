"""Money that is set aside for a message that has to wait can wait as well. Pure.

While lines are on their way to a bank, new messages for it gather. What they are about is then
decided in one block with what the answers lead to: that block comes before them in any case, and a
block costs more than most of what is in it.
"""

from collections.abc import Callable, Sequence

from bank_node.ledger.entries import bank_of
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Hold
from bank_node.values import BankCode


class Gathering:
    """See the module. Belongs to one loop."""

    def __init__(self, is_on_its_way: Callable[[BankCode], bool]) -> None:
        """`is_on_its_way`: whether a message for a bank would have to wait now, though not long."""
        self._is_on_its_way = is_on_its_way
        self._waiting = 0
        self._has_news = False

    def end(self) -> None:
        """Nothing waits any longer: a bank has answered, or time has passed."""
        self._has_news = True

    def goes_on(self, wanted: Sequence[tuple[str, Operation]]) -> bool:
        """Whether all of this still waits; what is added goes to the end of it."""
        # What was there before has been looked at, and nothing has changed for it since.
        new = wanted[self._waiting :]
        waits = not self._has_news and all(self._can_wait(operation) for _, operation in new)
        self._waiting = len(wanted) if waits else 0
        self._has_news = False
        return waits

    def _can_wait(self, operation: Operation) -> bool:
        """Whether it leads to nothing but a message that would have to wait."""
        return (
            type(operation) is Hold
            and not operation.is_classic
            and self._is_on_its_way(bank_of(operation.bank))
        )
