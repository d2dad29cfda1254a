"""The embedded store: one SQLite file that one process owns, with the state in memory.

A commit writes the block and nothing else, because a few hundred scattered account rows would
cost more than everything beside them. The rows follow behind: they are a snapshot that is
carried forward in small sorted portions, and each row tells the entry it is up to. Opening
reads the snapshot and replays the blocks after it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import msgspec

from bank_node.errors import CorruptLedger, OutcomeUnknown, Reason, StartupError, StoreError
from bank_node.ledger import book
from bank_node.ledger.book import CASH, Account, FreeNumbers, State
from bank_node.ledger.following import follow
from bank_node.ledger.journal import Block, Head, check, head_of
from bank_node.ledger.lagging_rows import Snapshot
from bank_node.ledger.notes import ReadNote
from bank_node.ledger.operations import Operation, Result, touched
from bank_node.ledger.ownership import own
from bank_node.ledger.records import Record
from bank_node.ledger.recovery import Recovery
from bank_node.ledger.sqlite_blocks import INSERT_BLOCK, find_block, last_head, read_blocks, tail
from bank_node.ledger.sqlite_schema import kind_of, open_for_reading, open_for_writing
from bank_node.ledger.sqlite_transfers import read_open, recall, write_rows, write_transfers
from bank_node.ledger.state_reads import StateReads, block_holding
from bank_node.ledger.transfer_operations import ReadTransfer

# Rows written along with one block: few enough that the block is not felt to be slower.
_PORTION_ROWS = 256
# Rows written at once when nobody waits.
_LARGE_PORTION_ROWS = 8192
# How long the log may get before it is moved into the file. A move of so much takes about 3 ms;
# one of four times as much is rarer and costs less in all, but clients feel it. What the log grows
# by is estimated, in whole pages, because SQLite does not tell.
_LOG_BYTES_MAX = 2**20
_PAGES_BYTES_OF_BLOCK = 2 * 4096
_PAGES_BYTES_OF_PORTION = 3 * 4096

_WRITE_ROWS = "INSERT OR REPLACE INTO accounts VALUES "
# One value for a column of all open accounts: a start would take twice as long with a row each.
_READ_COLUMNS = (
    "SELECT json_group_array(number), json_group_array(balance), json_group_array(last_entry) "
    "FROM accounts WHERE is_open AND number != ?"
)
# SQLite reports these before anything of the batch counts, so the batch may be refused plainly.
_CERTAINLY_UNDONE = {
    sqlite3.SQLITE_FULL: Reason.STORE_FULL,
    sqlite3.SQLITE_BUSY: Reason.STORE_FAILED,
    sqlite3.SQLITE_LOCKED: Reason.STORE_FAILED,
    sqlite3.SQLITE_NOMEM: Reason.STORE_FAILED,
}


# A tuple: a union would be made anew for every read.
_FOUND_ON_DISK = (ReadTransfer, ReadNote)
_MISSING = {ReadTransfer: Reason.NO_SUCH_TRANSFER, ReadNote: Reason.NO_SUCH_PAYMENT}


class SqliteStore(StateReads):
    """See the module. Opening takes ownership of the file and reads it into memory."""

    reads_are_instant = True

    def __init__(self, path: Path) -> None:
        """Raises StartupError (in use, unreadable) or CorruptLedger (contradicts itself)."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartupError(f"{path.parent} cannot be created: {error.strerror}") from None
        self.path = path
        self._lock = own(path)
        self._is_sound = True
        self._log_bytes = 0
        try:
            self._connection = open_for_writing(path)
            self._load_or_close()
        except BaseException:
            self._lock.release()
            raise

    def _load_or_close(self) -> None:
        try:
            self._state, self._head, sequence, changed = load(self._connection)
            self._snapshot = Snapshot(sequence)
            self._snapshot.note(changed, self._head.sequence)
            self._carry_on()
        except sqlite3.Error as error:
            self._connection.close()
            raise StartupError(f"the ledger {self.path} cannot be read: {error}") from None
        except BaseException:
            self._connection.close()
            raise

    @property
    def head(self) -> Head:
        return self._head

    @property
    def is_sound(self) -> bool:
        return self._is_sound

    def fork(self, operations: Sequence[Operation]) -> State:
        return self._state.fork(touched(operations), self._recall)

    def _recall(self, wanted: Mapping[str, int]) -> Iterable[Record]:
        return recall(self._connection, wanted, self._head.height)

    def commit(self, state: State, block: Block) -> None:
        self._must_be_sound()
        if self._log_bytes > _LOG_BYTES_MAX:
            self._move_log()
        changed = state.changed_beside_accounts(self._head.sequence)
        portion = self._snapshot.next_portion(len(changed))
        execute = self._connection.execute
        try:
            if portion:
                execute("BEGIN IMMEDIATE")
                self._write_rows(portion, state)
                execute(INSERT_BLOCK, block)
                execute("COMMIT")
            else:
                # A statement on its own is a transaction of its own, at a third of the calls.
                execute(INSERT_BLOCK, block)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        self._state.absorb(state)
        self._head = head_of(block)
        self._log_bytes += len(block.body) + len(block.attached) + _PAGES_BYTES_OF_BLOCK
        if portion:
            self._done_with(portion)
            self._log_bytes += _PAGES_BYTES_OF_PORTION
        self._snapshot.note(changed, self._head.sequence)
        self._carry_on()

    def _carry_on(self) -> None:
        if self._snapshot.is_due(self._head):
            self._snapshot.start_round(self._head, self._state.accounts, _PORTION_ROWS)

    def _done_with(self, portion: list[int | str]) -> None:
        self._snapshot.done()
        # Where a finished transfer is found can be read from its row from now on.
        for name in portion:
            if isinstance(name, str):
                self._state.finished.pop(name, None)

    def _move_log(self) -> None:
        """Moves what the log holds into the file, as far as no reader stands in the way.

        Raises StoreError if the disk fails: the log would be overwritten next, and nobody knows
        whether the file holds what was in it.
        """
        self._log_bytes = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            if kind_of(error) in _CERTAINLY_UNDONE:
                # The log still holds everything, and is moved another time.
                return
            self._is_sound = False
            raise StoreError(
                f"moving the log into the ledger failed: {error}",
                reason=Reason.STORE_FAILED,
                final=True,
            ) from error

    def take(self, blocks: Sequence[Block]) -> None:
        self._must_be_sound()
        if self._log_bytes > _LOG_BYTES_MAX:
            self._move_log()
        head, changed = self._head, set[int | str]()
        try:
            for block in blocks:
                check(block, head)
                changed |= follow(self._state, block)
                head = head_of(block)
        except Exception:
            # Those before it are in the state and will not be in the file.
            self._is_sound = head == self._head
            raise
        # The state is ahead of the file already, and a round has to know which accounts are gone.
        self._snapshot.note(changed, head.sequence)
        portion = self._snapshot.next_portion(sum(isinstance(name, str) for name in changed))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if portion:
                self._write_rows(portion, self._state)
            self._connection.executemany(INSERT_BLOCK, blocks)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # The state in memory is ahead of the file, whatever has become of it.
            failure = self._failure(error)
            self._is_sound = False
            raise failure from error
        self._head = head
        for block in blocks:
            self._log_bytes += len(block.body) + len(block.attached) + _PAGES_BYTES_OF_BLOCK
        if portion:
            self._done_with(portion)
            self._log_bytes += _PAGES_BYTES_OF_PORTION
        self._carry_on()

    def _must_be_sound(self) -> None:
        """What is decided on a state that the file does not hold would not fit its journal."""
        if not self._is_sound:
            raise StoreError(
                "the ledger has to be read again before it is written to",
                reason=Reason.STORE_FAILED,
                final=True,
            )

    def confirm(self) -> None:
        """The owner of the file knows the latest state."""

    def discard(self) -> None:
        if self._connection.in_transaction:
            # A defect in the middle of a commit must not stand in the way of the next one.
            self._connection.execute("ROLLBACK")
        # What the batch drew or gave back is not in the ledger; the open accounts tell the truth.
        self._state.free = FreeNumbers(self._state.accounts)

    def read(self, operation: Operation) -> Result:
        if not isinstance(operation, _FOUND_ON_DISK):
            return book.decide(self._state, operation)
        known = self._state.record(operation.key)
        if known:
            return known
        with closing(open_for_reading(self.path)) as connection:
            wanted = {operation.key: self._state.finished.get(operation.key, 0)}
            found = recall(connection, wanted, self._head.height)
            return next(iter(found), _MISSING[type(operation)])

    def blocks(self, after_height: int = 0) -> Iterator[Block]:
        connection = open_for_reading(self.path)
        try:
            yield from read_blocks(connection, after_height)
        finally:
            connection.close()

    def block_of(self, entry: int) -> Block | None:
        with closing(open_for_reading(self.path)) as connection:
            return block_holding(entry, find_block(connection, entry, self._head.height))

    def close(self) -> None:
        """Brings the snapshot up to the head, so that the next start has nothing to replay."""
        try:
            if self._is_sound:
                self._finish_snapshot()
        except sqlite3.Error:
            # The blocks are durable; a snapshot that lags costs the next start some replaying.
            pass
        finally:
            self._close_files()

    def _close_files(self) -> None:
        with ExitStack() as files:
            files.callback(self._lock.release)
            if not self._is_sound:
                # The last connection to a file moves the log into it and deletes the log. After
                # a failed fsync nothing more may be written, so the last one only reads.
                with suppress(StartupError):
                    files.callback(open_for_reading(self.path).close)
            self._connection.close()

    def _finish_snapshot(self) -> None:
        if self._snapshot.sequence == self._head.sequence:
            return
        self._snapshot.start_round(self._head, self._state.accounts, _LARGE_PORTION_ROWS)
        while self._snapshot.is_under_way:
            if portion := self._snapshot.next_portion():
                self._connection.execute("BEGIN IMMEDIATE")
                self._write_rows(portion, self._state)
                self._connection.execute("COMMIT")
                self._done_with(portion)

    def _write_rows(self, portion: list[int | str], batch: State) -> None:
        rows = [self._row(name, batch) for name in portion if isinstance(name, int)]
        write_rows(self._connection, _WRITE_ROWS, rows)
        keys = [name for name in portion if isinstance(name, str)]
        if keys:
            # What the batch does not know of a transfer stands in the state before it.
            older = self._state.transfer_rows(key for key in keys if not batch.record(key))
            write_transfers(self._connection, older + batch.transfer_rows(keys))
        goal = self._snapshot.goal_reached_by(portion)
        if goal is not None:
            self._connection.execute(
                "UPDATE snapshot SET sequence = ?, height = ?, hash = ?",
                (goal.sequence, goal.height, goal.hash),
            )

    def _row(self, number: int, batch: State) -> tuple[int, int, int, int]:
        if number == CASH:
            return (CASH, batch.cash, batch.sequence, 1)
        account = (batch.accounts if number in batch.accounts else self._state.accounts).get(number)
        if account is None:
            # A closed account leaves a row that says up to which entry it is closed.
            return (number, 0, batch.sequence, 0)
        return (number, account.balance, account.last_entry, 1)

    def _failure(self, error: sqlite3.Error) -> StoreError:
        """What an error of SQLite means for the batch, after everything of it was undone."""
        # An error of the module itself, such as a closed connection, has no code.
        reason = _CERTAINLY_UNDONE.get(kind_of(error))
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            reason = None
        if reason is not None:
            return StoreError(f"the ledger cannot be written: {error}", reason=reason, final=False)
        # After a failed write or fsync the log may or may not hold the batch.
        self._is_sound = False
        return OutcomeUnknown(f"writing the ledger failed: {error}")


def load(connection: sqlite3.Connection) -> tuple[State, Head, int, dict[int | str, int]]:
    """State and head of a stored ledger: its snapshot plus the blocks after it.

    Also returns the snapshot's sequence, and what changed after it, each with its last entry.

    Raises CorruptLedger when they do not fit together. The hashes are not recomputed here, that
    is what `bank verify` is for.
    """
    connection.execute("BEGIN")
    try:
        return _load(connection)
    finally:
        connection.execute("COMMIT")


def _load(connection: sqlite3.Connection) -> tuple[State, Head, int, dict[int | str, int]]:
    anchored, height, _ = connection.execute(
        "SELECT sequence, height, hash FROM snapshot"
    ).fetchone()
    texts = connection.execute(_READ_COLUMNS, (CASH,)).fetchone()
    columns = [msgspec.json.decode(text, type=list[int]) for text in texts]
    accounts = dict(zip(columns[0], map(Account, *columns), strict=True))
    up_to = dict(
        connection.execute(
            "SELECT number, last_entry FROM accounts WHERE last_entry > ?", (anchored,)
        )
    )
    head = last_head(connection)
    if head.height < height or head.sequence < max(up_to.values(), default=0):
        raise CorruptLedger("the end of the journal is missing", height=head.height + 1)
    recovery = Recovery(accounts, read_open(connection), anchored, up_to)
    for block in tail(connection, anchored):
        recovery.replay(block)
    # After a crash the rows of everything behind the snapshot are still to be written.
    return recovery.state(head.sequence), head, anchored, recovery.changed()
