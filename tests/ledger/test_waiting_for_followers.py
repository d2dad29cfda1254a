"""A writer whose answers wait until followers have what they are about."""

from queue import SimpleQueue

import pytest
from ledger_model import book
from support.heard import WAIT_S, submit

from bank_node.errors import Reason
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import CloseAccount, Deposit, OpenAccount, ReadBalance, Withdraw
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.transfer_operations import Move
from bank_node.ledger.writer import Writer
from bank_node.telemetry.metrics import Metrics


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def number(store):
    """An account that holds 100."""
    (number,) = book(store, OpenAccount(0))
    book(store, Deposit(number, 100))
    return number


@pytest.fixture
def other(store):
    """Another one."""
    (number,) = book(store, OpenAccount(7))
    return number


@pytest.fixture
def quorum():
    return Quorum(1, 1000, lambda: 0)


@pytest.fixture
def published():
    """The blocks that go to followers."""
    return SimpleQueue()


@pytest.fixture
def writer(store, clock, quorum, published, number, other):
    writer = Writer(store, Metrics(), clock, batch_operations=8)
    writer.ship(published.put, quorum)
    writer.start()
    yield writer
    writer.stop()


def test_answers_wait_for_followers_and_reads_of_other_batches_do_not(
    store, writer, quorum, published, number
):
    heard = submit(writer, Deposit(number, 1), ReadBalance(number))
    assert published.get(timeout=WAIT_S).height == store.head.height
    assert writer.call(ReadBalance(number)) == 101
    assert not heard.came
    quorum.confirmed("a", store.head.height)
    assert heard.results == [0, 101]
    assert writer.call(CloseAccount(number)) is Reason.ACCOUNT_NOT_EMPTY, "nothing to wait for"


def test_a_repeated_change_waits_for_followers_as_the_first_one_did(
    writer, quorum, published, number, other
):
    first = submit(writer, Move("rent", number, other, 5))
    assert published.get(timeout=WAIT_S)
    again = submit(writer, Move("rent", number, other, 5))
    writer.stop()
    assert not first.came
    assert not again.came
    quorum.close()
    assert [first.results, again.results] == [[Reason.OUTCOME_UNKNOWN]] * 2


def test_what_no_follower_confirms_is_unknown(writer, quorum, published, number):
    heard = submit(writer, Deposit(number, 1), ReadBalance(number), Withdraw(number, 999))
    assert published.get(timeout=WAIT_S)
    assert writer.call(ReadBalance(number)) == 101
    quorum.close()
    assert heard.results == [Reason.OUTCOME_UNKNOWN, 101, Reason.INSUFFICIENT_FUNDS]
