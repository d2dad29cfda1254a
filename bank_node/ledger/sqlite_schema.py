"""The SQLite file: its tables, its version and how it is opened. Only this room knows sqlite3."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from bank_node.errors import StartupError

# "BANK" in ASCII: lets `file` and this program recognise a ledger among other SQLite files.
APPLICATION_ID = 0x42414E4B

# The owner of the file waits only for strangers that look at it with other tools.
_BUSY_S = 1.0

# SQLite then leaves out the log of the file and asks nobody whether it changes.
_ALONE = "mode=ro&immutable=1"
# What SQLite reports when it may not make what it needs beside the file.
_BESIDE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)

# Migration n leads from schema version n to n + 1. A released one never changes.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE blocks (
        height INTEGER PRIMARY KEY,
        previous_hash BLOB NOT NULL,
        root BLOB NOT NULL,
        time_us INTEGER NOT NULL,
        first_entry INTEGER NOT NULL,
        body BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE accounts (
        number INTEGER PRIMARY KEY,
        balance INTEGER NOT NULL,
        last_entry INTEGER NOT NULL,
        is_open INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE snapshot (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        sequence INTEGER NOT NULL,
        height INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    INSERT INTO snapshot VALUES (1, 0, 0, zeroblob(32));
    """,
    # Finished transfers have an empty record: the entry says where to find it.
    """
    ALTER TABLE blocks ADD COLUMN attached BLOB NOT NULL DEFAULT x'';
    CREATE TABLE transfers (
        key TEXT PRIMARY KEY,
        entry INTEGER NOT NULL,
        record BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX open_transfers ON transfers (key) WHERE record != x'';
    """,
)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Opens or creates a ledger and brings its schema up to date. Raises StartupError."""
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
        )
    except sqlite3.Error as error:
        raise StartupError(f"the ledger {path} cannot be opened: {error}") from None
    with _closed_unless_opened(connection, f"the ledger {path} cannot be opened"):
        _migrate(connection, path)
        # FULL: a commit returns after its fsync, which is what an acknowledgement promises.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # The store moves the log into the file itself: SQLite on its own would keep quiet about
        # an fsync that fails there, and try it again.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


class NothingBeside(StartupError):
    """SQLite wants to write a file beside a ledger that it shall only read, and may not."""


def open_for_reading(path: Path, *, is_all: bool = False) -> sqlite3.Connection:
    """Opens an existing ledger without the right to change it.

    The log beside the file is read along, so a ledger that is being served can be read too. With
    `is_all` there is no log and nobody serves it: no file beside it is looked at or made.
    Raises StartupError, or NothingBeside where it cannot be read for want of a file beside it.
    """
    if not path.is_file():
        raise StartupError(f"there is no ledger at {path}")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path.resolve()))}?{_ALONE if is_all else 'mode=ro'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise StartupError(f"the ledger {path} cannot be read: {error}") from None
    with _closed_unless_opened(connection, f"the ledger {path} cannot be read"):
        version = _version(connection, path)
        if version != len(MIGRATIONS):
            raise StartupError(
                f"the ledger {path} is of schema version {version}, start it once first"
            )
    return connection


def kind_of(error: sqlite3.Error) -> int:
    """The code of SQLite for an error, without its details; 0 for one of the module itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


@contextmanager
def _closed_unless_opened(connection: sqlite3.Connection, complaint: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        connection.close()
        kind = NothingBeside if kind_of(error) in _BESIDE else StartupError
        raise kind(f"{complaint}: {error}") from None
    except BaseException:
        connection.close()
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and identity != APPLICATION_ID:
        raise StartupError(f"{path} is not a ledger of this program")
    if version > len(MIGRATIONS):
        raise StartupError(
            f"the ledger {path} is of schema version {version}, "
            f"this program knows {len(MIGRATIONS)}; use a newer one"
        )
    return version


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    for target, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {target}; COMMIT;"
        )
