"""A state that follows the blocks of another one comes to the same, free numbers included."""

import random

import pytest

from bank_node.errors import CorruptLedger
from bank_node.ledger.book import Account, FreeNumbers, State, decide_all
from bank_node.ledger.entries import ENTRY, Kind
from bank_node.ledger.following import follow
from bank_node.ledger.journal import EMPTY_HEAD, Head, head_of, seal
from bank_node.ledger.operations import CloseAccount, Deposit, OpenAccount, Withdraw, touched


def everything(state):
    return (state.accounts, state.cash, state.clients, state.sequence, drained(state.free))


def drained(free):
    """All numbers that are free; they are given back."""
    numbers = []
    while (number := free.take(0)) is not None:
        numbers.append(number)
    for number in numbers:
        free.give_back(number)
    assert len(numbers) == len(set(numbers))
    return set(numbers)


def batch(draws, known):
    return [
        draws.choice(
            [
                OpenAccount(draws.getrandbits(64)),
                CloseAccount(draws.choice(known)),
                Deposit(draws.choice(known), draws.choice([0, 1, 5])),
                Withdraw(draws.choice(known), draws.choice([1, 5])),
            ]
        )
        for _ in range(draws.randint(1, 12))
    ]


@pytest.mark.parametrize("seed", range(8))
def test_a_follower_comes_to_the_state_of_the_writer(seed):
    draws = random.Random(seed)
    writer, follower = (State({}, FreeNumbers(())) for _ in range(2))
    head = EMPTY_HEAD
    for _ in range(60):
        operations = batch(draws, [10_000, *writer.accounts])
        child = writer.fork(touched(operations))
        decide_all(child, operations)
        writer.absorb(child)
        if child.entries:
            block = seal(head, child.entries, 1)
            follow(follower, block)
            head = head_of(block)
    assert everything(follower) == everything(writer)


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_that_is_released_leaves_no_trace(seed):
    draws = random.Random(seed)
    state = State({}, FreeNumbers(()))
    for _ in range(60):
        operations = batch(draws, [10_000, *state.accounts])
        child = state.fork(touched(operations))
        decide_all(child, operations)
        if draws.random() < 0.5:
            state.absorb(child)
        else:
            before = (dict(state.accounts), state.cash, state.clients, state.sequence)
            state.release(child)
            assert (state.accounts, state.cash, state.clients, state.sequence) == before
        taken = set(range(10_000, 100_000)) - set(state.accounts)
        if draws.random() < 0.05:
            assert drained(state.free) == taken
    assert drained(state.free) == set(range(10_000, 100_000)) - set(state.accounts)


def test_a_block_that_breaks_a_rule_is_not_followed():
    state = State({10_000: Account(10_000, 5, 1)}, FreeNumbers([10_000]))
    state.sequence = 1
    before = everything(state)
    good = ENTRY.pack(Kind.DEPOSITED, 0, 10_000, 7, 0, 1)
    bad = ENTRY.pack(Kind.WITHDRAWN, 10_000, 0, 99, 2, 0)
    with pytest.raises(CorruptLedger):
        follow(state, seal(Head(1, bytes(32), 0, 1), [good, bad], 1))
    assert everything(state) == before


def test_a_number_can_be_taken_out_by_name_once():
    free = FreeNumbers(())
    free.remove(55_555)
    free.remove(55_555)
    assert 55_555 not in drained(free)
    free.give_back(55_555)
    assert 55_555 in drained(free)
