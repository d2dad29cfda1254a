"""Looking things up in the journal: pages of blocks, the history of an account, searches.

Pure over what a store hands in. Every question has a limit on what it may read; where that is not
enough, the answer says how to go on.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Protocol

from bank_node.ledger.entries import ENTRY, TRANSFER_KINDS, Account, Entry
from bank_node.ledger.journal import Block
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import Transfer, decode

# How much of the journal one question may read: 100,000 entries, some 50 ms.
_BYTES_A_QUESTION = 4 * 2**20
# A lookup of one entry costs as much as reading this many bytes of blocks, and what a block costs
# beside its bytes.
_BYTES_A_LOOKUP = 50_000
_BYTES_A_BLOCK = 500
# Blocks read at once while going backwards; a store only reads forwards.
_CHUNK_BLOCKS = 128


class Line(NamedTuple):
    """One entry of the journal, and the block that it is in."""

    number: int
    entry: Entry
    block: Block
    payload: bytes = b""

    @property
    def transfer(self) -> Transfer | None:
        """The transfer that the entry is about, as it was from then on."""
        if self.entry.kind not in TRANSFER_KINDS:
            return None
        return decode(self.payload, self.number)


class Step(NamedTuple):
    """One entry of an account's history: the balance is the one after it."""

    line: Line
    balance: int


class Cursor(NamedTuple):
    """Where a history goes on: at an entry, after which the balance is this."""

    entry: int
    balance: int


class Found(NamedTuple):
    """What a search came to so far. `next` is where to go on, None at the end of the journal."""

    lines: list[Line]
    next: int | None


class Blocks(Protocol):
    """All that is needed of a store where entries name the ones before them."""

    def block_of(self, entry: int) -> Block | None:
        """The durable block that holds an entry."""


def steps(store: Blocks, account: int, start: Cursor) -> Iterator[Step]:
    """An account's entries from `start` backwards to its opening.

    A cursor that does not fit the account ends them.
    """
    number, balance = start
    block: Block | None = None
    payloads: dict[int, bytes] = {}
    while number:
        if block is None or not block.first_entry <= number <= block.last_entry:
            block = store.block_of(number)
            payloads = block.payloads() if block else {}
        if block is None:
            return
        entry = block.entry(number)
        if account not in (entry.debit, entry.credit):
            return
        yield Step(Line(number, entry, block, payloads.get(number, b"")), balance)
        is_credit = entry.credit == account
        balance += -entry.amount if is_credit else entry.amount
        number = entry.credit_previous if is_credit else entry.debit_previous


def history(
    store: Blocks, account: int, start: Cursor, count: int
) -> tuple[list[Step], Cursor | None]:
    """At most `count` entries of an account from `start` backwards, and where to go on."""
    walk = steps(store, account, start)
    page = list(islice(walk, count))
    further = next(walk, None)
    return page, Cursor(further.line.number, further.balance) if further else None


def newest_blocks(store: Store, before: int | None, count: int) -> list[Block]:
    """At most `count` blocks below a height, the newest first; without one, from the head."""
    top = min(before or store.head.height + 1, store.head.height + 1)
    return list(islice(_backwards(store, top), count))


def entries_of_block(store: Store, height: int) -> Block | None:
    """One block by its height."""
    if not 1 <= height <= store.head.height:
        return None
    return next(store.blocks(height - 1), None)


def newest_entries(block: Block, before: int | None, count: int) -> tuple[list[Line], int | None]:
    """At most `count` entries of a block below an entry, the newest first, and where to go on."""
    top = min(before or block.last_entry + 1, block.last_entry + 1)
    bottom = max(block.first_entry, top - count)
    lines = list(_lines(block, bottom, top))
    return lines, bottom if lines and bottom > block.first_entry else None


def search(
    store: Store,
    *,
    account: Account | int | None = None,
    since_us: int = 0,
    until_us: int | None = None,
    before: int | None = None,
    count: int = 100,
) -> Found:
    """Entries in a span of time, of one account or of all, below the entry `before`, newest first.

    An open account is given whole: its latest entry is where its chain begins.
    """
    below = before if before is not None else store.head.sequence + 1
    if until_us is not None:
        below = min(below, _first_after(store, until_us))
    if account is None:
        return _search_all(store, below, since_us, count)
    return _Trail(store, account, below, since_us).follow(count)


class _Trail:
    """The entries of one account, backwards: along its chain, or block by block to find one."""

    def __init__(self, store: Store, account: Account | int, below: int, since_us: int) -> None:
        self._store = store
        self._number = account if isinstance(account, int) else account.number
        self._below = below
        self._since_us = since_us
        self._budget = _BYTES_A_QUESTION
        self._link = 0
        if not isinstance(account, int) and account.last_entry < below:
            self._link = account.last_entry

    def follow(self, count: int) -> Found:
        lines: list[Line] = []
        while len(lines) < count:
            if self._budget <= 0:
                return Found(lines, self._below)
            line = self._next()
            if line is None:
                # The end, or the budget: then it is not known whether there is more.
                return Found(lines, self._below if self._budget <= 0 else None)
            if line.block.time_us < self._since_us:
                return Found(lines, None)
            lines.append(line)
            self._below = line.number
            is_credit = line.entry.credit == self._number
            self._link = line.entry.credit_previous if is_credit else line.entry.debit_previous
        return Found(lines, self._below)

    def _next(self) -> Line | None:
        if self._link:
            self._budget -= _BYTES_A_LOOKUP
            return _line(self._store, self._link)
        for block in backwards_from(self._store, self._below):
            if block.time_us < self._since_us:
                return None
            self._budget -= len(block.body) + _BYTES_A_BLOCK
            last = _last_of(block, self._number, self._below)
            if last:
                return next(_lines(block, last, last + 1))
            self._below = min(self._below, block.first_entry)
            if self._budget <= 0:
                break
        return None


def _search_all(store: Store, below: int, since_us: int, count: int) -> Found:
    lines: list[Line] = []
    for block in backwards_from(store, below):
        if block.time_us < since_us:
            return Found(lines, None)
        for line in _lines(block, block.first_entry, min(block.last_entry + 1, below)):
            if len(lines) == count:
                return Found(lines, lines[-1].number)
            lines.append(line)
    return Found(lines, None)


def _line(store: Store, number: int) -> Line | None:
    block = store.block_of(number)
    return next(_lines(block, number, number + 1)) if block else None


def _lines(block: Block, bottom: int, top: int) -> Iterator[Line]:
    """The entries of a block from `bottom` up to below `top`, the newest first."""
    payloads = block.payloads()
    for number in range(top - 1, bottom - 1, -1):
        yield Line(number, block.entry(number), block, payloads.get(number, b""))


def _last_of(block: Block, account: int, below: int) -> int:
    """The last entry of a block that moves money of an account, below an entry; 0 for none.

    The number is looked for as bytes, which is a hundred times faster than reading every entry.
    """
    packed = account.to_bytes(8, "big")
    end = min(len(block.body), (below - block.first_entry) * ENTRY.size)
    while (at := block.body.rfind(packed, 0, end)) >= 0:
        # Debit and credit follow the kind, one byte; elsewhere the same bytes mean something else.
        if at % ENTRY.size in (1, 9):
            return block.first_entry + at // ENTRY.size
        end = at + len(packed) - 1
    return 0


def backwards_from(store: Store, below: int) -> Iterator[Block]:
    """The blocks that hold entries below one, the newest first."""
    block = store.block_of(min(below - 1, store.head.sequence)) if below > 1 else None
    return _backwards(store, block.height + 1) if block else iter(())


def _backwards(store: Store, top: int) -> Iterator[Block]:
    """The blocks below a height, the newest first."""
    # The first ones alone: whoever wants a page of them should not pay for a whole chunk.
    size = 8
    while top > 1:
        bottom = max(0, top - 1 - size)
        chunk = list(islice(store.blocks(bottom), top - 1 - bottom))
        yield from reversed(chunk)
        top = bottom + 1
        size = min(size * 4, _CHUNK_BLOCKS)


def _first_after(store: Store, time_us: int) -> int:
    """The first entry of the first block that is younger than a moment."""

    def time_of(entry: int) -> int:
        block = store.block_of(entry)
        assert block is not None
        return block.time_us

    return bisect_right(range(1, store.head.sequence + 1), time_us, key=time_of) + 1
