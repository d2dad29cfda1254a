"""What a merchant was paid today, where the bank limits that. Pure.

It counts at the bank of the merchant, whoever pays and from whichever bank. What fails later on its
way, and what is given back, stays counted: a limit that refunds could reset would be none.
"""

from bank_node.banking.payments.limits import Terms, counted_day
from bank_node.banking.payments.records import Person, Takings, body_of, read, takings_key
from bank_node.banking.payments.uri import NOT_A_MERCHANT
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.state import State


def touched_by_takings(payee_account: int, terms: Terms | None) -> tuple[str, ...]:
    """What counting touches; nothing where there is no limit."""
    is_limited = terms is not None and terms.rules.merchant_per_day
    return (takings_key(payee_account),) if is_limited else ()


def refusal(state: State, payee: Person | None, amount: int, terms: Terms) -> Reason | None:
    """Why somebody may not be paid so much now."""
    if not _is_limited(payee, terms):
        return None
    assert payee is not None
    today = _of_today(_known(state, payee.account), terms)
    is_above = today + amount > terms.rules.merchant_per_day
    return Reason.LIMIT_OF_MERCHANT if is_above else None


def count(state: State, payee: Person | None, amount: int, terms: Terms) -> None:
    """After somebody was paid."""
    if _is_limited(payee, terms):
        assert payee is not None
        known = _known(state, payee.account)
        day = counted_day(known.day, terms.now.day)
        body = body_of(Takings(payee.account, day, _of_today(known, terms) + amount))
        noting.write(state, takings_key(payee.account), body)


def _is_limited(payee: Person | None, terms: Terms) -> bool:
    is_merchant = payee is not None and payee.category != NOT_A_MERCHANT
    return is_merchant and bool(terms.rules.merchant_per_day)


def _of_today(known: Takings, terms: Terms) -> int:
    return known.amount if terms.now.day <= known.day else 0


def _known(state: State, account: int) -> Takings:
    note = state.notes.get(takings_key(account))
    return read(Takings, note) if note else Takings(account, 0, 0)
