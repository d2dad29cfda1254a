"""Operations on transfers; what they are is in `operations.py`, what becomes of them in `moves.py`.

`touched` lists what an operation reads or changes: numbers of accounts, keys of transfers (and
with a transfer come the accounts that its record names). Banks
are given by the number of their settlement account. The result is the record of the transfer as
it is afterwards, or why nothing was done.
"""

from typing import NamedTuple

from msgspec import Struct

from bank_node.ledger.transfers import Message
from bank_node.values import AccountNumber, Amount

Touched = tuple[int | str, ...]


class Move(NamedTuple):
    """Moves money from one client of this bank to another.

    The same transfer again changes nothing and has the same result.
    """

    key: str
    payer: AccountNumber
    payee: AccountNumber
    amount: Amount
    is_drawn: bool = False
    """Whether the bank drew the id for it, so that nothing can be known under it yet."""

    @property
    def touched(self) -> Touched:
        # Looking for what is not there costs as much as all else that a store does for it.
        accounts = (self.payer, self.payee)
        return accounts if self.is_drawn else (self.key, *accounts)


class Hold(Struct, frozen=True):
    """Sets money of a client aside for a transfer to `payee` at another bank."""

    key: str
    payer: AccountNumber
    bank: int
    payee: AccountNumber
    amount: Amount
    is_classic: bool
    """Whether that bank knows deposits only, so that one is about to be sent to it."""
    cap: int
    """How much this bank may owe the other one, with this transfer."""

    @property
    def touched(self) -> Touched:
        return (self.key, self.payer, self.bank)


class Promise(Struct, frozen=True):
    """Keeps room for a transfer from `payer` at another bank, which will decide about it."""

    key: str
    payee: AccountNumber
    bank: int
    payer: AccountNumber
    amount: Amount
    cap: int
    """How much the other bank may owe this one, with this transfer."""
    evidence: bytes = b""

    @property
    def touched(self) -> Touched:
        return (self.key, self.payee, self.bank)


class Tell(Struct, frozen=True):
    """Says something to a transfer: POST, VOID, ACKNOWLEDGE, ASK, CREDIT or RELEASE.

    `bank` is who says it and must be the other bank of the transfer; 0 says it in this bank's own
    name. `reason` is why, where something is given up; `note` tells who decided by hand.
    """

    message: Message
    key: str
    bank: int = 0
    reason: str = ""
    note: str = ""
    evidence: bytes = b""

    @property
    def touched(self) -> Touched:
        return (self.key,)


class ReadTransfer(Struct, frozen=True):
    """Its result is the record of a transfer."""

    key: str

    @property
    def touched(self) -> Touched:
        return (self.key,)


TransferOperation = Move | Hold | Promise | Tell | ReadTransfer
