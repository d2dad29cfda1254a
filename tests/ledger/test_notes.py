"""Notes: kept with the ledger in every store, verified with it, and guards of accounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_model import book, opened

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger import noting
from bank_node.ledger.audit import Anchor, Row, TransferRow, verify
from bank_node.ledger.book import FreeNumbers, State
from bank_node.ledger.entries import Entry, Kind, settlement_account
from bank_node.ledger.following import follow
from bank_node.ledger.journal import EMPTY_HEAD, seal
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.notes import Note, ReadNote, ReadNotes, decode, encode
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    Procedure,
    ReadBalance,
    Result,
    Withdraw,
)
from bank_node.ledger.transfer_operations import Hold, Move
from bank_node.ledger.transfers import Transfer


class Write(Procedure, frozen=True):
    """Writes one note."""

    key: str
    body: bytes
    is_open: bool = True
    guards: int = 0

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (self.key, self.guards) if self.guards else (self.key,)

    def decide(self, state: State) -> Result:
        return noting.write(state, self.key, self.body, is_open=self.is_open, guards=self.guards)


def bodies(store, *keys):
    return [note and note.body for note in store.read(ReadNotes(keys))]


def test_a_note_is_read_as_it_was_written_and_the_last_one_counts(room):
    (first,) = book(room.store, Write("u:1", b"one"))
    assert bodies(room.store, "u:1", "u:2") == [b"one", None]
    (second,) = book(room.store, Write("u:1", b"two"))
    assert second.previous == first.entry
    assert bodies(room.store, "u:1") == [b"two"]


def test_notes_outlive_the_process(durable_room):
    opened(durable_room.store, 5)
    book(durable_room.store, Write("u:1", b"one"), Write("p:1", b"over", is_open=False))
    book(durable_room.store, Write("u:1", b"two"))
    for _ in range(2):
        store = durable_room.reopen()
        assert bodies(store, "u:1") == [b"two"]
        assert store.read(ReadNote("p:1")).body == b"over"


def test_what_is_over_is_found_in_the_journal_only(room):
    book(room.store, Write("p:1", b"over", is_open=False))
    assert bodies(room.store, "p:1") == [None]
    assert room.store.read(ReadNote("p:1")).body == b"over"
    assert room.store.read(ReadNote("p:2")) is Reason.NO_SUCH_PAYMENT
    (again,) = book(room.store, Write("p:1", b"changed", is_open=False))
    assert again.previous > 0
    assert room.store.read(ReadNote("p:1")).body == b"changed"


def test_a_discarded_note_was_never_there(room):
    state = room.store.fork((Write("u:1", b"x"),))
    noting.write(state, "u:1", b"x")
    room.store.discard()
    assert bodies(room.store, "u:1") == [None]


def test_money_leaves_a_guarded_account_by_no_classic_command(room):
    payer, payee = opened(room.store, 50, 0)
    book(room.store, Write("u:1", b"x", guards=payer))
    assert book(
        room.store,
        Withdraw(payer, 1),
        Move("t1", payer, payee, 1),
        CloseAccount(payer),
        Deposit(payer, 1),
        Move("t2", payee, payer, 0),
    )[:4] == [Reason.ACCOUNT_GUARDED] * 3 + [0]
    assert room.store.read(ReadBalance(payer)) == 51


def test_a_guard_holds_within_its_own_batch_and_after_a_new_start(durable_room):
    (payer,) = opened(durable_room.store, 50)
    guarded = Write("u:1", b"x", guards=payer)
    assert book(durable_room.store, guarded, Withdraw(payer, 1))[1] is Reason.ACCOUNT_GUARDED
    for _ in range(2):
        store = durable_room.reopen()
        assert book(store, Withdraw(payer, 1)) == [Reason.ACCOUNT_GUARDED]


@pytest.mark.parametrize("second", [Write("u:1", b"y"), Write("u:1", b"y", guards=10_000),
                                    Write("u:1", b"y", is_open=False, guards=10_001)])  # fmt: skip
def test_a_guard_is_never_lifted(second):
    store = MemoryStore()
    opened(store, 5, 5)
    state = store.fork((Write("u:1", b"x", guards=10_001), second))
    noting.write(state, "u:1", b"x", guards=10_001)
    with pytest.raises(AssertionError):
        second.decide(state)
    before, entry = state.notes["u:1"], Entry(Kind.NOTED, 0, 0, 0, 0, 0)
    lifted = Note("u:1", b"y", second.is_open, second.guards, before.entry)
    with pytest.raises(CorruptLedger, match="lifts a guard"):
        noting.replay(state, entry, encode(lifted), before.entry + 1)


def test_two_notes_may_guard_one_account(room):
    payer, payee = opened(room.store, 50, 0)
    book(room.store, Write("u:1", b"x", guards=payer), Write("u:2", b"x", guards=payer))
    book(room.store, Write("u:2", b"y", guards=payer))
    assert book(room.store, Move("t1", payer, payee, 1)) == [Reason.ACCOUNT_GUARDED]


def test_no_transfer_to_another_bank_empties_a_guarded_account(room):
    (payer,) = opened(room.store, 50)
    book(room.store, Write("u:1", b"x", guards=payer))
    bank = settlement_account("127.0.0.9")
    for is_classic in (False, True):
        held = Hold("t1", payer, bank, payer, 1, is_classic, 1000)
        assert book(room.store, held) == [Reason.ACCOUNT_GUARDED]


def _verified(store, rows=None, notes=None):
    blocks = list(store.blocks())
    accounts = [Row.of(account) for account in store.accounts()]
    return verify(blocks, accounts if rows is None else rows, notes or [], Anchor(0, 0, b""))


def test_verification_covers_notes():
    store = MemoryStore()
    opened(store, 5)
    (note,) = book(store, Write("u:1", b"one"))
    (last,) = book(store, Write("u:1", b"two"))
    assert _verified(store).notes == 1
    assert _verified(store, notes=[TransferRow("u:1", last.entry, encode(last))]).notes == 1
    with pytest.raises(CorruptLedger, match="does not fit"):
        _verified(store, notes=[TransferRow("u:1", last.entry, encode(note))])


@pytest.mark.parametrize(
    "note",
    [
        Note("u:1", b"x", True, 0, 1),
        Note("u:1", b"x", True, 0, 99),
        Note("u:1", b"x", True, 12_345, 0),
        Note("nocolon", b"x", True, 0, 0),
    ],
)
def test_verification_refuses_a_note_that_no_rule_could_have_written(note):
    store = MemoryStore()
    opened(store, 5)
    state = store.fork(())
    noting.write(state, "u:0", b"x")
    state.entries[0] = state.entries[0][:41] + encode(note)
    store.commit(state, seal(store.head, state.entries, 9))
    with pytest.raises(CorruptLedger):
        _verified(store)


def test_another_node_follows_notes():
    store, state = MemoryStore(), State({}, FreeNumbers(()))
    (number,) = opened(store, 5)
    book(store, Write("u:1", b"one", guards=number), Write("p:1", b"over", is_open=False))
    for block in store.blocks():
        follow(state, block)
    assert state.notes["u:1"].body == b"one"
    assert state.guarded == {number}
    assert set(state.finished) == {"p:1"}


@given(
    st.text(max_size=20), st.binary(max_size=99), st.booleans(), st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)  # fmt: skip
def test_a_note_has_one_canonical_form(key, body, is_open, guards, previous):
    note = Note(key, body, is_open, guards, previous, 7)
    assert decode(encode(note), 7) == note
    for broken in (encode(note) + b"x", encode(note)[:-1], b"\x02"):
        with pytest.raises(CorruptLedger):
            decode(broken, 7)


def test_a_transfer_and_a_note_in_one_batch_keep_their_places(room):
    payer, payee = opened(room.store, 50, 0)
    results = book(room.store, Move("t1", payer, payee, 3), Write("u:1", b"x"))
    assert isinstance(results[0], Transfer)
    assert isinstance(results[1], Note)
    assert EMPTY_HEAD.height < room.store.head.height
