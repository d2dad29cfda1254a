"""What a client may spend, how fast, and how often a PIN may be wrong. Pure.

`Activity` is what is remembered of one account: it is part of the ledger's state, so a crash
forgets no wrong PIN and no money spent. Days are those of the bank's own time zone.
"""

from typing import NamedTuple

from msgspec import Struct

from bank_node.errors import Reason

_S = 1_000_000
_H24_US = 86_400 * _S
_CLOCK_AHEAD_DAYS_MAX = 7


class Rules(NamedTuple):
    """What the bank allows everybody. Amounts in units."""

    per_payment: int = 10_000_000
    per_day: int = 10_000_000
    new_client: int = 500_000
    """What an account may spend altogether in its first 24 hours."""
    merchant_per_day: int = 0
    """What a merchant may be paid in a day; 0 for as much as it likes."""
    payments_a_minute: int = 30
    pin_tries: int = 3
    lock_out_s: int = 86_400
    asking: str = "merchants"
    """Who may ask others for money: everybody, merchants or nobody."""
    asking_s: int = 1800
    """How long a request for money waits, unless whoever asks says it."""
    notice_s: int = 86_400
    """How long before a payment of a mandate its payer is told."""
    unasked: int = 1_500_000
    """What a mandate may pay without asking its payer each time."""
    retries: int = 9
    """How often a payment of a mandate that failed is tried again."""
    retry_s: int = 7200
    """How long after a failed try the next one is."""
    dispute_days: int = 45
    """How long after a payment its payer may dispute it."""
    dispute_answer_s: int = 7 * 86_400
    """How long a payee has to answer a dispute."""
    dispute_decide_s: int = 14 * 86_400
    """How long the bank has to decide a dispute that was contested."""
    dispute_retry_s: int = 3600
    """How long after money could not be taken for a payer it is tried again."""
    dispute_ask_s: int = 300
    """How long after another bank was asked about a dispute it is asked again."""


class Activity(NamedTuple):
    """What has lately happened on an account. Moments are microseconds since 1970."""

    wrong_pins: int = 0
    locked_until_us: int = 0
    day: int = 0
    """The day, counted from the year 1, that `spent` belongs to; see `counted_day`."""
    spent: int = 0
    minute: int = 0
    """The minute, counted from 1970, that `payments` belongs to."""
    payments: int = 0
    spent_new: int = 0
    """What was spent in the account's first 24 hours."""


class Own(NamedTuple):
    """The limits that a client has chosen; None where the bank's count."""

    per_payment: int | None = None
    per_day: int | None = None


class Moment(Struct, frozen=True):
    """Now, and which day that is where the bank is."""

    us: int
    day: int


class Terms(Struct, frozen=True):
    """When an operation is decided, and the rules of the bank then."""

    now: Moment
    rules: Rules


def is_locked(activity: Activity, now: Moment) -> bool:
    """Whether no PIN is taken for this account at the moment."""
    return now.us < activity.locked_until_us


def wrong_pin(activity: Activity, rules: Rules, now: Moment) -> Activity:
    """After one more wrong PIN; the last try locks."""
    wrong = activity.wrong_pins + 1
    if wrong < rules.pin_tries:
        return activity._replace(wrong_pins=wrong)
    return activity._replace(wrong_pins=0, locked_until_us=now.us + rules.lock_out_s * _S)


def right_pin(activity: Activity) -> Activity:
    """After a right PIN: the wrong ones before it are forgotten."""
    return activity._replace(wrong_pins=0) if activity.wrong_pins else activity


def counted_day(counted: int, today: int) -> int:
    """The day that something counts for, after what has counted for an earlier or a later one.

    A clock that is set back does not begin a day again. One that was far ahead must not hold a
    client up until that day comes, so only what it has counted stays, and the day goes back.
    """
    return counted if today < counted <= today + _CLOCK_AHEAD_DAYS_MAX else today


def spent_today(activity: Activity, now: Moment) -> int:
    """What has been spent of the limit of the day."""
    return activity.spent if now.day <= activity.day else 0


def refusal(
    activity: Activity, own: Own, rules: Rules, opened_us: int, amount: int, now: Moment
) -> Reason | None:
    """Why an amount may not be spent now; None if it may."""
    per_payment = rules.per_payment if own.per_payment is None else own.per_payment
    if amount > min(per_payment, rules.per_payment):
        return Reason.LIMIT_OF_PAYMENT
    spent = spent_today(activity, now)
    per_day = rules.per_day if own.per_day is None else own.per_day
    if spent + amount > min(per_day, rules.per_day):
        return Reason.LIMIT_OF_DAY
    if _is_new(opened_us, now) and activity.spent_new + amount > rules.new_client:
        return Reason.LIMIT_OF_NEW_CLIENT
    if activity.minute == _minute(now) and activity.payments >= rules.payments_a_minute:
        return Reason.TOO_MANY_PAYMENTS
    return None


def spent(activity: Activity, opened_us: int, amount: int, now: Moment) -> Activity:
    """After a payment."""
    minute = _minute(now)
    return Activity(
        activity.wrong_pins,
        activity.locked_until_us,
        counted_day(activity.day, now.day),
        spent_today(activity, now) + amount,
        minute,
        (activity.payments if activity.minute == minute else 0) + 1,
        activity.spent_new + (amount if _is_new(opened_us, now) else 0),
    )


def given_back(activity: Activity, opened_us: int, amount: int, paid: Moment) -> Activity:
    """After a payment made at a moment came to nothing: what it took of the limits is free again.

    The day of that moment is the one that the payment has counted for.
    That it was tried still counts for how many there may be in a minute.
    """
    of_day = amount if activity.day == paid.day else 0
    of_new = amount if _is_new(opened_us, paid) else 0
    return activity._replace(
        spent=max(0, activity.spent - of_day), spent_new=max(0, activity.spent_new - of_new)
    )


def _is_new(opened_us: int, now: Moment) -> bool:
    return now.us < opened_us + _H24_US


def _minute(now: Moment) -> int:
    return now.us // (60 * _S)
