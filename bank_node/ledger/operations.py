"""Operations: the frozen values that are the only way to read or change the ledger.

An operation names what is wanted; `book.decide` says what becomes of it. The room knows which
accounts and transfers it reads or changes, so that a store can load them first.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, ClassVar

from msgspec import Struct

from bank_node.errors import Reason
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import (
    ReadTransfer,
    TransferOperation,
)
from bank_node.ledger.transfers import Transfer
from bank_node.values import AccountNumber, Amount


class OpenAccount(Struct, frozen=True, gc=False):
    """Opens an account; its result is the new account number.

    `draw` is a random integer that picks among the free numbers, so that the rules themselves
    stay deterministic and replayable.
    """

    draw: int


class CloseAccount(Struct, frozen=True, gc=False):
    """Closes an account whose balance is 0."""

    account: AccountNumber


class Deposit(Struct, frozen=True, gc=False):
    """Moves `amount` units from the bank's cash account to a client."""

    account: AccountNumber
    amount: Amount


class Withdraw(Struct, frozen=True, gc=False):
    """Moves `amount` units from a client to the bank's cash account."""

    account: AccountNumber
    amount: Amount


class ReadBalance(Struct, frozen=True, gc=False):
    """Its result is the balance of an account, in units."""

    account: AccountNumber


class ReadLastEntry(Struct, frozen=True, gc=False):
    """Its result is the sequence number of the latest entry on an account."""

    account: AccountNumber

    @property
    def touched(self) -> tuple[int, ...]:
        return (self.account,)


class ReadTotal(Struct, frozen=True, gc=False):
    """Its result is the sum of all client accounts, in units."""


class ReadClients(Struct, frozen=True, gc=False):
    """Its result is the number of open accounts."""


class Procedure(Struct, frozen=True):
    """An operation of a room above: it brings its own rule, which uses those of the ledger.

    Like every rule it is pure. It may only touch what `touched` names, it checks everything before
    it changes anything, and what it changes it does through `moves` and `noting`, so that entries
    tell all of it.
    """

    only_looks: ClassVar[bool] = False
    """Whether its result, unless it is a refusal, says nothing of a change."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        """The accounts, transfers and notes that it reads or changes."""
        raise NotImplementedError

    def decide(self, state: State) -> "Result":
        """Carries it out, or says why not."""
        raise NotImplementedError


Operation = (
    OpenAccount
    | CloseAccount
    | Deposit
    | Withdraw
    | ReadBalance
    | ReadLastEntry
    | ReadTotal
    | ReadClients
    | TransferOperation
    | ReadNotes
    | ReadNote
    | Procedure
)
Result = int | Reason | Transfer | Note | tuple[Any, ...]
"""What an operation came to: a number (0 where there is nothing to tell), the record of a
transfer, a note or several, or why it was refused."""

Done = Callable[[Sequence[Result]], object]
"""Hears what operations came to, in their order, once and on some thread of the ledger."""
Submit = Callable[[Sequence[Operation], Done], object]
"""Has operations decided in this order."""

# Asked of operations by their exact type, because each asking costs every batch.
_NAMES_AN_ACCOUNT = frozenset((Deposit, Withdraw, ReadBalance, CloseAccount))
_TOUCHES_NOTHING = frozenset((OpenAccount, ReadTotal, ReadClients))
_READS = frozenset(
    (ReadBalance, ReadTotal, ReadClients, ReadTransfer, ReadLastEntry, ReadNotes, ReadNote)
)


def is_read(operation: Operation) -> bool:
    """Whether an operation changes nothing."""
    return type(operation) in _READS


def is_yes(operation: Operation, result: Result) -> bool:
    """Whether a result says that a change is made, by this operation or by the same one before."""
    if isinstance(result, Reason) or is_read(operation):
        return False
    return not (isinstance(operation, Procedure) and operation.only_looks)


def touched(operations: Iterable[Operation]) -> set[int | str]:
    """The accounts and records that operations read or change, but for those they begin."""
    found: set[int | str] = set()
    asked: Iterable[Any] = operations
    for kind, run in groupby(asked, type):
        if kind in _NAMES_AN_ACCOUNT:
            found.update([operation.account for operation in run])
        elif kind not in _TOUCHES_NOTHING:
            for operation in run:
                found.update(operation.touched)
    return found
