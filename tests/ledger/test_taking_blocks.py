"""A store that follows another: the same blocks, the same state, and nothing that does not fit."""

import random
import sqlite3

import pytest
from ledger_model import book, opened
from test_transfers import KEYS, some_operation, verified

from bank_node.errors import CorruptLedger, StoreError
from bank_node.ledger import lagging_rows
from bank_node.ledger.book import CASH, ENTRY, Kind, decide_all
from bank_node.ledger.journal import head_of, seal
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.sqlite_files import verify_file
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.transfer_operations import ReadTransfer


@pytest.fixture(params=["memory", "sqlite"])
def copy(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "copy.db")
    yield store
    store.close()


def busy(seed: int, rounds: int = 30) -> MemoryStore:
    """A store with a history of everything."""
    draws, store = random.Random(seed), MemoryStore()
    opened(store, 5, 0, 7)
    for _ in range(rounds):
        numbers = [account.number for account in store.accounts()] or [10_000]
        book(
            store,
            *[
                draws.choice(
                    [
                        OpenAccount(draws.getrandbits(64)),
                        CloseAccount(draws.choice(numbers)),
                        Deposit(draws.choice(numbers), draws.randrange(9)),
                        Withdraw(draws.choice(numbers), draws.randrange(9)),
                        some_operation(draws, numbers, [0, 1, 5]),
                        some_operation(draws, numbers, [0, 1, 5]),
                    ]
                )
                for _ in range(draws.randrange(1, 6))
            ],
        )
    return store


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_is_equal_in_everything(copy, seed):
    original, draws = busy(seed), random.Random(seed)
    blocks = list(original.blocks())
    while blocks:
        portion = draws.randrange(1, 5)
        copy.take(blocks[:portion])
        del blocks[:portion]
    assert (copy.head, copy.accounts()) == (original.head, original.accounts())
    assert list(copy.blocks()) == list(original.blocks())
    assert sorted(copy.open_transfers()) == sorted(original.open_transfers())
    assert copy.positions() == original.positions()
    for key in KEYS:
        assert copy.read(ReadTransfer(key)) == original.read(ReadTransfer(key))
    assert verified(copy).total == copy.read(ReadTotal())


def test_a_copy_can_go_on_by_itself(few_numbers, copy):
    original = busy(1)
    copy.take(list(original.blocks()))
    taken = {account.number for account in copy.accounts()}
    free = len(few_numbers) - len(taken)
    drawn = book(copy, *[OpenAccount(n) for n in range(free)])
    assert not taken & set(drawn)
    assert len(set(drawn)) == free
    assert verified(copy).total == copy.read(ReadTotal())


def test_blocks_that_do_not_fit_are_refused(copy):
    blocks = list(busy(2).blocks())
    foreign = list(busy(3).blocks())
    copy.take(blocks[:5])
    for wrong in (
        blocks[6:7],
        blocks[4:5],
        foreign[5:6],
        [blocks[5]._replace(body=blocks[5].body[:-1])],
        [blocks[5]._replace(time_us=blocks[5].time_us + 1)],
    ):
        with pytest.raises(CorruptLedger):
            copy.take(wrong)
        assert copy.head == head_of(blocks[4])


def test_a_well_sealed_block_that_breaks_a_rule_is_refused(copy):
    (number,) = opened(original := MemoryStore(), 5)
    copy.take(list(original.blocks()))
    entry = ENTRY.pack(Kind.OPENED, CASH, number, 0, 0, 0)
    with pytest.raises(CorruptLedger, match="breaks a rule"):
        copy.take([seal(copy.head, [entry], 1)])


def test_a_copy_opened_again_is_the_same(tmp_path):
    original = busy(4)
    store = SqliteStore(tmp_path / "copy.db")
    store.take(list(original.blocks()))
    store.close()
    store = SqliteStore(tmp_path / "copy.db")
    assert (store.head, store.accounts()) == (original.head, original.accounts())
    store.close()
    assert verify_file(tmp_path / "copy.db").blocks == original.head.height


def test_the_snapshot_of_a_copy_is_carried_forward(tmp_path, monkeypatch):
    monkeypatch.setattr(lagging_rows, "SNAPSHOT_ENTRIES", 10)
    monkeypatch.setattr(lagging_rows, "_LOOK_NUMBERS", 30_000)
    original = busy(5, rounds=60)
    store = SqliteStore(tmp_path / "copy.db")
    for block in original.blocks():
        store.take([block])
    assert store._snapshot.sequence > 0
    assert verify_file(tmp_path / "copy.db").blocks == original.head.height
    store.close()
    assert verify_file(tmp_path / "copy.db").blocks == original.head.height


def test_a_copy_that_cannot_be_written_is_not_written_to_again(tmp_path):
    blocks = list(busy(6).blocks())
    store = taken_in_part(tmp_path / "copy.db", blocks)
    store.close()
    again = SqliteStore(tmp_path / "copy.db")
    assert again.head == head_of(blocks[2])
    assert verified(again).total == again.read(ReadTotal())
    again.close()


def taken_in_part(path, blocks) -> SqliteStore:
    """A copy whose file could not be written while it took these blocks, but for the first three.

    It is ahead of its file by what was to be written.
    """
    store = SqliteStore(path)
    store.take(blocks[:3])
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            store.take(blocks[3:5])
        other.execute("ROLLBACK")
    return store


def refused_for_good(store: SqliteStore) -> None:
    """What a node that is promoted would decide next is not written, and changes nothing."""
    state = store.fork(())
    decide_all(state, [OpenAccount(3)])
    with pytest.raises(StoreError) as refused:
        store.commit(state, seal(store.head, state.entries, 5))
    assert refused.value.final
    with pytest.raises(StoreError):
        store.take([])


def test_nothing_is_decided_on_blocks_that_could_not_be_written(tmp_path):
    blocks = list(busy(6).blocks())
    store = taken_in_part(tmp_path / "copy.db", blocks)
    refused_for_good(store)
    store.close()
    assert verify_file(tmp_path / "copy.db").blocks == 3


def test_nothing_is_decided_on_blocks_before_one_that_does_not_fit(tmp_path):
    blocks = list(busy(6).blocks())
    store = SqliteStore(tmp_path / "copy.db")
    store.take(blocks[:3])
    with pytest.raises(CorruptLedger):
        store.take([*blocks[3:5], blocks[5]._replace(body=blocks[5].body[:-1])])
    refused_for_good(store)
    store.close()
    assert verify_file(tmp_path / "copy.db").blocks == 3
