"""Giving a payment back, whole or in parts, never more than it was. Pure.

A refund is a payment of its own, with its own number, that names the payment it gives back; how
much was given back is part of that payment's record, and both change in one block.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from bank_node.banking.payments.abroad import as_payment
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.records import (
    SUCCESS,
    Payment,
    Person,
    body_of,
    payment_key,
    person_key,
    read,
)
from bank_node.errors import Reason
from bank_node.ledger import moves, noting
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Move
from bank_node.values import AccountNumber, Amount

REFUND = "refund"
CHARGEBACK = "chargeback"
_BACKWARDS = (REFUND, CHARGEBACK)


@dataclass(frozen=True, slots=True)
class GiveBack(WithPin):
    """Gives a part of a payment back to who paid it. Its result is the note of the refund.

    `refund` names the payment in `of`; the same refund again has the same result.
    """

    refund: Payment

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), *touched_by_refund(self.refund))

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        known = state.notes.get(payment_key(self.refund.id))
        if known is not None:
            return known if read(Payment, known).is_same(self.refund) else Reason.REFERENCE_TAKEN
        note = state.notes.get(payment_key(self.refund.of))
        # Whose payment it was is nobody else's business, so it is not there for them.
        if note is None or read(Payment, note).payee_account != person.account:
            return Reason.NO_SUCH_PAYMENT
        if person.is_frozen:
            return Reason.FROZEN
        payer = state.notes.get(person_key(self.refund.payee_account))
        if payer is not None and read(Person, payer).is_frozen:
            return Reason.PAYEE_FROZEN
        return give_back(state, self.refund)


def touched_by_refund(refund: Payment) -> tuple[int | str, ...]:
    """What giving a payment back touches."""
    return (refund.payer_account, refund.payee_account, person_key(refund.payee_account),
            payment_key(refund.of), payment_key(refund.id), refund.id)  # fmt: skip


def is_refundable(payment: Payment, amount: int) -> Reason | None:
    """Why an amount of a payment cannot be given back."""
    if payment.kind in _BACKWARDS or payment.state != SUCCESS:
        return Reason.NOT_REFUNDABLE
    if payment.refunded + amount > payment.amount:
        return Reason.REFUND_TOO_MUCH
    return None


def give_back(state: State, refund: Payment) -> Note | Reason:
    """Moves the money of a refund, notes it down, and what is left of the payment."""
    note = state.notes.get(payment_key(refund.of))
    if note is None:
        return Reason.NO_SUCH_PAYMENT
    payment = read(Payment, note)
    why = is_refundable(payment, refund.amount)
    if why is not None:
        return why
    moved = moves.carry_out(state, Move(
        refund.id, AccountNumber(refund.payer_account), AccountNumber(refund.payee_account),
        Amount(refund.amount),
    ))  # fmt: skip
    if isinstance(moved, Reason):
        return as_payment(moved)
    after = replace(payment, refunded=payment.refunded + refund.amount)
    noting.write(state, note.key, body_of(after), is_open=note.is_open)
    booked = replace(refund, rrn=rrn_of(moved.entry))
    return noting.write(state, payment_key(refund.id), body_of(booked), is_open=False)
