"""A database that goes away, connections that end, and commits whose outcome is lost."""

import threading
import time
from contextlib import closing

import pytest
from ledger_model import assert_state_is_that_of_the_journal, book, opened
from mysql_nodes import CLOCK, pending, until_booked, verified
from support.cutting import Cutter
from support.mariadb import open_store
from support.polling import until

from bank_node.errors import (
    Conflict,
    OutcomeUnknown,
    Reason,
    StartupError,
    StoreError,
)
from bank_node.ledger.operations import (
    Deposit,
    ReadBalance,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.writer import Writer
from bank_node.telemetry.metrics import Metrics

INSERT, COMMIT = b"INSERT INTO bank_blocks", b"COMMIT"


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


def test_the_second_host_is_asked_when_the_first_is_away(node, mariadb, url):
    where = url.replace(f"@{mariadb.host}:", f"@127.0.0.1:1,{mariadb.host}:")
    store = node(where=where)
    assert opened(store, 3)
    assert verified(where).total == 3
