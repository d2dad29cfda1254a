"""Lock-out of addresses that guess: limited, timed by a clock of the test, bounded in memory."""

from bank_node.security.attempts import Attempts

S = 1_000_000_000
HERE, THERE = "127.0.0.1", "127.0.0.2"


def attempts(**options):
    return Attempts(failures_max=3, lock_out_s=60, **options)


def fail(tried, times, address=HERE, now_ns=0):
    return [tried.failed(address, now_ns) for _ in range(times)]


def test_the_last_failure_allowed_locks_the_address_out_and_says_so_once():
    tried = attempts()
    assert fail(tried, 2) == [False, False]
    assert not tried.is_locked_out(HERE, 0)
    assert fail(tried, 2) == [True, False]
    assert tried.is_locked_out(HERE, 0)


def test_another_address_is_not_locked_out():
    tried = attempts()
    fail(tried, 3)
    assert not tried.is_locked_out(THERE, 0)


def test_a_lock_out_ends_and_asking_does_not_make_it_longer():
    tried = attempts()
    fail(tried, 3)
    assert all(tried.is_locked_out(HERE, second * S) for second in range(60))
    assert not tried.is_locked_out(HERE, 60 * S)
    assert fail(tried, 3, now_ns=60 * S) == [False, False, True]


def test_a_success_forgets_the_failures():
    tried = attempts()
    fail(tried, 2)
    tried.succeeded(HERE)
    assert fail(tried, 2) == [False, False]


def test_old_failures_do_not_count():
    tried = attempts()
    fail(tried, 2)
    assert fail(tried, 2, now_ns=61 * S) == [False, False]


def test_the_address_that_failed_longest_ago_makes_room():
    tried = attempts(addresses_max=2)
    fail(tried, 3, HERE)
    fail(tried, 3, THERE)
    fail(tried, 1, "127.0.0.3")
    assert not tried.is_locked_out(HERE, 0)
    assert tried.is_locked_out(THERE, 0)
