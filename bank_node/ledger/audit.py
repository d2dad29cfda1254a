"""Verification: replays a stored ledger from its first block and compares everything.

Pure over what a store hands in. It trusts nothing that can be computed again, and names the
first block that does not fit.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from bank_node.errors import CorruptLedger
from bank_node.ledger import book
from bank_node.ledger.book import CASH, Account
from bank_node.ledger.journal import EMPTY_HEAD, Block, check, head_of
from bank_node.values import AMOUNT_MAX


class Row(NamedTuple):
    """A stored account row: the account as of entry `last_entry`."""

    number: int
    balance: int
    last_entry: int
    is_open: int


class Anchor(NamedTuple):
    """What the stored snapshot says of itself: its rows are complete up to `sequence`."""

    sequence: int
    height: int
    hash: bytes


class Report(NamedTuple):
    """A ledger that fits: what it holds."""

    blocks: int
    entries: int
    accounts: int
    total: int
    head_hash: str


class _Rows:
    """The stored rows in the order in which the replay comes to the entries they stand for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._left = sorted(rows, key=lambda row: row.last_entry, reverse=True)
        self.numbers = {row.number for row in self._left}
        self._next = self._left[-1].last_entry if self._left else None

    def compare(self, sequence: int, accounts: dict[int, Account], total: int) -> None:
        """Compares the rows that stand for the ledger as of this entry."""
        while self._next is not None and self._next <= sequence:
            row = self._left.pop()
            if not _agrees(row, accounts, total):
                raise CorruptLedger(
                    f"the stored balance of account {row.number} does not fit entry {sequence}"
                )
            self._next = self._left[-1].last_entry if self._left else None

    @property
    def are_ahead(self) -> bool:
        """Whether rows are left that stand for entries which the journal does not have."""
        return self._next is not None


def verify(
    blocks: Iterable[Block],
    rows: Iterable[Row],
    anchor: Anchor,
    progress: Callable[[int], object] = lambda _entries: None,
) -> Report:
    """Replays everything. Raises CorruptLedger with the height of the first block that is wrong.

    `progress` hears how many entries a block had once the block is verified.
    """
    stored = _Rows(rows)
    accounts: dict[int, Account] = {}
    total = 0
    head = EMPTY_HEAD
    for block in blocks:
        check(block, head)
        total = _replay(block, accounts, total, stored)
        head = head_of(block)
        if head.height == anchor.height and (head.hash, head.sequence) != (
            anchor.hash,
            anchor.sequence,
        ):
            raise CorruptLedger(f"block {head.height} is not the one the snapshot was taken at",
                                height=head.height)  # fmt: skip
        progress(block.entry_count)
    if stored.are_ahead or head.height < anchor.height:
        raise CorruptLedger(
            f"the journal ends at block {head.height}, but accounts were stored after later ones",
            height=head.height + 1,
        )
    _compare_missing(accounts, stored, anchor)
    return Report(head.height, head.sequence, len(accounts), total, head.hash.hex())


def readable(blocks: Iterator[Block], broken: type[Exception]) -> Iterator[Block]:
    """The blocks, with an error of the storage engine turned into one that names the block."""
    height = 0
    try:
        for block in blocks:
            yield block
            height = block.height
    except broken as error:
        raise CorruptLedger(
            f"block {height + 1} cannot be read: {error}", height=height + 1
        ) from None


def _replay(block: Block, accounts: dict[int, Account], total: int, stored: _Rows) -> int:
    try:
        for sequence, entry in block.entries():
            book.apply(accounts, entry, sequence)
            if entry.debit == CASH:
                total += entry.amount
            elif entry.credit == CASH:
                total -= entry.amount
            stored.compare(sequence, accounts, total)
    except CorruptLedger as error:
        raise CorruptLedger(f"block {block.height}: {error}", height=block.height) from None
    if not 0 <= total <= AMOUNT_MAX:
        raise CorruptLedger(f"block {block.height}: the bank's total is {total}",
                            height=block.height)  # fmt: skip
    return total


def _agrees(row: Row, accounts: dict[int, Account], total: int) -> bool:
    if row.number == CASH:
        return row.balance == -total
    if not row.is_open:
        return row.number not in accounts
    return accounts.get(row.number) == Account(row.number, row.balance, row.last_entry)


def _compare_missing(accounts: dict[int, Account], stored: _Rows, anchor: Anchor) -> None:
    for account in accounts.values():
        if account.last_entry <= anchor.sequence and account.number not in stored.numbers:
            raise CorruptLedger(f"account {account.number} is missing from the stored accounts")
