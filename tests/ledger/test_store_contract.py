"""What every store promises the writer; no test here knows which store it is talking to."""

import random

import pytest
from ledger_model import (
    PlainBank,
    assert_state_is_that_of_the_journal,
    book,
    opened,
    replayed,
)

from bank_node.errors import Reason
from bank_node.ledger.book import decide
from bank_node.ledger.journal import EMPTY_HEAD, head_of, seal
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadClients,
    ReadTotal,
    Withdraw,
)

LIMIT = 2**63 - 1


def pending(store, *operations):
    """A batch that is decided and sealed but not committed."""
    state = store.fork(operations)
    results = [decide(state, operation) for operation in operations]
    return results, state, seal(store.head, state.entries, 1)


def test_a_new_store_is_empty(room):
    store = room.store
    assert store.head == EMPTY_HEAD
    assert (list(store.blocks()), store.accounts()) == ([], [])
    assert (store.read(ReadTotal()), store.read(ReadClients())) == (0, 0)


def test_what_is_committed_is_visible(room):
    first, second = opened(room.store, 5, 7)
    assert room.store.read(ReadBalance(first)) == 5
    assert room.store.read(ReadBalance(second)) == 7
    assert room.store.read(ReadTotal()) == 12
    assert [(a.number, a.balance) for a in room.store.accounts()] == sorted(
        [(first, 5), (second, 7)]
    )


def test_what_is_not_committed_is_never_visible(room):
    (number,) = opened(room.store, 5)
    before = (room.store.accounts(), room.store.head, list(room.store.blocks()))
    results, state, block = pending(
        room.store, OpenAccount(1), Deposit(number, 9), ReadBalance(number), ReadTotal()
    )
    assert results[2:] == [14, 14], "the batch itself sees what it did"
    assert room.store.read(ReadBalance(number)) == 5
    assert room.store.read(ReadBalance(results[0])) is Reason.NO_SUCH_ACCOUNT
    assert (room.store.read(ReadTotal()), room.store.read(ReadClients())) == (5, 1)
    assert (room.store.accounts(), room.store.head, list(room.store.blocks())) == before
    room.store.commit(state, block)
    assert room.store.read(ReadBalance(number)) == 14
    assert room.store.read(ReadBalance(results[0])) == 0


def test_a_discarded_batch_leaves_nothing_behind(room):
    (number,) = opened(room.store, 5)
    before = (room.store.accounts(), room.store.head, list(room.store.blocks()))
    pending(room.store, OpenAccount(1), Withdraw(number, 5), CloseAccount(number))
    room.store.discard()
    assert (room.store.accounts(), room.store.head, list(room.store.blocks())) == before
    assert book(room.store, Deposit(number, 1), ReadBalance(number)) == [0, 6]
    assert_state_is_that_of_the_journal(room.store)


def test_a_discarded_batch_gives_its_numbers_back(few_numbers, room):
    """With every number drawn and discarded, every number can still be drawn."""
    (kept,) = opened(room.store, 0)
    results, _, _ = pending(room.store, *[OpenAccount(n) for n in few_numbers])
    assert results[-1] is Reason.NO_FREE_ACCOUNT
    room.store.discard()
    results = book(room.store, *[OpenAccount(n) for n in few_numbers])
    assert set(results) == {*few_numbers, Reason.NO_FREE_ACCOUNT} - {kept}
    assert room.store.read(ReadClients()) == len(few_numbers)


def test_a_number_that_a_discarded_batch_closed_is_not_drawn_again(few_numbers, room):
    (number,) = opened(room.store, 0)
    pending(room.store, CloseAccount(number))
    room.store.discard()
    assert number not in book(room.store, *[OpenAccount(n) for n in few_numbers])


def test_a_closed_account_is_gone_and_its_number_free(few_numbers, room):
    (number,) = opened(room.store, 0)
    assert book(room.store, CloseAccount(number)) == [0]
    assert room.store.read(ReadBalance(number)) is Reason.NO_SUCH_ACCOUNT
    assert room.store.accounts() == []
    assert number in book(room.store, *[OpenAccount(n) for n in few_numbers])


def test_blocks_continue_the_chain_and_can_be_read_from_any_height(room):
    for balance in range(1, 5):
        opened(room.store, balance, balance)
    blocks = list(room.store.blocks())
    assert [block.height for block in blocks] == list(range(1, 9))
    assert replayed(blocks) == room.store.accounts()
    assert room.store.head == head_of(blocks[-1])
    for height in range(10):
        assert list(room.store.blocks(height)) == blocks[height:]


def test_every_entry_is_found_in_its_block(room):
    assert room.store.block_of(1) is None
    for size in (1, 3, 2, 1, 5):
        opened(room.store, *[0] * size)
    blocks = list(room.store.blocks())
    last = room.store.head.sequence
    assert [room.store.block_of(entry) for entry in range(1, last + 1)] == [
        block for block in blocks for _ in range(block.entry_count)
    ]
    assert [room.store.block_of(entry) for entry in (0, last + 1, LIMIT)] == [None] * 3


def test_blocks_being_read_do_not_stand_in_the_way_of_a_commit(room):
    opened(room.store, 1)
    reading = room.store.blocks()
    assert next(reading).height == 1
    opened(room.store, 1)
    assert next(reading).height == 2
    assert room.store.head.height == 4
    # A reader that leaves early lets go of what it holds.
    getattr(reading, "close", lambda: None)()


def test_the_greatest_amounts_are_stored_exactly(room):
    (number,) = opened(room.store, LIMIT)
    assert room.store.read(ReadBalance(number)) == room.store.read(ReadTotal()) == LIMIT
    assert_state_is_that_of_the_journal(room.store)
    if room.is_durable:
        assert room.reopen().read(ReadTotal()) == LIMIT
    assert book(room.store, Deposit(number, 1)) == [Reason.ACCOUNT_LIMIT]


@pytest.mark.parametrize("seed", range(4))
def test_a_store_holds_what_a_plain_bank_holds(room, seed):
    draws, model = random.Random(seed), PlainBank()
    for _ in range(25):
        known = [*model.balances, 10_000]
        batch = [
            draws.choice(
                [
                    OpenAccount(draws.getrandbits(64)),
                    CloseAccount(draws.choice(known)),
                    Deposit(draws.choice(known), draws.choice([0, 1, 50, LIMIT])),
                    Withdraw(draws.choice(known), draws.choice([0, 1, 50, LIMIT])),
                    ReadBalance(draws.choice(known)),
                ]
            )
            for _ in range(draws.randint(1, 8))
        ]
        if draws.random() < 0.2:
            pending(room.store, *batch)
            room.store.discard()
            continue
        for operation, result in zip(batch, book(room.store, *batch), strict=True):
            model.expect(operation, result)
        if room.is_durable and draws.random() < 0.2:
            room.reopen()
        assert {a.number: a.balance for a in room.store.accounts()} == model.balances
    assert_state_is_that_of_the_journal(room.store)


def test_a_store_opened_again_holds_the_same(durable_room):
    numbers = opened(durable_room.store, 5, 7, 0)
    book(durable_room.store, CloseAccount(numbers[2]), Withdraw(numbers[0], 1))
    store = durable_room.store
    before = (store.accounts(), store.head, list(store.blocks()))
    for _ in range(2):
        store = durable_room.reopen()
        assert (store.accounts(), store.head, list(store.blocks())) == before
        assert_state_is_that_of_the_journal(store)
    assert book(store, Deposit(numbers[1], 3), ReadBalance(numbers[1])) == [0, 10]
    assert_state_is_that_of_the_journal(store)


def test_what_was_never_committed_is_not_there_after_opening_again(durable_room):
    (number,) = opened(durable_room.store, 5)
    results, _, _ = pending(durable_room.store, Deposit(number, 1), OpenAccount(3))
    store = durable_room.reopen()
    assert store.read(ReadBalance(number)) == 5
    assert store.read(ReadBalance(results[1])) is Reason.NO_SUCH_ACCOUNT
    assert_state_is_that_of_the_journal(store)


def test_a_full_bank_opened_again_has_no_free_number(durable_room):
    book(durable_room.store, *[OpenAccount(n) for n in range(90_000)])
    store = durable_room.reopen()
    assert book(store, OpenAccount(1)) == [Reason.NO_FREE_ACCOUNT]
    assert book(store, CloseAccount(12_345), OpenAccount(1)) == [0, 12_345]
