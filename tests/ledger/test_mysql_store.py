"""Several nodes on one ledger, taking turns."""

import random
import threading

import pytest
from ledger_model import PlainBank, assert_state_is_that_of_the_journal, book, opened
from mysql_nodes import pending, until_booked, verified
from support.mariadb import open_store

from bank_node.errors import (
    Conflict,
    CorruptLedger,
    Reason,
    StartupError,
    StoreError,
)
from bank_node.ledger import lagging_rows, mysql_snapshot
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadClients,
    ReadTotal,
    Withdraw,
)


def test_what_one_node_commits_the_other_reads(node):
    first, second = node(), node()
    (number,) = opened(first, 5)
    assert second.read(ReadBalance(number)) == 5
    assert until_booked(second, Deposit(number, 2), ReadBalance(number)) == [0, 7]
    assert first.read(ReadTotal()) == 7
    for store in (first, second):
        store.read(ReadTotal())
        assert_state_is_that_of_the_journal(store)


def test_a_batch_decided_on_an_old_state_is_not_booked(node):
    first, second = node(), node()
    (number,) = opened(first, 5)
    _, state, block = pending(first, Withdraw(number, 5))
    assert until_booked(second, Withdraw(number, 5)) == [0]
    with pytest.raises(Conflict):
        first.commit(state, block)
    first.discard()
    assert until_booked(first, Withdraw(number, 5)) == [Reason.INSUFFICIENT_FUNDS]
    assert_state_is_that_of_the_journal(first)


def test_two_nodes_that_come_to_the_very_same_block_do_not_take_it_for_their_own(node, url):
    """Same account, same amount, same microsecond: still two deposits."""
    first, second = node(), node()
    (number,) = opened(first, 5)
    second.read(ReadTotal())
    _, mine, block = pending(first, Deposit(number, 1))
    _, theirs, twin = pending(second, Deposit(number, 1))
    assert block == twin
    first.commit(mine, block)
    with pytest.raises(Conflict):
        second.commit(theirs, twin)
    second.discard()
    assert until_booked(second, Deposit(number, 1), ReadTotal()) == [0, 7]
    assert verified(url).total == 7


def test_a_refusal_stands_on_the_latest_state(node):
    """What another node has just made possible is not refused."""
    first, second = node(), node()
    numbers = opened(first, 0, 0)
    assert second.read(ReadClients()) == 2
    opened_late = until_booked(first, OpenAccount(3), Deposit(numbers[0], 5))[0]
    assert until_booked(second, Withdraw(numbers[0], 5)) == [0]
    assert until_booked(second, CloseAccount(opened_late)) == [0]
    assert until_booked(first, Withdraw(numbers[0], 1)) == [Reason.INSUFFICIENT_FUNDS]


@pytest.mark.parametrize("seed", range(3))
def test_nodes_taking_turns_at_random_hold_what_a_plain_bank_holds(node, url, seed):
    draws, model = random.Random(seed), PlainBank()
    stores = [node() for _ in range(3)]
    for _ in range(60):
        known = [*model.balances, 10_000]
        batch = [
            draws.choice(
                [
                    OpenAccount(draws.getrandbits(64)),
                    CloseAccount(draws.choice(known)),
                    Deposit(draws.choice(known), draws.choice([0, 1, 50, 2**63 - 1])),
                    Withdraw(draws.choice(known), draws.choice([0, 1, 50])),
                    ReadBalance(draws.choice(known)),
                ]
            )
            for _ in range(draws.randint(1, 6))
        ]
        results = until_booked(draws.choice(stores), *batch)
        for operation, result in zip(batch, results, strict=True):
            model.expect(operation, result)
    for store in stores:
        assert store.read(ReadTotal()) == model.total
        assert_state_is_that_of_the_journal(store)
    assert verified(url).total == model.total


def run_all(*jobs):
    """Runs jobs in threads of their own; the first error of any of them fails the test."""
    errors = []

    def guarded(job):
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []


def test_two_nodes_never_open_the_same_number(few_numbers, node, url):
    """Not even when nearly all are taken."""
    stores = [node(), node()]
    book(stores[0], *[OpenAccount(n) for n in few_numbers[:300]])
    found: list[list[int | Reason]] = [[], []]

    def fill(index):
        for draw in range(120):
            found[index] += until_booked(stores[index], OpenAccount(draw * 7 + index))

    run_all(lambda: fill(0), lambda: fill(1))
    numbers = [n for n in found[0] + found[1] if n is not Reason.NO_FREE_ACCOUNT]
    assert len(numbers) == len(set(numbers)) == 200
    assert verified(url).accounts == len(few_numbers)


def test_two_nodes_on_the_same_accounts_in_opposite_order_lose_nothing(node, url):
    stores = [node(), node()]
    numbers = opened(stores[0], 1000, 1000)

    def move(store, source, target):
        for _ in range(60):
            assert until_booked(store, Withdraw(source, 1), Deposit(target, 1)) == [0, 0]

    run_all(
        lambda: move(stores[0], *numbers),
        lambda: move(stores[1], *reversed(numbers)),
    )
    report = verified(url)
    assert (report.blocks, report.total) == (2 + 120, 2000)
    assert [stores[0].read(ReadBalance(n)) for n in numbers] == [1000, 1000]


def test_a_database_that_has_lost_a_block_is_not_written_to(node, mariadb, database):
    """Nothing is built on a chain whose end is missing, as after a careless fail-over."""
    store = node()
    (number,) = opened(store, 1)
    mariadb.ask(f"DELETE FROM {database}.bank_blocks ORDER BY height DESC LIMIT 1")
    _, state, block = pending(store, Deposit(number, 1))
    with pytest.raises(StoreError, match="no longer has block 2") as raised:
        store.commit(state, block)
    assert raised.value.final
    store.discard()
    with pytest.raises(StoreError, match="no longer has block 2"):
        store.read(ReadTotal())
    assert mariadb.ask(f"SELECT count(*) FROM {database}.bank_blocks") == [(1,)]


def test_a_block_of_another_node_that_does_not_fit_ends_writing(node, mariadb, database, url):
    first, second = node(), node()
    opened(first, 1)
    mariadb.ask(f"UPDATE {database}.bank_blocks SET time_us = time_us + 1 WHERE height = 1")
    with pytest.raises(StoreError, match="does not fit") as raised:
        second.read(ReadTotal())
    assert raised.value.final
    with pytest.raises(CorruptLedger):
        verified(url)


def test_rows_are_carried_forward_by_whoever_is_writing(node, url, monkeypatch):
    monkeypatch.setattr(lagging_rows, "SNAPSHOT_ENTRIES", 10)
    monkeypatch.setattr(lagging_rows, "_LOOK_NUMBERS", 30_000)
    monkeypatch.setattr(mysql_snapshot, "_PORTION_ROWS", 3)
    draws, stores = random.Random(7), [node(), node()]
    numbers = opened(stores[0], *range(20))
    for _ in range(80):
        until_booked(draws.choice(stores), Deposit(draws.choice(numbers), 1))
        if draws.random() < 0.1:
            verified(url)
    (gone,) = until_booked(stores[1], OpenAccount(5))
    until_booked(stores[0], CloseAccount(gone))
    # As after a kill: nothing is closed, and a third node reads what there is.
    late = node()
    assert late._snapshot.sequence > 20
    assert late.read(ReadTotal()) == sum(range(20)) + 80
    assert_state_is_that_of_the_journal(late)
    for store in (stores[1], late, stores[0]):
        store.close()
    assert verified(url).accounts == 20
    again = node()
    assert again._snapshot.sequence == again.head.sequence
    assert_state_is_that_of_the_journal(again)


def test_a_ledger_of_a_newer_program_is_not_opened(node, mariadb, database, url):
    node().close()
    mariadb.ask(f"UPDATE {database}.bank_facts SET value = 99")
    with pytest.raises(StartupError, match="newer"):
        open_store(url)
