"""Entries, the lines of the journal, and the numbers of the accounts that they move money between.

Client accounts have the numbers that clients see. The bank's own accounts lie outside of that
range: cash, what is held for transfers, and one settlement account for each other bank.
"""

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

import msgspec

from bank_node.values import ACCOUNT_MAX, BankCode

CASH = 0
"""The bank's own account: what clients deposit comes from it, what they withdraw returns to it."""

HELD = 1
"""The bank's own account for money that clients have sent and that has not left yet."""

# The settlement account of a bank is this plus the bank's address, so none must be opened.
_SETTLEMENT = 1 << 32


class Kind(IntEnum):
    """What an entry records."""

    OPENED = 1
    CLOSED = 2
    DEPOSITED = 3
    WITHDRAWN = 4
    TRANSFERRED = 5
    """From one client to another of this bank."""
    HELD = 6
    """A client's money is set aside for a transfer to another bank."""
    POSTED = 7
    """What was held is owed to the other bank now: the transfer is committed."""
    VOIDED = 8
    """What was held is the client's again."""
    PROMISED = 9
    """Room is kept for money from another bank; no money moves."""
    CREDITED = 10
    """Money that was promised has come: the other bank owes it, the client has it."""
    RELEASED = 11
    """A promise is over; no money moves."""
    BARRED = 12
    """A transfer that was given up before it was heard of; no money moves."""
    ACKNOWLEDGED = 13
    """The other bank has confirmed a commit; no money moves."""
    NOTED = 20
    """Something about a client is noted down; no money moves."""


TRANSFER_KINDS = frozenset(range(Kind.TRANSFERRED, Kind.ACKNOWLEDGED + 1))
"""What entries record of transfers; each carries the record of one as its payload."""


class Entry(NamedTuple):
    """One line of the journal: `amount` units moved from `debit` to `credit`.

    `debit_previous` and `credit_previous` are the sequence numbers of the entry before this one
    on either account (0 for none, and always for CASH and HELD), which makes an account's history
    a chain. An entry of a kind that moves no money has 0 everywhere else.
    """

    kind: int
    debit: int
    credit: int
    amount: int
    debit_previous: int
    credit_previous: int


# The canonical form of an entry, which is also what is hashed: fixed width, so unambiguous. What
# an entry about a transfer has to tell beyond that follows it as the payload of its leaf.
ENTRY = Struct(">BQQQQQ")


class Account(msgspec.Struct, frozen=True, order=True, gc=False):
    """An account: its balance and the sequence number of its latest entry.

    The balance of a client is never negative. That of a settlement account is what this bank
    owes the other one, and negative when the other one owes.
    """

    number: int
    balance: int
    last_entry: int


@lru_cache(maxsize=4096)
def settlement_account(bank: BankCode) -> int:
    """The number of the settlement account of a bank."""
    value = 0
    for octet in bank.split("."):
        value = value << 8 | int(octet)
    return _SETTLEMENT | value


@lru_cache(maxsize=4096)
def bank_of(settlement: int) -> BankCode:
    """The bank whose settlement account has this number."""
    return BankCode(".".join(str(settlement >> shift & 0xFF) for shift in (24, 16, 8, 0)))


def is_settlement(number: int) -> bool:
    return number >= _SETTLEMENT


def is_client(number: int) -> bool:
    return HELD < number <= ACCOUNT_MAX
