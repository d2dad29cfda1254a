"""A SQLite file that a ledger is copied into."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bank_node.errors import StartupError
from bank_node.ledger.archive import Archive
from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.journal import Block, Head
from bank_node.ledger.ownership import own
from bank_node.ledger.sqlite_archive import SqliteArchive
from bank_node.ledger.sqlite_blocks import INSERT_BLOCK, last_head
from bank_node.ledger.sqlite_files import count_entries
from bank_node.ledger.sqlite_schema import open_for_writing
from bank_node.ledger.sqlite_transfers import write_transfers
from bank_node.security.files import sync_folder


class SqliteTarget:
    """See the module. The file gets its name when everything is in it."""

    def __init__(self, path: Path) -> None:
        """Raises StartupError if another process serves the file."""
        self._path = path
        self._part = path.with_name(path.name + ".migrating")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartupError(f"{path.parent} cannot be created: {error.strerror}") from None
        self._lock = own(path)
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        try:
            if self._connection is None:
                self._connection = open_for_writing(self._part)
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._close_file()
            raise StartupError(
                f"{self._part} cannot be written, run the same migration again: {error}"
            ) from None

    def begin(self) -> Head:
        if self._path.exists() and count_entries(self._path):
            raise StartupError(f"there is a ledger at {self._path}, name a new file")
        with self._writing() as connection:
            return last_head(connection)

    def add(self, blocks: Sequence[Block]) -> None:
        with self._writing() as connection:
            connection.executemany(INSERT_BLOCK, blocks)

    def finish(self, rows: Sequence[Row], transfers: Sequence[TransferRow], anchor: Anchor) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM accounts")
            connection.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?)", rows)
            connection.execute("DELETE FROM transfers")
            write_transfers(connection, transfers)
            connection.execute("UPDATE snapshot SET sequence = ?, height = ?, hash = ?", anchor)

    def copied(self) -> Archive:
        return SqliteArchive(self._part)

    def publish(self) -> None:
        # Closing the last connection moves the log into the file, which is one then.
        self._close_file()
        try:
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            os.replace(self._part, self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise StartupError(f"{self._path} cannot be written: {error.strerror}") from None

    def _close_file(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self._close_file()
        self._lock.release()
