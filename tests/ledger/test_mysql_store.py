"""Several nodes on one ledger, a database that goes away, and commits whose outcome is lost."""

import random
import threading
import time
from contextlib import ExitStack, closing

import pytest
from ledger_model import PlainBank, assert_state_is_that_of_the_journal, book, opened
from support.cutting import Cutter
from support.mariadb import open_store
from support.polling import until

from bank_node.errors import (
    Conflict,
    CorruptLedger,
    OutcomeUnknown,
    Reason,
    StartupError,
    StoreError,
)
from bank_node.ledger import mysql_snapshot
from bank_node.ledger.book import decide
from bank_node.ledger.journal import seal
from bank_node.ledger.mysql_address import parse_address
from bank_node.ledger.mysql_archive import MysqlArchive
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadClients,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.writer import Writer
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics

CLOCK = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)
INSERT, COMMIT = b"INSERT INTO bank_blocks", b"COMMIT"


@pytest.fixture
def database(mariadb):
    return mariadb.new_database()


@pytest.fixture
def url(mariadb, database):
    return mariadb.url(database)


@pytest.fixture
def node(url):
    """Opens stores on one ledger; all of them are closed after the test."""
    with ExitStack() as stack:
        yield lambda timeout_s=5.0, where=url: stack.enter_context(
            closing(open_store(where, timeout_s))
        )


def verified(url):
    return MysqlArchive(parse_address(url), CLOCK).verify(lambda _entries: None)


def until_booked(store, *operations):
    """One batch as the writer books it against others: again until it fits."""
    while True:
        try:
            return book(store, *operations)
        except Conflict:
            pass


def pending(store, *operations):
    state = store.fork(operations)
    results = [decide(state, operation) for operation in operations]
    return results, state, seal(store.head, state.entries, 1)


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


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("is_contended", [False, True])
def test_a_commit_whose_answer_is_lost_is_booked_exactly_once(
    node, mariadb, database, url, where, is_contended
):
    other = node()
    with Cutter((mariadb.host, mariadb.port)) as cutter:
        wired = url.replace(f":{mariadb.port}/", f":{cutter.port}/")
        store = node(where=wired)
        (number,) = opened(store, 100)
        if is_contended:
            # A store that has lost a race waits for its turn in a transaction of several steps.
            _, state, block = pending(store, Deposit(number, 1))
            until_booked(other, Deposit(number, 1))
            with pytest.raises(Conflict):
                store.commit(state, block)
            store.discard()
            book(store, Withdraw(number, 1))
            other.read(ReadTotal())
        height = store.head.height
        marker = COMMIT if is_contended else INSERT
        _, state, block = pending(store, Deposit(number, 7))
        assert store._in_turn == is_contended
        getattr(cutter, where)(marker)
        store.commit(state, block)
        assert cutter.cuts == 1
        assert store.read(ReadBalance(number)) == 107
        assert until_booked(store, Deposit(number, 1), ReadBalance(number)) == [0, 108]
        assert store.head.height == height + 2
        assert other.read(ReadBalance(number)) == 108
    report = verified(url)
    assert (report.total, report.blocks) == (108, height + 2)


def test_a_commit_whose_answer_is_lost_yields_to_a_block_that_came_in_between(node, mariadb, url):
    other = node()
    with Cutter((mariadb.host, mariadb.port)) as cutter:
        store = node(where=url.replace(f":{mariadb.port}/", f":{cutter.port}/"))
        (number,) = opened(store, 100)
        other.read(ReadTotal())
        _, state, block = pending(store, Deposit(number, 7))
        book(other, Deposit(number, 1))
        cutter.before(INSERT)
        with pytest.raises(Conflict):
            store.commit(state, block)
        store.discard()
        assert until_booked(store, Deposit(number, 7), ReadBalance(number)) == [0, 108]
    assert verified(url).total == 108


def test_an_outcome_that_cannot_be_found_out_is_called_unknown_and_writing_goes_on(
    node, mariadb, url
):
    with Cutter((mariadb.host, mariadb.port)) as cutter:
        store = node(timeout_s=1.0, where=url.replace(f":{mariadb.port}/", f":{cutter.port}/"))
        (number,) = opened(store, 100)
        _, state, block = pending(store, Deposit(number, 7))
        mariadb.freeze()
        try:
            began = time.monotonic()
            with pytest.raises(OutcomeUnknown) as raised:
                store.commit(state, block)
            assert time.monotonic() - began < 10
            assert not raised.value.final
            store.discard()
            with pytest.raises(StoreError) as away:
                store.read(ReadTotal())
            assert away.value.reason is Reason.STORE_AWAY
            assert time.monotonic() - began < 20
        finally:
            mariadb.thaw()
        until(lambda: _total(store) in (100, 107), "the database is back")
        until_booked(store, Deposit(number, 1))
        assert store.read(ReadTotal()) in (101, 108)
        assert_state_is_that_of_the_journal(store)
        total = store.read(ReadTotal())
    assert verified(url).total == total


def _total(store):
    try:
        return store.read(ReadTotal())
    except (StoreError, Conflict):
        return None


def test_a_node_that_stopped_in_its_turn_keeps_nobody_out(node, mariadb, database, url):
    store, other = node(timeout_s=10.0), node()
    (number,) = opened(store, 1)
    with closing(mariadb.connect(database=database)) as sleeper:
        cursor = sleeper.cursor()
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT one FROM bank_turn FOR UPDATE")
        cursor.fetchall()
        began = time.monotonic()
        assert until_booked(store, Deposit(number, 1)) == [0]
        assert until_booked(store, Deposit(number, 1)) == [0]
        assert time.monotonic() - began < 9
        assert other.read(ReadTotal()) == 3


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
    monkeypatch.setattr(mysql_snapshot, "SNAPSHOT_ENTRIES", 10)
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


class _Load(threading.Thread):
    """Deposits through a writer, one batch after the other, and what it heard."""

    def __init__(self, writer, number, stop):
        super().__init__()
        self._writer, self._number, self._stop_now = writer, number, stop
        self.booked = self.unknown = 0
        self.refused: set[Reason] = set()

    def run(self):
        while not self._stop_now.is_set():
            result = self._writer.call(Deposit(self._number, 1))
            if result == 0:
                self.booked += 1
            elif result is Reason.OUTCOME_UNKNOWN:
                self.unknown += 1
            else:
                self.refused.add(result)


def test_killed_connections_lose_nothing_and_book_nothing_twice(node, mariadb, url):
    stop, stores = threading.Event(), [node(), node()]
    writers = [Writer(store, Metrics(), CLOCK, 64, patience_s=2.5) for store in stores]
    numbers = opened(stores[0], 0, 0)
    loads = [_Load(writer, number, stop) for writer in writers for number in numbers]
    for thread in (*writers, *loads):
        thread.start()
    killed = 0
    for goal in range(1, 16):
        until(lambda goal=goal: sum(x.booked for x in loads) >= goal * 20, "the load goes on")
        killed += mariadb.kill_connections()
    stop.set()
    for load in loads:
        load.join(60)
    for writer in writers:
        assert writer.stop(10)
    booked, unknown = sum(x.booked for x in loads), sum(x.unknown for x in loads)
    assert killed >= 15
    assert booked <= verified(url).total <= booked + unknown
    assert set.union(*(x.refused for x in loads)) <= {Reason.STORE_AWAY, Reason.TOO_BUSY}


def test_a_database_that_is_not_there_is_told_without_the_password(mariadb, url):
    dead = url.replace(f":{mariadb.port}/", ":1/")
    for wrong in (dead, url.replace("p%3A", "X"), url.rpartition("/")[0] + "/elsewhere"):
        with pytest.raises(StartupError) as raised:
            open_store(wrong, 1.0)
        text = str(raised.value)
        assert "\n" not in text
        assert not any(secret in text for secret in ("p:@ss", "%3A%40", "w?rd"))


def test_a_ledger_of_a_newer_program_is_not_opened(node, mariadb, database, url):
    node().close()
    mariadb.ask(f"UPDATE {database}.bank_facts SET value = 99")
    with pytest.raises(StartupError, match="newer"):
        open_store(url)


def test_the_second_host_is_asked_when_the_first_is_away(node, mariadb, url):
    where = url.replace(f"@{mariadb.host}:", f"@127.0.0.1:1,{mariadb.host}:")
    store = node(where=where)
    assert opened(store, 3)
    assert verified(where).total == 3
