"""When mandates may be paid: every recurrence, the ends of months, leap years, the plan's edges."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments import occasions
from bank_node.banking.payments.occasions import begins_after, next_window, window
from bank_node.banking.payments.papers import Plan
from bank_node.protocol.payment_values import RECURRENCE_DAYS


def day(text):
    return date.fromisoformat(text).toordinal()


def plan(recurrence, start="2026-01-10", end="2028-12-31"):
    name, _, rest = recurrence.partition(":")
    rule, _, number = rest.partition(":")
    return Plan(100, True, name, rule, int(number or 0), day(start), day(end))


def windows(plan, count):
    found, period = [], 0
    while len(found) < count and not begins_after(plan, period):
        each = window(plan, period)
        period += 1
        if each is not None:
            first, last = map(date.fromordinal, each)
            found.append(f"{first}" if first == last else f"{first}..{last}")
    return found


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        ("daily", ["2026-01-10", "2026-01-11", "2026-01-12"]),
        # The 10th is a Saturday; the Monday of its week is before the plan.
        ("weekly:on:1", ["2026-01-12", "2026-01-19", "2026-01-26"]),
        ("weekly:on:7", ["2026-01-11", "2026-01-18", "2026-01-25"]),
        ("weekly:before:3", ["2026-01-12..2026-01-14", "2026-01-19..2026-01-21"]),
        ("weekly:after:6", ["2026-01-10..2026-01-11", "2026-01-17..2026-01-18"]),
        ("fortnightly:on:1", ["2026-01-16", "2026-02-01", "2026-02-16", "2026-03-01"]),
        ("fortnightly:on:16", ["2026-01-15", "2026-01-31", "2026-02-15", "2026-02-28"]),
        ("monthly:on:5", ["2026-02-05", "2026-03-05"]),
        ("monthly:on:31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("monthly:before:31", ["2026-01-10..2026-01-31", "2026-02-01..2026-02-28"]),
        ("monthly:after:30", ["2026-01-30..2026-01-31", "2026-02-28", "2026-03-30..2026-03-31"]),
        ("bimonthly:on:31", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("quarterly:on:31", ["2026-01-31", "2026-04-30", "2026-07-31"]),
        ("quarterly:after:15", ["2026-01-15..2026-03-31", "2026-04-15..2026-06-30"]),
        ("halfyearly:on:31", ["2026-01-31", "2026-07-31", "2027-01-31"]),
        ("yearly:on:31", ["2026-01-31", "2027-01-31", "2028-01-31"]),
    ],
)
def test_the_windows_of_a_recurrence(recurrence, expected):
    assert windows(plan(recurrence), len(expected)) == expected


def test_the_29th_of_february_comes_every_year_as_the_last_day_of_the_month():
    yearly = plan("yearly:on:29", "2026-02-01", "2029-12-31")
    assert windows(yearly, 9) == ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"]


@pytest.mark.parametrize("recurrence", ["onetime", "aspresented"])
def test_what_has_no_periods_may_be_paid_on_any_day_of_the_plan(recurrence):
    whole = plan(recurrence)
    assert next_window(whole, 0, whole.start + 7) == (0, (whole.start, whole.end))
    assert next_window(whole, 0, whole.end + 1) is None


def test_onetime_comes_once_and_aspresented_again_and_again():
    assert next_window(plan("onetime"), 1, day("2026-02-01")) is None
    assert next_window(plan("aspresented"), 9, day("2026-02-01")) is not None


def test_a_plan_ends_with_its_last_day_included():
    assert windows(plan("daily", "2026-01-10", "2026-01-11"), 9) == ["2026-01-10", "2026-01-11"]
    assert windows(plan("monthly:on:31", "2026-01-31", "2026-02-28"), 9) == [
        "2026-01-31", "2026-02-28"
    ]  # fmt: skip
    assert windows(plan("monthly:on:31", "2026-01-31", "2026-02-27"), 9) == ["2026-01-31"]


def test_the_end_of_all_calendars_is_no_error():
    late = plan("yearly:on:31", "9998-12-01", "9999-12-31")
    assert windows(late, 9) == ["9998-12-31", "9999-12-31"]
    assert next_window(late, 5, day("9999-12-31")) is None


@pytest.mark.parametrize("today", ["0001-01-02", "2026-11-21", "9999-12-30"])
@pytest.mark.parametrize("recurrence", sorted(RECURRENCE_DAYS))
def test_a_plan_of_ten_thousand_years_costs_no_more_than_one_of_days(
    recurrence, today, monkeypatch
):
    """Another bank may ask for one, and the ledger waits meanwhile."""
    looked = []

    def counted(plan, period):
        looked.append(period)
        return window(plan, period)

    monkeypatch.setattr(occasions, "window", counted)
    rule = ":on:7" if RECURRENCE_DAYS[recurrence] else ""
    long = plan(recurrence + rule, "0001-01-01", "9999-12-31")
    found = next_window(long, 0, day(today))
    assert found is None or found[1].last >= day(today)
    assert len(looked) <= 4


@st.composite
def plans(draw):
    recurrence = draw(st.sampled_from(sorted(RECURRENCE_DAYS)))
    highest = RECURRENCE_DAYS[recurrence]
    rule = draw(st.sampled_from(("on", "before", "after"))) if highest else ""
    start = draw(st.integers(day("2020-01-01"), day("2030-01-01")))
    return Plan(1, True, recurrence, rule, draw(st.integers(1, highest)) if highest else 0,
                start, start + draw(st.integers(0, 900)))  # fmt: skip


@given(plans(), st.integers(-10, 1000))
def test_windows_lie_in_the_plan_one_after_the_other_and_none_is_skipped(plan, later):
    found, period = [], 0
    while not begins_after(plan, period) and period < 1100:
        each = window(plan, period)
        if each:
            assert plan.start <= each.first <= each.last <= plan.end
            found.append((period, each))
        period += 1
        if plan.recurrence == "aspresented":
            break
    assert all(a.last < b.first for (_, a), (_, b) in pairwise(found))
    today = plan.start + later
    expected = next(((n, each) for n, each in found if each.last >= today), None)
    assert next_window(plan, 0, today) == expected
