"""What another bank asks of this one's clients: what requests for money and mandates share. Pure.

How each of them begins and ends is in `requests_abroad.py` and `mandates_abroad.py`.
"""

from bank_node.banking.payments import agenda
from bank_node.banking.payments.papers import Request, agenda_key
from bank_node.banking.payments.records import person_key
from bank_node.errors import Reason
from bank_node.ledger.state import State
from bank_node.protocol.letter_words import Asked
from bank_node.protocol.payment_values import SECONDS_MAX

_US = 1_000_000
# What the other bank may well take when it is asked again.
FOR_NOW = frozenset(
    (Reason.NO_SUCH_PROVIDER, Reason.TOO_BUSY, Reason.STOPPING, Reason.TIMED_OUT, Reason.NOT_LEADER,
     Reason.INTERNAL)
)  # fmt: skip


def asked_of(request: Request, amount: int, currency: str) -> Asked:
    """What the bank of a payee asks for, and of whom, as it is put into a letter."""
    assert request.there is not None, "it is between banks"
    return Asked(
        request.payee, request.payee_account, request.there.category, request.payer, amount,
        currency, request.reference, request.expires_us, request.payee_name, request.note,
    )  # fmt: skip


def touched_by_asking(wanted: Request) -> tuple[int | str, ...]:
    """What it touches that another bank asks for this."""
    payer = wanted.payer_account
    return (wanted.key, person_key(payer), agenda_key(payer))


def why_not_asked(state: State, wanted: Request, now_us: int) -> Reason | None:
    """Why a request of another bank is not even noted down."""
    if now_us >= wanted.expires_us:
        return Reason.REQUEST_EXPIRED
    if person_key(wanted.payer_account) not in state.notes:
        return Reason.NO_SUCH_ADDRESS
    return None


def why_no_room(state: State, wanted: Request) -> Reason | None:
    """Why a request of another bank may not be put on its payer's list."""
    assert wanted.there is not None, "it is between banks"
    by = agenda.stranger(wanted.there.bank, wanted.payee_account)
    return agenda.refusal(state, wanted.payer_account, by)


def expires_us(wanted: Request, now_us: int) -> int:
    """Until when a request of another bank waits here: no longer than one of this bank could."""
    return min(wanted.expires_us, now_us + SECONDS_MAX * _US)


def told_reason(refused: Reason, known: frozenset[Reason]) -> Reason:
    """What clients are told when another bank gives a reason: only what such a bank may give."""
    return refused if refused in known else Reason.RISK
