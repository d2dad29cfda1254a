"""The file: snapshots that lag, crashes at any moment, and files that are no ledger."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from child_python import run
from ledger_model import assert_state_is_that_of_the_journal, book, opened

from bank_node.errors import CorruptLedger, OutcomeUnknown, Reason, StartupError, StoreError
from bank_node.ledger import lagging_rows, sqlite_store
from bank_node.ledger.entries import Account
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.sqlite_schema import MIGRATIONS
from bank_node.ledger.sqlite_store import SqliteStore

FILES = ("bank.db", "bank.db-wal")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.db"


@pytest.fixture
def store(path):
    store = SqliteStore(path)
    yield store
    store.close()


@pytest.fixture
def small_rounds(monkeypatch):
    """A snapshot round starts every 20 entries and takes several blocks."""
    monkeypatch.setattr(lagging_rows, "SNAPSHOT_ENTRIES", 20)
    monkeypatch.setattr(sqlite_store, "_PORTION_ROWS", 2)
    monkeypatch.setattr(lagging_rows, "_LOOK_NUMBERS", 30_000)


def random_batch(draws, store):
    """Operations that are mostly possible and often close an account and open it again."""
    accounts = store.accounts() or [Account(10_000, 0, 0)]
    batch = []
    for _ in range(draws.randint(1, 5)):
        account = draws.choice(accounts)
        number, balance = account.number, account.balance
        # The free numbers are drawn from their end, where the latest given back stands.
        batch += draws.choice(
            [
                [OpenAccount(draws.getrandbits(64))],
                [Deposit(number, draws.choice([0, 1, 10**12]))],
                [Withdraw(number, draws.randint(0, balance))],
                [Withdraw(number, balance), CloseAccount(number)],
                [Withdraw(number, balance), CloseAccount(number), OpenAccount(-1)],
                [OpenAccount(-1)],
            ]
        )
    return batch


def copied(path, folder):
    """The files as a crash between two commits leaves them."""
    folder.mkdir()
    for name in FILES:
        if (path.parent / name).exists():
            shutil.copy(path.parent / name, folder / name)
    return folder / "bank.db"


def assert_opens_as(path, head):
    store = SqliteStore(path)
    try:
        assert store.head == head
        assert_state_is_that_of_the_journal(store)
        # And it can go on: closing and opening once more changes nothing.
        book(store, OpenAccount(-1))
        expected = (store.head, store.accounts())
    finally:
        store.close()
    store = SqliteStore(path)
    try:
        assert (store.head, store.accounts()) == expected
        assert_state_is_that_of_the_journal(store)
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_at_any_moment_of_a_snapshot_round_leaves_the_state_of_the_journal(
    seed, store, path, tmp_path, small_rounds, monkeypatch
):
    draws, rounds = random.Random(seed), set()
    monkeypatch.setattr(sqlite_store, "_LOG_BYTES_MAX", 100_000)
    opened(store, *range(10))
    for step in range(60):
        book(store, *random_batch(draws, store))
        rounds.add(store._snapshot.sequence)
        if step % 3 == 0:
            assert_opens_as(copied(path, tmp_path / f"crash{step}"), store.head)
    assert len(rounds) > 4, "several rounds came to their end"
    assert_state_is_that_of_the_journal(store)


def test_a_log_torn_while_a_block_was_written_is_the_block_or_nothing(
    store, path, tmp_path, small_rounds
):
    draws = random.Random(5)
    opened(store, *range(12))
    for step in range(8):
        before, head = copied(path, tmp_path / f"before{step}"), store.head
        book(store, OpenAccount(1), *random_batch(draws, store))
        log = (path.parent / FILES[1]).read_bytes()
        old = (before.parent / FILES[1]).read_bytes()
        assert log.startswith(old)
        assert len(log) > len(old)
        torn = old + log[len(old) : draws.randrange(len(old), len(log))]
        (before.parent / FILES[1]).write_bytes(torn)
        assert_opens_as(before, head)


def test_an_account_closed_and_opened_again_within_a_round_is_told_apart(store, path, small_rounds):
    numbers = opened(store, *[0] * 12)
    for _ in range(30):
        victim = numbers[0]
        book(store, CloseAccount(victim))
        (again,) = book(store, OpenAccount(-1))
        assert again == victim
        book(store, Deposit(again, 3), Withdraw(again, 3))
    head, accounts = store.head, store.accounts()
    store.close()
    again = SqliteStore(path)
    assert (again.head, again.accounts()) == (head, accounts)
    assert_state_is_that_of_the_journal(again)
    again.close()


def test_after_an_orderly_end_nothing_is_left_to_replay(store, path, monkeypatch):
    opened(store, *range(20))
    head = store.head
    store.close()
    monkeypatch.setattr(sqlite_store.book, "apply", None)
    again = SqliteStore(path)
    assert again.head == head
    assert again._snapshot.sequence == head.sequence
    again.close()
    assert not Path(f"{path}-wal").exists()


def test_a_journal_whose_end_is_missing_is_refused(store, path):
    opened(store, 1, 2, 3)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM blocks WHERE height = 2")
    connection.commit()
    connection.close()
    with pytest.raises(CorruptLedger) as caught:
        SqliteStore(path)
    assert caught.value.height == 2


def test_a_second_owner_is_refused_and_the_first_is_not_disturbed(store, path):
    with pytest.raises(StartupError, match="in use by another process"):
        SqliteStore(path)
    script = (
        "import sys; from pathlib import Path;"
        "from bank_node.ledger.sqlite_store import SqliteStore; SqliteStore(Path(sys.argv[1]))"
    )
    child = run(script, path)
    assert child.returncode == 1
    assert "in use by another process" in child.stderr
    assert opened(store, 5)
    store.close()
    SqliteStore(path).close()


@pytest.mark.parametrize("content", [b"Dear diary,\n" * 200, b"SQLite format 3\0" + b"x" * 4096])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StartupError):
            SqliteStore(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StartupError, match="is not a ledger of this program"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_ledger_of_a_newer_program_is_refused_and_left_alone(store, path):
    opened(store, 1)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StartupError, match="use a newer one"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_damaged_file_is_refused_in_one_line(store, path):
    opened(store, *range(300))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    for _ in range(2):
        with pytest.raises((StartupError, CorruptLedger)) as caught:
            SqliteStore(path)
        assert "\n" not in str(caught.value)


def test_a_full_database_refuses_writes_until_there_is_room_again(store, path):
    (number,) = opened(store, 5)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    booked = 5
    failure = None
    while failure is None:
        try:
            book(store, Deposit(number, 1), *[Deposit(number, 0)] * 20)
            booked += 1
        except StoreError as error:
            failure = error
        assert booked < 500, "the limit is never met"
    assert (failure.final, failure.reason) == (False, Reason.STORE_FULL)
    for _ in range(3):
        with pytest.raises(StoreError):
            book(store, OpenAccount(1), *[Deposit(number, 1)] * 200)
    assert store.read(ReadBalance(number)) == store.read(ReadTotal()) == booked
    assert_state_is_that_of_the_journal(store)
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert book(store, Deposit(number, 1), ReadBalance(number)) == [0, booked + 1]
    head = store.head
    store.close()
    assert_opens_as(path, head)


def test_a_full_database_can_be_closed_and_opened(store, path):
    opened(store, *range(300))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    head = store.head
    store.close()
    assert_opens_as(path, head)


def test_a_defect_in_the_middle_of_a_commit_does_not_stop_the_next_one(store, monkeypatch):
    (number,) = opened(store, 5)
    with monkeypatch.context() as broken:
        broken.setattr(store._snapshot, "next_portion", lambda _: [number])
        broken.setattr(store, "_write_rows", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            book(store, Deposit(number, 1))
    store.discard()
    assert book(store, Deposit(number, 2), ReadBalance(number)) == [0, 7]
    assert_state_is_that_of_the_journal(store)


def test_a_commit_on_a_closed_store_is_an_error_of_the_store(path):
    store = SqliteStore(path)
    store.close()
    state = store.fork(())
    with pytest.raises(OutcomeUnknown):
        store.commit(state, store.head and sqlite_store.Block(1, b"", b"", 1, 1, b"", b""))


def test_the_log_stays_short_while_blocks_are_written(store, path, monkeypatch):
    monkeypatch.setattr(sqlite_store, "_LOG_BYTES_MAX", 50_000)
    (number,) = opened(store, 0)
    for _ in range(200):
        book(store, Deposit(number, 1))
    assert Path(f"{path}-wal").stat().st_size < 200_000
