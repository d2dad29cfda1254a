"""Mandates as the ledger has them: found, and whether money from another bank is for one. Pure."""

from bank_node.banking.payments.machines import MANDATE_STEPS, MandateMessage
from bank_node.banking.payments.papers import PAYER, Mandate, mandate_key
from bank_node.banking.payments.records import read
from bank_node.errors import Reason
from bank_node.ledger.state import State


def find(state: State, mandate_id: str) -> Mandate | None:
    """A mandate that the state holds, whatever became of it."""
    note = state.notes.get(mandate_key(mandate_id))
    return read(Mandate, note) if note else None


def why_not_payable(state: State, mandate_id: str, bank: str, payee: int) -> Reason | None:
    """Why money from another bank must not be paid by a mandate of this one's client.

    How much may be paid, and when, the payer's bank knows.
    """
    mandate = find(state, mandate_id)
    if mandate is None or not mandate.is_with(bank, PAYER) or mandate.payee_account != payee:
        return Reason.NO_SUCH_REQUEST
    if mandate.is_open:
        return None
    why = MANDATE_STEPS[mandate.state, MandateMessage.APPROVE]
    return why if isinstance(why, Reason) else Reason.REQUEST_OVER
