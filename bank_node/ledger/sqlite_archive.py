"""A SQLite ledger as an archive: the functions of `sqlite_files` under the common contract."""

from collections.abc import Iterator
from pathlib import Path

from bank_node.ledger import sqlite_files
from bank_node.ledger.archive import CheckNote, Progress, any_note
from bank_node.ledger.audit import Report
from bank_node.ledger.book import Account
from bank_node.ledger.journal import Block


class SqliteArchive:
    """The ledger in a file."""

    def __init__(self, path: Path, check_note: CheckNote = any_note) -> None:
        self.path = path
        self._check_note = check_note

    def __str__(self) -> str:
        return str(self.path)

    def count_entries(self) -> int:
        return sqlite_files.count_entries(self.path)

    def verify(self, progress: Progress) -> Report:
        return sqlite_files.verify_file(self.path, progress, self._check_note)

    def accounts(self) -> list[Account]:
        return sqlite_files.read_accounts(self.path)

    def journal(self, after_height: int = 0) -> Iterator[Block]:
        return sqlite_files.read_journal(self.path, after_height)
