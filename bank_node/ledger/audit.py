"""Verification: replays a stored ledger from its first block and compares everything.

Pure over what a store hands in. It trusts nothing that can be computed again, and names the
first block that does not fit.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

from bank_node.errors import CorruptLedger
from bank_node.ledger import book, moves, noting
from bank_node.ledger.book import CASH, Account, Entry, FreeNumbers, Kind, State
from bank_node.ledger.entries import is_client
from bank_node.ledger.journal import EMPTY_HEAD, Block, check, head_of
from bank_node.ledger.notes import Note
from bank_node.ledger.records import Record, encode
from bank_node.ledger.transfers import Transfer
from bank_node.values import AMOUNT_MAX


class Row(NamedTuple):
    """A stored account row: the account as of entry `last_entry`."""

    number: int
    balance: int
    last_entry: int
    is_open: int

    @classmethod
    def of(cls, account: Account) -> "Row":
        """The row of an open account."""
        return cls(account.number, account.balance, account.last_entry, 1)


class TransferRow(NamedTuple):
    """A stored transfer row: as of entry `entry`, and empty `record` if it is finished."""

    key: str
    entry: int
    record: bytes


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
    transfers: int = 0
    """How many transfers there were, those that are not finished among them."""
    open_transfers: int = 0
    held: int = 0
    """What of the total is set aside for transfers."""
    notes: int = 0
    """How many things are noted down of clients and payments."""


class _Transfers:
    """The stored rows of transfers, and which transfers the replay has come across."""

    def __init__(
        self,
        rows: Iterable[TransferRow],
        anchor: Anchor,
        check_note: Callable[[Note], object],
    ) -> None:
        self.check_note = check_note
        self._left = {row.entry: row for row in rows}
        self._keys = {row.key for row in self._left.values()}
        self._anchor = anchor
        self.seen: set[str] = set()
        self.notes: set[str] = set()

    def compare(self, record: Record) -> None:
        """Compares the row, if there is one, that stands for a record as of this entry."""
        (self.notes if isinstance(record, Note) else self.seen).add(record.key)
        row = self._left.pop(record.entry, None)
        if row and row != (record.key, record.entry, _stored(record)):
            raise CorruptLedger(f"the stored row of {row.key} does not fit")
        if record.entry <= self._anchor.sequence and record.key not in self._keys:
            raise CorruptLedger(f"{record.key} is missing from the stored transfers and notes")

    def compare_rest(self) -> None:
        """Complains of rows that stand for no entry of the journal."""
        for row in self._left.values():
            raise CorruptLedger(f"{row.key} is stored as of entry {row.entry}, "
                                "which is not one of its own")  # fmt: skip


def _stored(record: Record) -> bytes:
    return encode(record) if record.is_open else b""


class _Rows:
    """The stored rows in the order in which the replay comes to the entries they stand for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._left = sorted(rows, key=lambda row: row.last_entry, reverse=True)
        self.numbers = {row.number for row in self._left}
        self._next = self._left[-1].last_entry if self._left else None

    def compare(self, sequence: int, state: State) -> None:
        """Compares the rows that stand for the ledger as of this entry."""
        while self._next is not None and self._next <= sequence:
            row = self._left.pop()
            if not _agrees(row, state):
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
    transfers: Iterable[TransferRow],
    anchor: Anchor,
    progress: Callable[[int], object] = lambda _entries: None,
    check_note: Callable[[Note], object] = lambda _note: None,
) -> Report:
    """Replays everything. Raises CorruptLedger with the height of the first block that is wrong.

    `progress` hears how many entries a block had once the block is verified; `check_note` raises
    CorruptLedger for a note that says what nobody writes.
    """
    stored, stored_transfers = _Rows(rows), _Transfers(transfers, anchor, check_note)
    state = State({}, FreeNumbers(()))
    head = EMPTY_HEAD
    for block in blocks:
        check(block, head)
        _replay(block, state, stored, stored_transfers)
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
    accounts = [account for account in state.accounts.values() if account]
    _compare_missing(accounts, stored, anchor)
    stored_transfers.compare_rest()
    if state.cash + state.held + sum(account.balance for account in accounts):
        raise CorruptLedger("the accounts do not add up to 0")
    return Report(
        head.height,
        head.sequence,
        sum(is_client(account.number) for account in accounts),
        state.total,
        head.hash.hex(),
        len(stored_transfers.seen),
        len(state.transfers),
        state.held,
        len(stored_transfers.notes),
    )


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


def _replay(block: Block, state: State, stored: _Rows, transfers: _Transfers) -> None:
    accounts = cast(dict[int, Account], state.accounts)
    try:
        payloads, records = block.payloads(), []
        for sequence, entry in block.entries():
            if entry.kind <= Kind.WITHDRAWN:
                book.apply(accounts, entry, sequence)
                if entry.debit == CASH:
                    state.cash -= entry.amount
                elif entry.credit == CASH:
                    state.cash += entry.amount
            elif entry.kind == Kind.NOTED:
                _replay_note(state, entry, payloads.pop(sequence, b""), sequence, transfers)
            else:
                payload = payloads.pop(sequence, b"")
                records.append(_replay_transfer(state, entry, payload, sequence, transfers))
            stored.compare(sequence, state)
        moves.check_evidence(records)
    except CorruptLedger as error:
        raise CorruptLedger(f"block {block.height}: {error}", height=block.height) from None
    problem = f"its total is {state.total}" if not 0 <= state.total <= AMOUNT_MAX else ""
    if payloads:
        problem = f"entry {min(payloads)} carries a transfer that it is not about"
    if problem:
        raise CorruptLedger(f"block {block.height}: {problem}", height=block.height)


def _replay_transfer(
    state: State, entry: Entry, payload: bytes, sequence: int, transfers: _Transfers
) -> Transfer:
    after = moves.replay(state, entry, payload, sequence)
    if after.key in transfers.seen and after.key in state.finished:
        raise CorruptLedger(f"entry {sequence} goes on with transfer {after.key}, which had ended")
    state.keep(after)
    transfers.compare(after)
    return after


def _replay_note(
    state: State, entry: Entry, payload: bytes, sequence: int, transfers: _Transfers
) -> None:
    note = noting.replay(state, entry, payload, sequence)
    known = state.notes.get(note.key)
    before = known.entry if known else state.finished.get(note.key, 0)
    if note.previous != before:
        raise CorruptLedger(f"entry {sequence} does not follow the note before it: {note.key}")
    transfers.check_note(note)
    state.keep(note)
    transfers.compare(note)


def _agrees(row: Row, state: State) -> bool:
    if row.number == CASH:
        return row.balance == state.cash
    if not row.is_open:
        return row.number not in state.accounts
    return state.accounts.get(row.number) == Account(row.number, row.balance, row.last_entry)


def _compare_missing(accounts: Iterable[Account], stored: _Rows, anchor: Anchor) -> None:
    for account in accounts:
        if account.last_entry <= anchor.sequence and account.number not in stored.numbers:
            raise CorruptLedger(f"account {account.number} is missing from the stored accounts")
