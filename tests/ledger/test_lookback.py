"""Looking things up in the journal: on every store, against a plain list of all entries."""

import random

import pytest
from ledger_model import book, opened

from bank_node.ledger import lookback
from bank_node.ledger.entries import CASH
from bank_node.ledger.lookback import Cursor
from bank_node.ledger.operations import CloseAccount, Deposit, OpenAccount, Withdraw


@pytest.fixture
def store(room):
    """A store with some hundred entries in blocks of several sizes, accounts closed among them."""
    draws = random.Random(7)
    numbers = opened(room.store, *[50] * 6)
    for _ in range(60):
        book(room.store, *[
            draws.choice((Deposit, Withdraw))(draws.choice(numbers), draws.choice((0, 1, 10)))
            for _ in range(draws.randint(1, 5))
        ])  # fmt: skip
    balance = next(a.balance for a in room.store.accounts() if a.number == numbers[0])
    book(room.store, Withdraw(numbers[0], balance), CloseAccount(numbers[0]))
    return room.store


def everything(store):
    """All entries with their blocks, the newest first."""
    return [
        (number, entry, block)
        for block in reversed(list(store.blocks()))
        for number, entry in reversed(list(block.entries()))
    ]


def walk(store, account, count):
    """A whole history in pages of `count`."""
    steps, cursor = [], Cursor(account.last_entry, account.balance)
    while cursor:
        page, cursor = lookback.history(store, account.number, cursor, count)
        assert len(page) <= count
        steps += page
    return steps


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_a_history_is_every_entry_of_the_account_with_the_balance_after_it(store, count):
    for account in store.accounts():
        balance = 0
        for step in reversed(walk(store, account, count)):
            entry = step.line.entry
            balance += entry.amount if entry.credit == account.number else -entry.amount
            assert step.balance == balance
            assert step.line.block == store.block_of(step.line.number)
        assert balance == account.balance
        assert [step.line.number for step in walk(store, account, count)] == [
            n for n, entry, _ in everything(store) if account.number in (entry.debit, entry.credit)
        ]


def test_a_cursor_of_another_account_ends_the_history(store):
    one, other = store.accounts()[:2]
    assert lookback.history(store, one.number, Cursor(other.last_entry, 5), 9) == ([], None)
    assert lookback.history(store, one.number, Cursor(10**15, 5), 9) == ([], None)


def test_blocks_come_newest_first_and_go_on_below_a_height(store):
    newest_first = list(reversed(list(store.blocks())))
    assert lookback.newest_blocks(store, None, 10_000) == newest_first
    assert lookback.newest_blocks(store, None, 5) == newest_first[:5]
    assert lookback.newest_blocks(store, newest_first[4].height, 5) == newest_first[5:10]
    assert lookback.newest_blocks(store, 1, 5) == []
    assert lookback.newest_blocks(store, 10**15, 1) == newest_first[:1]


def test_a_block_is_found_by_its_height(store):
    for block in store.blocks():
        assert lookback.entries_of_block(store, block.height) == block
    assert lookback.entries_of_block(store, store.head.height + 1) is None
    assert lookback.entries_of_block(store, 0) is None


def test_the_entries_of_a_block_come_in_pages(store):
    for block in store.blocks():
        numbers, before = [], None
        while True:
            lines, before = lookback.newest_entries(block, before, 2)
            numbers += [line.number for line in lines]
            assert [line.entry for line in lines] == [
                dict(block.entries())[n] for n in numbers[-len(lines) :]
            ]
            if before is None:
                break
        assert numbers == list(range(block.last_entry, block.first_entry - 1, -1))


def searched(store, **wanted):
    """A whole search, page by page."""
    numbers, before = [], None
    while True:
        found = lookback.search(store, before=before, count=4, **wanted)
        assert len(found.lines) <= 4
        numbers += [line.number for line in found.lines]
        before = found.next
        if before is None:
            return numbers


def expected(store, number=None, since_us=0, until_us=10**18):
    return [
        n
        for n, entry, block in everything(store)
        if since_us <= block.time_us <= until_us
        and (number is None or number in (entry.debit, entry.credit))
    ]


@pytest.fixture(params=["enough to read", "little to read"])
def budget(request, monkeypatch):
    """A search gives up often, or hardly ever."""
    if request.param == "little to read":
        monkeypatch.setattr(lookback, "_BYTES_A_QUESTION", 1000)


def test_a_search_finds_every_entry_of_an_account_open_or_closed(store, budget):
    numbers = {entry.credit for _, entry, _ in everything(store)} - {CASH}
    known = {account.number: account for account in store.accounts()}
    assert len(numbers) > len(known)
    for number in [*numbers, 99_999]:
        assert searched(store, account=known.get(number, number)) == expected(store, number)


def test_a_search_can_be_limited_to_a_span_of_time(store, budget):
    times = sorted({block.time_us for block in store.blocks()})
    account = store.accounts()[1]
    for since_us, until_us in [
        (times[10], times[20]), (0, times[0]), (times[-1], 10**18), (times[5] + 10**9, 0),
        (0, times[0] - 1), (times[7], times[7]),
    ]:  # fmt: skip
        span = {"since_us": since_us, "until_us": until_us}
        assert searched(store, **span) == expected(store, **span)
        assert searched(store, account=account, **span) == expected(store, account.number, **span)


def test_a_number_that_was_given_again_keeps_its_former_life(few_numbers, room):
    book(room.store, *[OpenAccount(n) for n in few_numbers])
    number = few_numbers[345]
    book(room.store, Deposit(number, 5), Withdraw(number, 5), CloseAccount(number))
    assert book(room.store, OpenAccount(1)) == [number]
    account = next(a for a in room.store.accounts() if a.number == number)
    assert len(walk(room.store, account, 10)) == 1
    assert len(searched(room.store, account=number)) == 5


def test_an_amount_that_looks_like_the_number_is_not_taken_for_it(room):
    (number,) = opened(room.store, 0)
    other = 54_321
    book(room.store, *[Deposit(number, other)] * 50)
    assert searched(room.store, account=other) == []


def test_an_empty_journal_has_nothing_to_find(room):
    assert lookback.newest_blocks(room.store, None, 5) == []
    assert searched(room.store) == searched(room.store, account=12_345) == []
    assert searched(room.store, until_us=5) == []
