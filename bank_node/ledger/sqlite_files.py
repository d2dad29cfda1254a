"""What can be done with a SQLite ledger from outside its node: verify, back up, restore, read.

Everything but `restore` works on a ledger that is being served: SQLite gives each reader the
file as of one commit.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import sleep

from bank_node.errors import CorruptLedger, StartupError
from bank_node.ledger.archive import CheckNote, any_note
from bank_node.ledger.audit import Anchor, Report, Row, TransferRow, readable, verify
from bank_node.ledger.book import Account
from bank_node.ledger.journal import Block
from bank_node.ledger.ownership import own
from bank_node.ledger.sqlite_blocks import read_blocks
from bank_node.ledger.sqlite_reading import reading
from bank_node.ledger.sqlite_store import load
from bank_node.ledger.state_reads import open_accounts
from bank_node.ledger.write_back import write_back
from bank_node.security.files import sync_folder


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees the ledger as of one moment."""
    with reading(path) as connection:
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise CorruptLedger(f"the ledger {path} cannot be read: {error}") from None


def count_entries(path: Path) -> int:
    """How many entries a ledger claims to have, for a progress bar."""
    with _reading(path) as connection:
        last = "SELECT first_entry, length(body) FROM blocks ORDER BY height DESC LIMIT 1"
        row = connection.execute(last).fetchone()
        return row[0] if row else 0


def verify_file(
    path: Path,
    progress: Callable[[int], object] = lambda _entries: None,
    check_note: CheckNote = any_note,
) -> Report:
    """Replays a stored ledger. Raises CorruptLedger, or StartupError if there is none."""
    with _reading(path) as connection:
        rows = connection.execute("SELECT number, balance, last_entry, is_open FROM accounts")
        anchor = connection.execute("SELECT sequence, height, hash FROM snapshot").fetchone()
        blocks = readable(read_blocks(connection), sqlite3.Error)
        transfers = connection.execute("SELECT key, entry, record FROM transfers").fetchall()
        return verify(
            blocks,
            map(Row._make, rows.fetchall()),
            map(TransferRow._make, transfers),
            Anchor._make(anchor),
            progress,
            check_note,
        )


def read_accounts(path: Path) -> list[Account]:
    """The open accounts of a stored ledger by number, as of its last block."""
    with _reading(path) as connection:
        connection.execute("COMMIT")
        return open_accounts(load(connection)[0])


def read_journal(path: Path, after_height: int = 0) -> Iterator[Block]:
    """The blocks of a stored ledger above a height in order, as of one moment."""
    with _reading(path) as connection:
        yield from readable(read_blocks(connection, after_height), sqlite3.Error)


def backup(source: Path, target: Path, pause: Callable[[float], object] = sleep) -> int:
    """Copies a ledger as of one commit; returns the copy's size in bytes.

    `pause` waits for some seconds, in which a node on the same disk goes first.
    The copy appears under its name only when it is whole and on disk. Raises StartupError when
    the target exists or cannot be written.
    """
    if target.exists():
        raise StartupError(f"{target} exists, name a new file")
    part = target.with_name(target.name + ".part")
    try:
        _copy(source, part)
        with part.open("rb+") as file:
            write_back(file.fileno(), pause)
        os.replace(part, target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StartupError(f"the backup {target} cannot be written: {error}") from None
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, target: Path, *, replace: bool) -> Report:
    """Puts a verified backup in the place of a ledger that no node is serving.

    Raises CorruptLedger for a backup that does not verify, and StartupError when the target is
    in use, or exists and `replace` is not set.
    """
    report = verify_file(source)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = own(target)
    part = target.with_name(target.name + ".part")
    try:
        if target.exists() and not replace:
            raise StartupError(f"there is a ledger at {target}, say --replace to overwrite it")
        _copy(source, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        # The log of the old file must go first: it must never be applied to the new one. What is in
        # it goes into the old file, which stays the ledger if the rest does not succeed.
        _empty_log(target)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        os.replace(part, target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StartupError(f"{target} cannot be restored: {error}") from None
    finally:
        part.unlink(missing_ok=True)
        lock.release()
    return report


def _empty_log(path: Path) -> None:
    """Moves what the log of a ledger holds into its file, if there is one that can be read.

    Raises sqlite3.Error when the disk is full; a file that is broken is no loss.
    """
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as old:
            old.execute("PRAGMA synchronous = FULL")
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise


def _copy(source: Path, target: Path) -> None:
    """Whoever asks for it syncs the copy."""
    target.unlink(missing_ok=True)
    with reading(source) as origin, closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        # All pages in one step: the copy is of one commit, and the node's commits go on.
        origin.backup(copy, pages=-1)
        # A copy in WAL mode would want two more files beside it; the node turns it on again.
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
