"""Group commit: what a submission hears, when, and what failures of the store do to it."""

from threading import Event, current_thread

import pytest
from ledger_model import assert_state_is_that_of_the_journal, book
from support.heard import PATIENCE, WAIT_S, submit

from bank_node.errors import OutcomeUnknown, Reason, StoreError
from bank_node.ledger import book as rules
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadClients,
    ReadLastEntry,
    ReadTotal,
    Withdraw,
)
from bank_node.ledger.writer import Writer
from bank_node.telemetry.metrics import Metrics


class FaultyStore:
    """A store in memory whose commits can be held up or made to fail."""

    def __init__(self):
        self._store = MemoryStore()
        self.errors = {}
        self.committing, self.may_commit = Event(), Event()
        self.may_commit.set()

    def __getattr__(self, name):
        return getattr(self._store, name)

    def fork(self, operations):
        self.fail("fork")
        return self._store.fork(operations)

    def commit(self, state, block):
        self.committing.set()
        assert self.may_commit.wait(WAIT_S), PATIENCE
        self.fail("commit")
        self._store.commit(state, block)

    def discard(self):
        self.fail("discard")
        self._store.discard()

    def read(self, operation):
        self.fail("read")
        return self._store.read(operation)

    def fail(self, step):
        if step in self.errors:
            raise self.errors[step]

    def hold(self):
        self.committing.clear()
        self.may_commit.clear()

    def sizes(self):
        return [block.entry_count for block in self._store.blocks()]


@pytest.fixture
def store():
    return FaultyStore()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def number(store):
    """An account that holds 100."""
    (number,) = book(store._store, OpenAccount(0))
    book(store._store, Deposit(number, 100))
    return number


@pytest.fixture
def writer(store, metrics, clock, number):
    writer = Writer(store, metrics, clock, batch_operations=8)
    writer.start()
    yield writer
    store.may_commit.set()
    writer.stop()
    assert not writer._thread.is_alive()


def full():
    return StoreError("the disk is full", reason=Reason.STORE_FULL, final=False)


def test_results_come_in_the_order_of_the_operations_on_the_ledger_thread(writer, number):
    heard = submit(
        writer, Deposit(number, 5), Withdraw(number, 500), ReadBalance(number), CloseAccount(10_001)
    )
    assert heard.results == [0, Reason.INSUFFICIENT_FUNDS, 105, Reason.NO_SUCH_ACCOUNT]
    assert (heard.times, heard.thread) == (1, "ledger")


def test_a_read_behind_a_write_of_one_submission_sees_it(writer, number):
    heard = submit(
        writer, ReadBalance(number), Deposit(number, 5), ReadBalance(number), ReadTotal(),
        OpenAccount(3), ReadClients(),
    )  # fmt: skip
    results = heard.results
    assert (results[0], results[2], results[3], results[5]) == (100, 105, 105, 2)


def test_the_last_entry_of_an_account_is_known_beside_changes_of_others(writer, number):
    (other,) = submit(writer, OpenAccount(1)).results
    heard = submit(writer, Deposit(other, 1), ReadLastEntry(number))
    assert heard.results == [0, writer.read(ReadLastEntry(number))]


def test_results_come_only_after_the_commit(writer, store, number):
    store.hold()
    heard = submit(writer, Deposit(number, 5), ReadBalance(number))
    assert store.committing.wait(WAIT_S), PATIENCE
    assert not heard.came
    assert writer.read(ReadBalance(number)) == 100, "readers see nothing that is not durable"
    store.may_commit.set()
    assert heard.results == [0, 105]
    assert writer.read(ReadBalance(number)) == 105


def test_what_gathers_during_a_commit_is_one_block(writer, store, metrics, number):
    store.hold()
    first = submit(writer, Deposit(number, 1))
    assert store.committing.wait(WAIT_S), PATIENCE
    later = [submit(writer, Deposit(number, 1), ReadBalance(number)) for _ in range(4)]
    store.may_commit.set()
    assert first.results == [0]
    assert [heard.results for heard in later] == [[0, 102], [0, 103], [0, 104], [0, 105]]
    assert store.sizes()[2:] == [1, 4]
    assert (metrics.batches, metrics.batched_operations) == (2, 5)


def test_a_batch_is_not_larger_than_the_limit_unless_one_submission_is(writer, store, number):
    store.hold()
    everyone = [submit(writer, Deposit(number, 1))]
    assert store.committing.wait(WAIT_S), PATIENCE
    for size in (3, 5, 1, 20, 8, 7, 2):
        everyone.append(submit(writer, *[Deposit(number, 1)] * size))
    store.may_commit.set()
    assert [len(heard.results) for heard in everyone] == [1, 3, 5, 1, 20, 8, 7, 2]
    assert store.sizes()[2:] == [1, 8, 1, 20, 8, 7, 2]


def test_a_refusal_leaves_its_neighbours_alone(writer, store, number):
    store.hold()
    submit(writer, Deposit(number, 1))
    assert store.committing.wait(WAIT_S), PATIENCE
    refused, booked = submit(writer, Withdraw(number, 999)), submit(writer, Withdraw(number, 101))
    store.may_commit.set()
    assert (refused.results, booked.results) == ([Reason.INSUFFICIENT_FUNDS], [0])


def test_reads_and_refusals_alone_make_no_block(writer, store, number):
    assert submit(writer, ReadBalance(number), Withdraw(number, 101)).results[0] == 100
    assert store.sizes() == [1, 1]


def test_a_submission_without_operations_is_answered_too(writer):
    heard = submit(writer)
    assert heard.results == []


def test_call_waits_for_its_result(writer, number):
    assert writer.call(Deposit(number, 5)) == 0
    assert writer.call(ReadBalance(number)) == 105


def test_a_failed_commit_fails_every_write_of_the_batch_and_answers_its_reads(
    writer, store, metrics, number
):
    store.hold()
    first = submit(writer, Deposit(number, 1))
    assert store.committing.wait(WAIT_S), PATIENCE
    one = submit(writer, Deposit(number, 5), ReadBalance(number))
    other = submit(writer, OpenAccount(1), ReadClients(), Withdraw(number, 999))
    store.errors["commit"] = full()
    store.may_commit.set()
    assert first.results == [Reason.STORE_FULL]
    assert one.results == [Reason.STORE_FULL, 100]
    assert other.results[:2] == [Reason.STORE_FULL, 1]
    assert isinstance(other.results[2], Reason)
    assert metrics.store_errors == 2
    assert store.sizes() == [1, 1]


def test_writes_go_on_after_a_failure_that_is_not_final(writer, store, number):
    store.errors["commit"] = full()
    assert submit(writer, OpenAccount(7), Deposit(number, 5)).results == [Reason.STORE_FULL] * 2
    assert writer.failure is None
    store.errors.clear()
    assert submit(writer, Deposit(number, 5), ReadBalance(number)).results == [0, 105]
    numbers = [submit(writer, *[OpenAccount(n) for n in range(45_000)]).results for _ in range(2)]
    assert len(set(numbers[0] + numbers[1]) - {Reason.NO_FREE_ACCOUNT}) == 89_999


def test_after_a_final_failure_writes_stay_refused_and_reads_are_served(writer, store, number):
    store.errors["commit"] = OutcomeUnknown("the fsync failed")
    heard = submit(writer, Deposit(number, 5), ReadBalance(number))
    assert heard.results == [Reason.OUTCOME_UNKNOWN, 100]
    assert writer.failure is Reason.STORE_FAILED
    store.errors.clear()
    store.committing.clear()
    for _ in range(3):
        heard = submit(writer, Deposit(number, 5), OpenAccount(1), ReadBalance(number))
        assert heard.results == [Reason.STORE_FAILED, Reason.STORE_FAILED, 100]
    assert submit(writer, ReadBalance(number)).results == [100]
    assert not store.committing.is_set(), "the store is not written to again"
    assert store.sizes() == [1, 1]


def test_a_defect_costs_only_who_met_it_and_the_thread_lives_on(
    writer, store, number, monkeypatch, caplog
):
    def broken(_state, _operation):
        raise ZeroDivisionError

    monkeypatch.setitem(rules._RULES, Withdraw, broken)
    heard = submit(writer, Deposit(number, 5), OpenAccount(1), Withdraw(number, 13))
    assert heard.results[0] == 0, "whoever asked for something else gets it"
    assert heard.results[2] is Reason.INTERNAL
    assert "ZeroDivisionError" in caplog.text
    assert submit(writer, ReadBalance(number), ReadClients()).results == [105, 2]
    assert submit(writer, Withdraw(number, 13)).results == [Reason.INTERNAL]
    assert submit(writer, Deposit(number, 5), ReadBalance(number)).results == [0, 110]
    assert store.sizes() == [1, 1, 2, 1]
    assert writer.failure is None


def test_a_store_that_cannot_be_reached_at_all_is_an_answer_and_not_the_end(writer, store, number):
    for step in ("fork", "read"):
        store.errors[step] = full()
    heard = submit(writer, Deposit(number, 5), ReadBalance(number))
    assert heard.results == [Reason.STORE_FULL] * 2
    store.errors.clear()
    assert submit(writer, Deposit(number, 5), ReadBalance(number)).results == [0, 105]


def test_reads_that_break_a_failed_batch_again_do_not_end_the_thread(writer, store, number):
    store.errors = {"commit": full(), "read": ZeroDivisionError()}
    heard = submit(writer, Deposit(number, 5), ReadBalance(number))
    assert heard.results == [Reason.STORE_FULL, Reason.INTERNAL]
    store.errors.clear()
    assert submit(writer, ReadBalance(number)).results == [100]


def test_a_store_that_cannot_discard_is_not_written_to_again(writer, store, number):
    store.errors = {"commit": full(), "discard": ZeroDivisionError()}
    assert submit(writer, Deposit(number, 5)).results == [Reason.STORE_FULL]
    assert writer.failure is Reason.STORE_FAILED
    assert submit(writer, Deposit(number, 5), ReadBalance(number)).results[1] == 100
    store.errors.clear()
    assert submit(writer, Deposit(number, 5)).results == [Reason.STORE_FAILED]


def test_a_callback_that_raises_hurts_nobody(writer, store, number, caplog):
    def broken(_results):
        raise RuntimeError("the loop is closed")

    store.hold()
    submit(writer, Deposit(number, 1))
    assert store.committing.wait(WAIT_S), PATIENCE
    writer.submit((Deposit(number, 1),), broken)
    neighbour = submit(writer, Deposit(number, 1), ReadBalance(number))
    store.may_commit.set()
    assert neighbour.results == [0, 103]
    assert "the loop is closed" in caplog.text
    assert submit(writer, ReadBalance(number)).results == [103]


def test_stop_finishes_what_was_submitted_before(writer, store, number):
    store.hold()
    everyone = [submit(writer, Deposit(number, 1))]
    assert store.committing.wait(WAIT_S), PATIENCE
    everyone += [submit(writer, *[Deposit(number, 1)] * 5) for _ in range(6)]
    store.may_commit.set()
    writer.stop()
    assert all(heard.came for heard in everyone)
    assert writer.read(ReadBalance(number)) == 131
    writer.stop()


def test_every_submission_after_the_end_hears_that_the_node_stops(writer, number):
    """Nobody waits for ever for a thread that has ended."""
    writer.stop()
    heard = submit(writer, Deposit(number, 1), ReadBalance(number))
    assert heard.came
    assert heard.results == [Reason.STOPPING, Reason.STOPPING]
    assert writer.call(Deposit(number, 1)) is Reason.STOPPING


def test_a_commit_that_fails_while_stopping_is_told(writer, store, number):
    store.hold()
    first = submit(writer, Deposit(number, 1))
    assert store.committing.wait(WAIT_S), PATIENCE
    last = submit(writer, Deposit(number, 1))
    store.errors["commit"] = OutcomeUnknown("the fsync failed")
    store.may_commit.set()
    writer.stop()
    assert (first.results, last.results) == ([Reason.OUTCOME_UNKNOWN], [Reason.STORE_FAILED])


def test_the_blocks_are_sealed_in_one_chain(writer, store, number):
    for _ in range(5):
        assert writer.call(Deposit(number, 1)) == 0
    assert_state_is_that_of_the_journal(store)


def test_a_writer_that_is_barred_refuses_changes_and_answers_reads(store, writer, number):
    writer.bar(True)
    heard = submit(writer, Deposit(number, 1), ReadBalance(number), OpenAccount(1))
    assert heard.results == [Reason.NOT_LEADER, 100, Reason.NOT_LEADER]
    writer.bar(False)
    assert submit(writer, Deposit(number, 1), ReadBalance(number)).results == [0, 101]


def test_work_between_two_batches_is_done_on_the_ledger_thread(writer):
    done = []
    writer.between(lambda: done.append(current_thread().name))
    assert done == ["ledger"]
    with pytest.raises(ZeroDivisionError):
        writer.between(lambda: 1 // 0)
    assert writer.call(ReadClients()) == 1, "and does the thread no harm"


def test_work_after_the_end_is_refused(writer):
    writer.stop()
    with pytest.raises(StoreError):
        writer.between(lambda: None)
