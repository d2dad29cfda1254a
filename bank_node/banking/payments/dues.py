"""What a mandate needs at a moment: a function of its record, the clock and the rules. Pure."""

from enum import Enum
from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.machines import MANDATE_ASKED, MandateState
from bank_node.banking.payments.occasions import ASPRESENTED, next_window
from bank_node.banking.payments.papers import PAYER, Mandate, Plan

_S = 1_000_000
_DAY_S = 86_400
_NOTICE_DAYS = 2
"""How many days before its first day a payment is told of: time enough for any notice."""
# How long after its time a mandate is let go whose payer's bank does not say what became of it.
_SILENCE_US = _DAY_S * _S
_SILENCE_DAYS = 3


class Todo(Enum):
    """What a mandate needs."""

    NOTHING = "nothing"
    EXPIRE = "expire"
    COMPLETE = "complete"
    MISS = "miss"
    """The window has passed without a payment."""
    NOTICE = "notice"
    EXECUTE = "execute"
    SETTLE = "settle"
    """What became of its latest payment to another bank is to be taken into account."""


PAYMENT = "payment"
"""What a question is about that asks for the next payment alone."""


class Question(NamedTuple):
    """What a payer is asked for about a mandate."""

    about: str
    """`mandate`, `terms` (other ones), or `payment` (the next one)."""
    amount: int
    end: int
    """The last day of what is asked for, or of the mandate that the payment is for."""


def due(mandate: Mandate, now: Moment, rules: Rules) -> Todo:
    """What a mandate needs now."""
    there = mandate.there
    if there is not None and there.side == PAYER:
        return _due_there(mandate, now)
    if mandate.is_open and there is not None and there.paying:
        return Todo.SETTLE if there.outcome else Todo.NOTHING
    if mandate.state is MandateState.PENDING:
        return Todo.EXPIRE if now.us >= mandate.expires_us else Todo.NOTHING
    if not mandate.is_open:
        return Todo.NOTHING
    if now.day > mandate.plan.end:
        return Todo.COMPLETE
    if now.day > mandate.last:
        return Todo.MISS
    if mandate.state is MandateState.PAUSED or not mandate.amount_due:
        return Todo.NOTHING
    if not mandate.noticed_us:
        return Todo.NOTICE if now.day >= mandate.first - _NOTICE_DAYS else Todo.NOTHING
    may_be_paid = (
        now.day >= mandate.first
        and now.us >= mandate.noticed_us + rules.notice_s * _S
        and now.us >= mandate.next_try_us
        and (mandate.confirmed or not needs_word(mandate, rules))
    )
    return Todo.EXECUTE if may_be_paid else Todo.NOTHING


def _due_there(mandate: Mandate, now: Moment) -> Todo:
    """What a mandate needs that another bank keeps: nothing, while that can still be heard of."""
    if mandate.state in MANDATE_ASKED and now.us >= mandate.expires_us + _SILENCE_US:
        return Todo.EXPIRE
    is_past = mandate.is_open and now.day > mandate.plan.end + _SILENCE_DAYS
    return Todo.COMPLETE if is_past else Todo.NOTHING


def needs_word(mandate: Mandate, rules: Rules) -> bool:
    """Whether the payer is to agree to the next payment on its own."""
    return mandate.amount_due > rules.unasked


def asked_of_payer(mandate: Mandate, rules: Rules) -> Question | None:
    """What the payer agrees to by approving a mandate now, or has agreed to for this time."""
    plan = mandate.plan
    if mandate.state in MANDATE_ASKED:
        return Question("mandate", plan.amount, plan.end)
    if not mandate.is_open:
        return None
    if mandate.proposed is not None:
        return Question("terms", mandate.proposed.amount, mandate.proposed.end)
    # Before the payer is told of a payment there is nothing to agree to: an approval of the one
    # before it, said once more, must not count for this one.
    is_asked = bool(mandate.noticed_us) and needs_word(mandate, rules)
    return Question(PAYMENT, mandate.amount_due, plan.end) if is_asked else None


def advanced(mandate: Mandate, terms: Terms, not_before: int = 0) -> Mandate:
    """The mandate with its next occurrence; completed when there is none.

    An occurrence that could not be told of in time is none.
    """
    plan, rules = mandate.plan, terms.rules
    day = max(not_before, terms.now.day - (-rules.notice_s // _DAY_S))
    is_started = bool(mandate.last)
    period = mandate.period + (is_started and plan.recurrence != ASPRESENTED)
    found = next_window(plan, period, day)
    fresh = replace(
        mandate, occurrence=mandate.occurrence + is_started, presented=0, noticed_us=0,
        confirmed=False, tries=0, next_try_us=0,
    )  # fmt: skip
    if found is None:
        return replace(fresh, state=MandateState.COMPLETED)
    period, window = found
    return replace(fresh, period=period, first=window.first, last=window.last)


def after_failure(failed: Mandate, terms: Terms) -> Mandate:
    """A mandate after one more payment has failed: it is tried again, or given up this time."""
    if failed.tries > terms.rules.retries:
        return advanced(failed, terms)
    return replace(failed, next_try_us=terms.now.us + terms.rules.retry_s * _S)


def is_whole(plan: Plan, day: int) -> bool:
    """Whether a plan has a day that can still come."""
    return plan.start <= plan.end and next_window(plan, 0, day) is not None
