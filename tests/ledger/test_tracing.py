"""What became of transfers, read back from the journal of every store."""

import pytest
from ledger_model import book, opened

from bank_node.ledger import tracing
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.operations import Deposit
from bank_node.ledger.tracing import Position
from bank_node.ledger.transfer_operations import Hold, Move, Promise, ReadTransfer, Tell
from bank_node.ledger.transfers import Message, Phase
from bank_node.values import AMOUNT_MAX, BankCode

BANK = BankCode("10.0.0.7")
OTHER = settlement_account(BANK)


@pytest.fixture
def store(room):
    """Deposits among transfers of every kind, some of which are open still."""
    one, two = opened(room.store, 500, 500)
    book(room.store, Move("inside", one, two, 5), Deposit(one, 1))
    book(room.store, Hold("out", one, OTHER, 10_009, 70, False, AMOUNT_MAX))
    book(room.store, Deposit(two, 1), Promise(f"{BANK}/in", two, OTHER, 10_009, 30, AMOUNT_MAX))
    book(room.store, Hold("void", one, OTHER, 10_009, 7, False, AMOUNT_MAX), Deposit(one, 3))
    book(room.store, Tell(Message.POST, "out"), Tell(Message.VOID, "void", reason="bank_silent"))
    book(room.store, Hold("doubt", one, OTHER, 10_009, 11, True, AMOUNT_MAX))
    book(room.store, Deposit(two, 9))
    book(room.store, Tell(Message.ACKNOWLEDGE, "out"), Tell(Message.RELEASE, f"{BANK}/never"))
    # A key that is a part of another one is another transfer.
    book(room.store, Hold("ou", two, OTHER, 10_009, 1, False, AMOUNT_MAX))
    return room.store


def record(store, key):
    return book(store, ReadTransfer(key))[0]


@pytest.mark.parametrize("count", [1, 2, 50])
def test_ended_transfers_come_newest_first_and_page_by_page(store, count):
    keys, before = [], None
    while True:
        found = tracing.ended(store, before, count)
        assert len(found.lines) <= count
        keys += [line.transfer.key for line in found.lines]
        before = found.next
        if before is None:
            break
    assert keys == [f"{BANK}/never", "out", "void", "inside"]


def test_a_search_that_has_read_enough_says_where_to_go_on(store, monkeypatch):
    monkeypatch.setattr(tracing, "_BYTES_A_PAGE", 1)
    keys, before, questions = [], None, 0
    while before is not None or not questions:
        found = tracing.ended(store, before, 50)
        keys += [line.transfer.key for line in found.lines]
        before, questions = found.next, questions + 1
    assert keys == [f"{BANK}/never", "out", "void", "inside"]
    assert questions > 4


@pytest.mark.parametrize(
    ("key", "phases"),
    [
        ("out", [Phase.RESERVED, Phase.COMMITTED, Phase.ENDED]),
        ("void", [Phase.RESERVED, Phase.ABORTED]),
        ("doubt", [Phase.SENT]),
        ("inside", [Phase.ENDED]),
        ("ou", [Phase.RESERVED]),
        (f"{BANK}/in", [Phase.RESERVED]),
        (f"{BANK}/never", [Phase.ABORTED]),
    ],
)
def test_the_way_of_a_transfer_is_all_of_its_entries_in_their_order(store, key, phases):
    way = tracing.way_of(store, record(store, key))
    assert [line.transfer.phase for line in way.lines] == phases
    assert {line.transfer.key for line in way.lines} == {key}
    assert way.complete


def test_a_beginning_that_is_too_far_back_is_not_looked_for(store, monkeypatch):
    monkeypatch.setattr(tracing, "_BYTES_A_WAY", 1)
    way = tracing.way_of(store, record(store, "out"))
    assert [line.transfer.phase for line in way.lines] == [Phase.ENDED]
    assert not way.complete


def test_positions_count_what_is_owed_held_and_promised(store):
    assert tracing.positions(store) == [Position(BANK, 70, 12, 30)]
    assert record(store, "doubt").is_open


def test_an_empty_ledger_has_neither_transfers_nor_positions(room):
    assert tracing.ended(room.store, None, 5) == ([], None)
    assert tracing.positions(room.store) == []
