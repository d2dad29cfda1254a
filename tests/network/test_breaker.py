"""Calls to a peer that fail: when none passes any more, and when one does again."""

import pytest
from support.directory import OWN, PEER, hear

from bank_node.network.breaker import CLOSED
from bank_node.network.budget import Budgets
from bank_node.network.peers import Directory


@pytest.fixture
def directory():
    return Directory(OWN)


def fail(directory, times, now=0.0):
    for _ in range(times):
        assert directory.admits(PEER, now)
        directory.call_ended(PEER, now, why="no reply")


def test_after_three_failed_calls_in_a_row_none_passes_until_the_back_off_is_over(directory):
    hear(directory)
    fail(directory, 2)
    directory.admits(PEER, 0)
    directory.call_ended(PEER, 0, latency_ms=5)
    fail(directory, 3)
    assert not directory.admits(PEER, 0.5)
    assert directory.get(PEER).breaker.state(0.5) == "open"
    assert directory.get(PEER).breaker.state(1.0) == "half-open"
    assert directory.admits(PEER, 1.0)


def test_one_probe_at_a_time_decides(directory):
    hear(directory)
    fail(directory, 3)
    assert directory.admits(PEER, 1)
    assert not directory.admits(PEER, 1.1)
    directory.call_ended(PEER, 1.2, latency_ms=5)
    assert directory.admits(PEER, 1.2)
    assert directory.admits(PEER, 1.2)


def test_the_back_off_doubles_up_to_a_cap():
    breaker, now, waits = CLOSED, 0.0, []
    for _ in range(3):
        breaker = breaker.failed(now)
    for _ in range(8):
        waits.append(breaker.opens_at - now)
        now = breaker.opens_at
        assert breaker.admits(now)
        breaker = breaker.begun(now).failed(now)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_calls_that_began_before_it_opened_do_not_lengthen_the_back_off(directory):
    hear(directory)
    for _ in range(50):
        assert directory.admits(PEER, 0)
    for _ in range(50):
        directory.call_ended(PEER, 5, why="no reply")
    assert directory.admits(PEER, 6)


def test_a_probe_that_never_reports_its_end_does_not_close_the_way_for_ever(directory):
    hear(directory)
    fail(directory, 3)
    assert directory.admits(PEER, 1)
    assert not directory.admits(PEER, 15)
    assert directory.admits(PEER, 17)


def test_a_failed_call_makes_the_peer_suspect_until_it_is_asked(directory):
    hear(directory)
    fail(directory, 1)
    assert directory.get(PEER).is_suspected
    assert directory.verified(PEER), "the peer itself decides that, not one call"
    assert not hear(directory).is_suspected


def test_answering_bc_does_not_close_an_open_breaker_but_coming_back_does(directory):
    hear(directory)
    fail(directory, 3)
    hear(directory)
    assert not directory.admits(PEER, 0.5)
    directory.missed(PEER, "refused", 0.6)
    directory.missed(PEER, "refused", 0.7)
    hear(directory)
    assert directory.admits(PEER, 0.8)


def test_nobody_is_sent_more_requests_a_minute_than_the_strictest_allows():
    budgets = Budgets(50)
    for second in range(50):
        assert budgets.left(PEER, second) > 0
        budgets.spent(PEER, second)
    assert budgets.left(PEER, 59) == 0
    assert budgets.left("10.1.2.10", 59) == 50
    assert budgets.left(PEER, 60 + 30) == 25, "half of the minute before still counts"
    assert budgets.left(PEER, 180) == 50
