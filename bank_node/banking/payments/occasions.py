"""When a mandate may be paid: recurrences, days of a period, the ends of months. Pure.

A plan's time is cut into periods, numbered from 0: the one with its first day is number 0. Each
has one window of days in which one payment may be made. Days are ordinals in the bank's own time
zone, so that a day of 23 or 25 hours is a day like any other.
"""

from datetime import date
from typing import NamedTuple

from bank_node.banking.payments.papers import Plan

ONETIME, ASPRESENTED = "onetime", "aspresented"
ON, BEFORE, AFTER = "on", "before", "after"

_MONTHS = {"monthly": 1, "bimonthly": 2, "quarterly": 3, "halfyearly": 6, "yearly": 12}
_DAYS = {"daily": 1, "weekly": 7}
_HALF = 15
_LAST_DAY = date.max.toordinal()


class Window(NamedTuple):
    """The days between which a payment may be made, both included."""

    first: int
    last: int


def window(plan: Plan, period: int) -> Window | None:
    """The window of a period; None where the plan leaves no day of it.

    A day that a month does not have is its last one.
    """
    if plan.recurrence in (ONETIME, ASPRESENTED):
        whole = Window(plan.start, plan.end)
        return whole if period == 0 or plan.recurrence == ASPRESENTED else None
    first, last, named = _period(plan, period)
    if plan.day_rule == ON:
        first = last = named
    elif plan.day_rule == BEFORE:
        last = named
    elif plan.day_rule == AFTER:
        first = named
    first, last = max(first, plan.start), min(last, plan.end)
    return Window(first, last) if first <= last else None


def begins_after(plan: Plan, period: int) -> bool:
    """Whether a period begins after the last day of the plan."""
    if plan.recurrence in (ONETIME, ASPRESENTED):
        return period > 0 and plan.recurrence == ONETIME
    return _period(plan, period)[0] > plan.end


def next_window(plan: Plan, period: int, day: int) -> tuple[int, Window] | None:
    """The first period from this one on whose window has not passed on a day, and its window."""
    if plan.recurrence != ASPRESENTED:
        period = max(period, _near(plan, day))
    while not begins_after(plan, period):
        found = window(plan, period)
        if found is not None and found.last >= day:
            return period, found
        if plan.recurrence == ASPRESENTED:
            return None
        period += 1
    return None


def _near(plan: Plan, day: int) -> int:
    """A period that is not after the one with a day, and next to it.

    However long a plan runs: whoever asks for one waits on the thread that all others need.
    """
    if plan.recurrence in _DAYS:
        passed = (day - plan.start) // _DAYS[plan.recurrence]
    elif plan.recurrence == ONETIME:
        passed = 0
    else:
        start, now = (date.fromordinal(min(at, _LAST_DAY)) for at in (plan.start, day))
        passed = (now.year - start.year) * 12 + now.month - start.month
        if plan.recurrence in _MONTHS:
            passed //= _MONTHS[plan.recurrence]
        else:
            passed = 2 * passed + (now.day > _HALF) - (start.day > _HALF)
    return max(0, passed - 1)


def _period(plan: Plan, period: int) -> tuple[int, int, int]:
    """The first and last day of a period, and the day of it that the rule names."""
    start = date.fromordinal(plan.start)
    if plan.recurrence == "daily":
        day = plan.start + period
        return day, day, day
    if plan.recurrence == "weekly":
        first = plan.start - start.weekday() + 7 * period
        return first, first + 6, first + plan.day - 1
    if plan.recurrence == "fortnightly":
        return _fortnight(start, period, plan.day)
    months = _MONTHS[plan.recurrence]
    month = start.year * 12 + start.month - 1 + months * period
    first, last = _first_of(month), _first_of(month + months) - 1
    return first, last, min(first + plan.day - 1, _first_of(month + 1) - 1)


def _fortnight(start: date, period: int, day: int) -> tuple[int, int, int]:
    """Months have two: from the 1st to the 15th, and from the 16th to the end."""
    half = (start.year * 12 + start.month - 1) * 2 + (start.day > _HALF) + period
    month, is_second = divmod(half, 2)
    first = _first_of(month) + (_HALF if is_second else 0)
    last = _first_of(month + 1) - 1 if is_second else first + _HALF - 1
    return first, last, min(first + day - 1, last)


def _first_of(month: int) -> int:
    """The first day of a month, which is counted from the year 0."""
    year, rest = divmod(month, 12)
    # No calendar goes on after 9999; what would be later is after every plan's end.
    if year > date.max.year:
        return date.max.toordinal() + 31 * (month - date.max.year * 12 - 11)
    return date(year, rest + 1, 1).toordinal()
