"""Operations: the frozen values that are the only way to read or change the ledger.

An operation names what is wanted; `book.decide` says what becomes of it. `touched` lists the
accounts that it reads or changes, so that a store can load them first.
"""

from typing import NamedTuple

from bank_node.errors import Reason
from bank_node.values import AccountNumber, Amount


class OpenAccount(NamedTuple):
    """Opens an account; its result is the new account number.

    `draw` is a random integer that picks among the free numbers, so that the rules themselves
    stay deterministic and replayable.
    """

    draw: int

    @property
    def is_read(self) -> bool:
        return False

    @property
    def touched(self) -> tuple[int, ...]:
        return ()


class CloseAccount(NamedTuple):
    """Closes an account whose balance is 0."""

    account: AccountNumber

    @property
    def is_read(self) -> bool:
        return False

    @property
    def touched(self) -> tuple[int, ...]:
        return (self.account,)


class Deposit(NamedTuple):
    """Moves `amount` units from the bank's cash account to a client."""

    account: AccountNumber
    amount: Amount

    @property
    def is_read(self) -> bool:
        return False

    @property
    def touched(self) -> tuple[int, ...]:
        return (self.account,)


class Withdraw(NamedTuple):
    """Moves `amount` units from a client to the bank's cash account."""

    account: AccountNumber
    amount: Amount

    @property
    def is_read(self) -> bool:
        return False

    @property
    def touched(self) -> tuple[int, ...]:
        return (self.account,)


class ReadBalance(NamedTuple):
    """Its result is the balance of an account, in units."""

    account: AccountNumber

    @property
    def is_read(self) -> bool:
        return True

    @property
    def touched(self) -> tuple[int, ...]:
        return (self.account,)


class ReadTotal(NamedTuple):
    """Its result is the sum of all client accounts, in units."""

    @property
    def is_read(self) -> bool:
        return True

    @property
    def touched(self) -> tuple[int, ...]:
        return ()


class ReadClients(NamedTuple):
    """Its result is the number of open accounts."""

    @property
    def is_read(self) -> bool:
        return True

    @property
    def touched(self) -> tuple[int, ...]:
        return ()


Operation = OpenAccount | CloseAccount | Deposit | Withdraw | ReadBalance | ReadTotal | ReadClients
Result = int | Reason
"""What an operation came to: a number (0 where there is nothing to tell), or why it was refused."""
