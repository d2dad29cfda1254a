"""What became of transfers, read back from the journal: those that ended, and the way of one.

Pure over what a store hands in, as `lookback` is; every question has a limit on what it may read.
"""

from typing import NamedTuple

from bank_node.ledger.entries import TRANSFER_KINDS, Kind, bank_of
from bank_node.ledger.journal import Block
from bank_node.ledger.lookback import Found, Line, backwards_from
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import BEGINNINGS, Transfer, claims
from bank_node.values import BankCode

# How much of the journal a page of ended transfers may read, and the way of a single one, which
# may have begun long before it ended.
_BYTES_A_PAGE = 4 * 2**20
_BYTES_A_WAY = 16 * 2**20
_BYTES_A_BLOCK = 500
# After an entry of these, a transfer is open; there is no need to read its record.
_STILL_OPEN = frozenset((Kind.HELD, Kind.PROMISED))


def ended(store: Store, before: int | None, count: int) -> Found:
    """At most `count` entries that ended a transfer, below the entry `before`, newest first."""
    below = before if before is not None else store.head.sequence + 1
    lines: list[Line] = []
    budget = _BYTES_A_PAGE
    for block in backwards_from(store, below):
        for line in reversed(_about_transfers(block)):
            if line.number >= below or line.entry.kind in _STILL_OPEN:
                continue
            record = line.transfer
            if record is None or record.is_open:
                continue
            if len(lines) == count:
                return Found(lines, lines[-1].number if lines else below)
            lines.append(line)
        budget -= len(block.body) + len(block.attached) + _BYTES_A_BLOCK
        if budget <= 0 and block.first_entry > 1:
            return Found(lines, block.first_entry)
    return Found(lines, None)


class Way(NamedTuple):
    """The entries of one transfer, oldest first; not complete if its beginning is too far back."""

    lines: list[Line]
    complete: bool


def way_of(store: Store, transfer: Transfer) -> Way:
    """How a transfer came to where it is. `transfer` is its latest record."""
    name = transfer.key.encode()
    lines: list[Line] = []
    budget = _BYTES_A_WAY
    for block in backwards_from(store, transfer.entry + 1):
        for line in reversed(_about_transfers(block)) if name in block.attached else ():
            record = line.transfer if name in line.payload else None
            if record is None or record.key != transfer.key or line.number > transfer.entry:
                continue
            lines.append(line)
            if (line.entry.kind, record.role, record.phase) in BEGINNINGS:
                return Way(lines[::-1], True)
        budget -= len(block.body) + len(block.attached) + _BYTES_A_BLOCK
        if budget <= 0:
            break
    return Way(lines[::-1], False)


def _about_transfers(block: Block) -> list[Line]:
    """The entries of a block that are about transfers, in their order."""
    return [
        Line(number, entry, block, payload)
        for number, payload in block.payloads().items()
        if (entry := block.entry(number)).kind in TRANSFER_KINDS
    ]


class Position(NamedTuple):
    """How this bank stands with another one."""

    bank: BankCode
    owed: int
    """What this bank owes the other one; negative when the other one owes."""
    leaving: int
    """What is held here to go there."""
    coming: int
    """What is promised here to come from there."""


def positions(store: Store) -> list[Position]:
    """One for each bank that money went to or came from, or is about to, by its address."""
    owed = {account.number: account.balance for account in store.positions()}
    leaving: dict[int, int] = {}
    coming: dict[int, int] = {}
    for transfer in store.open_transfers():
        held, promised, _ = claims(transfer)
        if held:
            leaving[transfer.bank] = leaving.get(transfer.bank, 0) + transfer.amount
        if promised:
            coming[transfer.bank] = coming.get(transfer.bank, 0) + transfer.amount
    return [
        Position(bank_of(bank), owed.get(bank, 0), leaving.get(bank, 0), coming.get(bank, 0))
        for bank in sorted({*owed, *leaving, *coming})
    ]
