"""Limits of what is spent, and of how often a PIN may be wrong."""

from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments.limits import (
    Activity,
    Moment,
    Own,
    Rules,
    given_back,
    is_locked,
    refusal,
    right_pin,
    spent,
    spent_today,
    wrong_pin,
)
from bank_node.errors import Reason

S = 1_000_000
DAY_US = 86_400 * S
RULES = Rules(per_payment=1000, per_day=3000, new_client=500, payments_a_minute=3)
NOBODY = Own()


def at(seconds, day=100):
    return Moment(1_700_000_000 * S + int(seconds * S), day)


LONG_AGO = at(-10 * 86_400).us


def pay(activity, amount, now, own=NOBODY, opened_us=LONG_AGO):
    why = refusal(activity, own, RULES, opened_us, amount, now)
    return why or spent(activity, opened_us, amount, now)


def test_what_came_to_nothing_is_free_again_but_only_on_its_own_day():
    before = pay(Activity(), 400, at(0), opened_us=at(0).us)
    after = pay(before, 100, at(1), opened_us=at(0).us)
    freed = given_back(after, at(0).us, 100, at(1))
    assert (freed.spent, freed.spent_new) == (400, 400)
    next_day = pay(Activity(), 50, at(DAY_US // S, 101))
    assert given_back(next_day, LONG_AGO, 400, at(0)).spent == 50


def test_a_payment_has_a_limit():
    assert pay(Activity(), 1000, at(0)).spent == 1000
    assert pay(Activity(), 1001, at(0)) is Reason.LIMIT_OF_PAYMENT


def test_a_day_has_a_limit_and_the_next_day_begins_anew():
    activity = Activity()
    for n in range(3):
        activity = pay(activity, 1000, at(n * 100))
    assert pay(activity, 1, at(400)) is Reason.LIMIT_OF_DAY
    assert pay(activity, 1000, at(500, day=101)).spent == 1000


def test_a_clock_set_back_does_not_begin_a_day_again_and_neither_does_setting_it_right():
    activity = Activity()
    for n in range(3):
        activity = pay(activity, 1000, at(n * 100))
    for day in (99, 93, 100):
        assert spent_today(activity, at(400, day)) == 3000
        assert pay(activity, 1, at(400, day)) is Reason.LIMIT_OF_DAY
    assert pay(activity, 1000, at(500, day=101)).spent == 1000


def test_what_is_spent_while_the_clock_is_set_back_counts_for_the_day_before_that():
    activity = pay(pay(Activity(), 1000, at(0)), 1000, at(100, day=99))
    assert (activity.day, activity.spent) == (100, 2000)
    assert pay(activity, 1000, at(200)).spent == 3000


def test_a_clock_that_was_far_ahead_holds_nobody_up_and_frees_nothing():
    ahead = pay(Activity(), 1000, at(0, day=4000))
    activity = pay(pay(ahead, 1000, at(100)), 1000, at(200))
    assert pay(activity, 1, at(300)) is Reason.LIMIT_OF_DAY
    assert pay(activity, 1000, at(400, day=101)).spent == 1000


@given(
    st.lists(st.tuples(st.integers(500, 1000), st.integers(0, 3), st.integers(-3, 3)), max_size=40)
)
def test_whatever_a_clock_says_that_errs_by_days_no_day_begins_twice(payments):
    """The true day only goes on; the clock is up to three days before or after it."""
    activity, total, true_day, days = Activity(), 0, 100, {0}
    for n, (amount, passing, error) in enumerate(payments):
        true_day += passing == 0
        now = at(n * 100, day=true_day + error)
        days.add(max(now.day, max(days)))
        after = pay(activity, amount, now)
        if isinstance(after, Activity):
            activity, total = after, total + amount
    assert total <= RULES.per_day * (len(days) - 1)


def test_a_client_may_choose_lower_limits_but_no_higher_ones():
    assert pay(Activity(), 11, at(0), Own(per_payment=10)) is Reason.LIMIT_OF_PAYMENT
    assert pay(Activity(), 11, at(0), Own(per_day=10)) is Reason.LIMIT_OF_DAY
    assert pay(Activity(), 1001, at(0), Own(10**6, 10**6)) is Reason.LIMIT_OF_PAYMENT


def test_a_new_client_may_spend_little_in_its_first_24_hours_across_midnight_too():
    opened = at(0).us
    activity = pay(Activity(), 300, at(10), opened_us=opened)
    assert pay(activity, 201, at(20), opened_us=opened) is Reason.LIMIT_OF_NEW_CLIENT
    assert pay(activity, 201, at(20, day=101), opened_us=opened) is Reason.LIMIT_OF_NEW_CLIENT
    assert pay(activity, 201, at(86_400, day=101), opened_us=opened).spent == 201


def test_payments_of_one_minute_are_counted():
    start = at(40)
    activity = Activity()
    for _ in range(3):
        activity = pay(activity, 1, start)
    assert pay(activity, 1, start) is Reason.TOO_MANY_PAYMENTS
    assert pay(activity, 1, at(100)).payments == 1


def test_the_third_wrong_pin_locks_for_24_hours():
    activity = wrong_pin(wrong_pin(Activity(), RULES, at(0)), RULES, at(1))
    assert not is_locked(activity, at(2))
    activity = wrong_pin(activity, RULES, at(2))
    assert is_locked(activity, at(2))
    assert is_locked(activity, at(86_401))
    assert not is_locked(activity, at(86_402))


def test_after_the_lock_there_are_three_tries_again():
    activity = Activity()
    for n in range(3):
        activity = wrong_pin(activity, RULES, at(n))
    late = at(90_000)
    again = wrong_pin(wrong_pin(activity, RULES, late), RULES, late)
    assert not is_locked(again, late)
    assert is_locked(wrong_pin(again, RULES, late), late)


def test_a_right_pin_forgets_the_wrong_ones_before_it():
    activity = right_pin(wrong_pin(wrong_pin(Activity(), RULES, at(0)), RULES, at(0)))
    assert not is_locked(wrong_pin(activity, RULES, at(1)), at(1))


@given(st.lists(st.tuples(st.integers(1, 1500), st.integers(0, 200_000)), max_size=40))
def test_no_order_of_payments_spends_more_in_a_day_than_allowed(payments):
    activity, by_day = Activity(), {}
    for amount, seconds in sorted(payments, key=lambda p: p[1]):
        now = at(seconds, day=100 + seconds // 86_400)
        after = pay(activity, amount, now, opened_us=at(0).us)
        if isinstance(after, Activity):
            activity = after
            by_day[now.day] = by_day.get(now.day, 0) + amount
    assert all(total <= RULES.per_day for total in by_day.values())
