"""Answers that wait for followers: released in order, once, and as unknown if it takes too long."""

from threading import Event

import pytest

from bank_node.ledger.quorum import Quorum

WAIT_S = 10


class Told:
    """Remembers what was released, in order."""

    def __init__(self):
        self.told = []
        self.came = Event()

    def release(self, name):
        def release(confirmed):
            self.told.append((name, confirmed))
            self.came.set()

        return release


@pytest.fixture
def told():
    return Told()


def quorum(wait_for=1, patience_s=1000.0):
    return Quorum(wait_for, patience_s, lambda: 0)


def test_an_answer_waits_until_enough_followers_have_its_block(told):
    waiting = quorum(wait_for=2)
    waiting.hold(5, told.release("five"))
    waiting.hold(6, told.release("six"))
    waiting.confirmed("a", 6)
    waiting.confirmed("a", 6)
    assert told.told == [], "one follower twice is one follower"
    waiting.confirmed("b", 5)
    assert told.told == [("five", True)]
    waiting.confirmed("c", 7)
    assert told.told == [("five", True), ("six", True)]


def test_a_block_that_was_confirmed_before_is_released_at_once(told):
    waiting = quorum()
    waiting.confirmed("a", 9)
    waiting.hold(9, told.release("nine"))
    waiting.hold(10, told.release("ten"))
    assert told.told == [("nine", True)]


def test_a_follower_that_lost_blocks_takes_no_confirmation_back(told):
    waiting = quorum()
    waiting.confirmed("a", 9)
    waiting.confirmed("a", 3)
    waiting.hold(8, told.release("eight"))
    assert told.told == [("eight", True)]


def test_what_waits_too_long_is_told_as_unknown(told):
    waiting = quorum(patience_s=0.0)
    waiting.start()
    waiting.hold(1, told.release("one"))
    assert told.came.wait(WAIT_S)
    assert told.told == [("one", False)]
    waiting.confirmed("a", 1)
    assert told.told == [("one", False)], "told once"
    waiting.close()


def test_at_the_end_everything_is_told(told):
    waiting = quorum()
    waiting.start()
    waiting.hold(1, told.release("one"))
    waiting.close()
    waiting.hold(2, told.release("two"))
    assert told.told == [("one", False), ("two", False)]
    waiting._thread.join(WAIT_S)
    assert not waiting._thread.is_alive()
