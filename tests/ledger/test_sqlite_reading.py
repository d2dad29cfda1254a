"""A ledger where nothing may be written beside it: read with its log, or not at all."""

import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from ledger_model import book
from support.permissions import as_anybody

from bank_node.errors import CorruptLedger, StartupError
from bank_node.ledger import sqlite_reading
from bank_node.ledger.operations import Deposit, OpenAccount
from bank_node.ledger.sqlite_archive import SqliteArchive
from bank_node.ledger.sqlite_files import backup, verify_file
from bank_node.ledger.sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path):
    """An open ledger of two blocks, of which its log holds at least the second."""
    with closing(SqliteStore(tmp_path / "served" / "bank.db")) as store:
        (number,) = book(store, OpenAccount(1))
        book(store, Deposit(number, 7))
        yield store


@contextmanager
def sealed(folder):
    """Nothing can be written into a folder, and nothing has been afterwards."""
    before = sorted(folder.iterdir())
    folder.chmod(0o555)
    try:
        with as_anybody():
            with pytest.raises(PermissionError):
                (folder / "new").touch()
            yield
    finally:
        folder.chmod(0o755)
    assert sorted(folder.iterdir()) == before


@pytest.fixture
def closed(store):
    """The ledger after an orderly stop: one file without a log."""
    store.close()
    assert not store.path.with_name("bank.db-wal").exists()
    return store.path


@pytest.fixture
def copied(store, tmp_path):
    """The ledger and its log as they stand, without the index that SQLite made of it."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for name in ("bank.db", "bank.db-wal"):
        shutil.copy(store.path.with_name(name), folder)
    return folder / "bank.db"


def test_a_ledger_without_a_log_is_verified_read_and_backed_up_in_place(closed, tmp_path):
    with sealed(closed.parent):
        assert (verify_file(closed).blocks, verify_file(closed).total) == (2, 7)
        archive = SqliteArchive(closed)
        assert [account.balance for account in archive.accounts()] == [7]
        assert [block.height for block in archive.journal(1)] == [2]
        assert archive.count_entries() == 2
        backup(closed, tmp_path / "copy.db")
    assert verify_file(tmp_path / "copy.db").total == 7


def test_an_empty_log_is_none(closed):
    closed.with_name("bank.db-wal").touch()
    with sealed(closed.parent):
        assert verify_file(closed).total == 7


def test_what_only_the_log_has_is_never_left_out(copied, tmp_path):
    with sealed(copied.parent):
        assert verify_file(copied).total == 7
        assert len(list(SqliteArchive(copied).journal())) == 2
        backup(copied, tmp_path / "copy.db")
    assert verify_file(tmp_path / "copy.db").total == 7
    with closing(sqlite3.connect(f"file:{copied}?immutable=1", uri=True)) as file_alone:
        tables = "SELECT count(*) FROM sqlite_master"
        missing = file_alone.execute(tables).fetchone() == (0,)
        assert missing or file_alone.execute("SELECT max(height) FROM blocks").fetchone() != (2,)


def test_a_ledger_that_is_served_is_read_with_its_log(store):
    with sealed(store.path.parent):
        assert verify_file(store.path).total == 7


def test_what_an_interrupted_change_left_in_the_file_is_undone(closed, tmp_path):
    """As another tool that writes into the file, with a log of the older kind, may leave it."""
    folder = tmp_path / "torn"
    folder.mkdir()
    with closing(sqlite3.connect(closed, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE accounts SET balance = balance + 1")
        rows = [(f"t{n}", n, bytes(500)) for n in range(2000)]
        connection.executemany("INSERT INTO transfers VALUES (?, ?, ?)", rows)
        for name in ("bank.db", "bank.db-journal"):
            shutil.copy(closed.with_name(name), folder)
        connection.execute("ROLLBACK")
    torn = folder / "bank.db"
    assert torn.stat().st_size > closed.stat().st_size
    with sealed(folder):
        assert verify_file(torn).total == 7


@pytest.mark.parametrize("problem", [None, CorruptLedger("what was read does not fit")])
def test_a_file_that_changes_while_it_is_read_as_one_that_does_not_is_told(closed, problem):
    with sealed(closed.parent), pytest.raises(StartupError, match="changed while it was read"):
        read_and(closed, grow, problem)
    if problem:
        with sealed(closed.parent), pytest.raises(CorruptLedger, match="does not fit"):
            read_and(closed, lambda _path: None, problem)


def read_and(path, do, problem):
    """Does something to a file while it is being read, and comes upon a problem in it."""
    with sqlite_reading.reading(path):
        do(path)
        if problem:
            raise problem


def grow(path):
    with path.open("ab") as file:
        file.write(bytes(4096))


def test_what_cannot_be_copied_is_refused_in_one_line(copied, monkeypatch):
    def full(*_paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sqlite_reading.shutil, "copyfile", full)
    with sealed(copied.parent), pytest.raises(StartupError) as refused:
        verify_file(copied)
    assert "No space left on device" in str(refused.value)
    assert "copy it with its -wal to a folder of yours" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_log_that_changes_while_it_is_copied_is_told(copied, monkeypatch):
    copy = shutil.copyfile

    def slow(source, target):
        copy(source, target)
        grow(copied.with_name("bank.db-wal"))

    monkeypatch.setattr(sqlite_reading.shutil, "copyfile", slow)
    with sealed(copied.parent), pytest.raises(StartupError, match="was changed while it was read"):
        verify_file(copied)


def test_a_ledger_that_may_not_be_read_is_refused(closed):
    closed.chmod(0)
    with sealed(closed.parent), pytest.raises(StartupError, match="cannot be read"):
        verify_file(closed)
