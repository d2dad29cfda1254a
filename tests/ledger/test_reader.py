"""Reads of a shared ledger: proved by one question, and handed on when the state is old."""

from threading import Event

import pytest

from bank_node.errors import Reason, StoreError
from bank_node.ledger.operations import ReadBalance, ReadTotal
from bank_node.ledger.reader import Reader

WAIT_S = 10


class FakeStore:
    """Answers 7 from memory; a test says whether memory is the latest."""

    reads_are_instant = False

    def __init__(self):
        self.questions = 0
        self.answer = True
        self.asked, self.may_answer = Event(), Event()
        self.may_answer.set()

    def is_current(self):
        self.questions += 1
        self.asked.set()
        assert self.may_answer.wait(WAIT_S)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def peek(self, operation):
        return 7 if operation == ReadTotal() else Reason.NO_SUCH_ACCOUNT


class Heard:
    def __init__(self):
        self._came = Event()

    def __call__(self, results):
        self._results = results
        self._came.set()

    @property
    def results(self):
        assert self._came.wait(WAIT_S)
        return self._results


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def passed_on():
    return []


@pytest.fixture
def reader(store, passed_on):
    reader = Reader(store, lambda operations, done: passed_on.append((operations, done)))
    reader.start()
    yield reader
    store.may_answer.set()
    assert reader.stop(WAIT_S)


def look_up(reader, *operations):
    heard = Heard()
    reader.look_up(operations, heard)
    return heard


def test_reads_of_the_latest_state_are_answered_from_memory(reader, passed_on):
    heard = look_up(reader, ReadTotal(), ReadBalance(10_000))
    assert heard.results == [7, Reason.NO_SUCH_ACCOUNT]
    assert passed_on == []


def test_what_gathers_while_the_database_is_asked_shares_the_next_question(reader, store):
    store.may_answer.clear()
    first = look_up(reader, ReadTotal())
    assert store.asked.wait(WAIT_S)
    later = [look_up(reader, ReadTotal()) for _ in range(5)]
    store.may_answer.set()
    assert [each.results for each in (first, *later)] == [[7]] * 6
    assert store.questions == 2


def test_reads_of_an_old_state_go_to_the_ledger_thread(reader, store, passed_on):
    store.answer = False
    heard = look_up(reader, ReadTotal())
    assert reader.stop(WAIT_S)
    assert passed_on == [((ReadTotal(),), heard)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreError("gone", reason=Reason.STORE_AWAY, final=False), Reason.STORE_AWAY),
        (ZeroDivisionError(), Reason.INTERNAL),
    ],
)
def test_a_database_that_cannot_be_asked_is_an_answer(reader, store, error, reason):
    store.answer = error
    assert look_up(reader, ReadTotal(), ReadTotal()).results == [reason, reason]
    store.answer = True
    assert look_up(reader, ReadTotal()).results == [7]


def test_somebody_who_is_gone_hurts_nobody(reader, caplog):
    def gone(_results):
        raise RuntimeError("the loop is closed")

    reader.look_up((ReadTotal(),), gone)
    assert look_up(reader, ReadTotal()).results == [7]
    assert "the loop is closed" in caplog.text


def test_stopping_answers_what_was_asked_before(reader, store):
    store.may_answer.clear()
    everyone = [look_up(reader, ReadTotal()) for _ in range(4)]
    assert not reader.stop(0.01)
    store.may_answer.set()
    assert [each.results for each in everyone] == [[7]] * 4
