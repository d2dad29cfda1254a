"""Giving a payment back, whole or in parts, never more than it was. Pure.

A refund is a payment of its own, with its own number, that names the payment it gives back; how
much was given back is part of that payment's record, and both change in one block. To another
bank it is a transfer: what is on its way counts as given back until it turns out that it is not.
"""

from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.payments.abroad import as_payment, set_aside
from bank_node.banking.payments.disputes import refunded_in_full
from bank_node.banking.payments.exchange import share
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import Dispute, agenda_key, dispute_key
from bank_node.banking.payments.records import (
    PENDING,
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
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Move
from bank_node.ledger.transfers import Transfer
from bank_node.values import AccountNumber, Amount


class OnItsWay(NamedTuple):
    """A refund to another bank, and the transfer that carries it; None for one that is over."""

    note: Note
    transfer: Transfer | None


class GiveBack(WithPin, frozen=True):
    """Gives a part of a payment back to who paid it.

    Its result is the note of the refund, or an OnItsWay. `refund` names the payment in `of`; the
    same refund again has the same result.
    """

    refund: Payment
    cap: int = 0
    """How much this bank may owe the payer's, if that is another one."""
    dispute: Dispute | None = None
    """The dispute about the payment, which is over when nothing is left to be given back."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        about = touched_by_dispute(self.dispute) if self.dispute else ()
        return (*touched_by(self.proof.account), *touched_by_refund(self.refund), *about)

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        refund = self.refund
        known = state.notes.get(payment_key(refund.id))
        if known is not None:
            if not read(Payment, known).is_same(refund):
                return Reason.REFERENCE_TAKEN
            return OnItsWay(known, state.transfers.get(refund.id)) if refund.day else known
        note = state.notes.get(refund.original_key)
        # Whose payment it was is nobody else's business, so it is not there for them.
        if note is None or read(Payment, note).payee_account != person.account:
            return Reason.NO_SUCH_PAYMENT
        if person.is_frozen:
            return Reason.FROZEN
        payer = state.notes.get(person_key(refund.payee_account)) if refund.is_local else None
        if payer is not None and read(Person, payer).is_frozen:
            return Reason.PAYEE_FROZEN
        given = give_back(state, refund, self.cap)
        if isinstance(given, Note) and self.dispute:
            refunded_in_full(state, self.dispute.id, refund)
        return given


def touched_by_refund(refund: Payment) -> tuple[int | str, ...]:
    """What giving a payment back touches."""
    there = (
        (settlement_account(refund.payee_bank),) if refund.day
        else (refund.payee_account, person_key(refund.payee_account))
    )  # fmt: skip
    return (refund.payer_account, *there, refund.original_key, payment_key(refund.id), refund.id)


def touched_by_dispute(dispute: Dispute) -> tuple[str, ...]:
    """What a change of a dispute touches."""
    return (dispute_key(dispute.id), *map(agenda_key, dispute.here))


def is_refundable(payment: Payment, amount: int) -> Reason | None:
    """Why an amount of a payment cannot be given back."""
    if payment.state == PENDING:
        return Reason.PAYMENT_PENDING
    if payment.is_backwards or payment.state != SUCCESS:
        return Reason.NOT_REFUNDABLE
    if payment.refunded + amount > payment.amount:
        return Reason.REFUND_TOO_MUCH
    return None


def give_back(state: State, refund: Payment, cap: int = 0) -> Note | OnItsWay | Reason:
    """Moves the money of a refund, notes it down, and what is left of the payment."""
    note = state.notes.get(refund.original_key)
    if note is None:
        return Reason.NO_SUCH_PAYMENT
    payment = read(Payment, note)
    why = is_refundable(payment, refund.amount)
    if why is not None:
        return why
    if payment.other_currency:
        refund = _exchanged(payment, refund)
        if not refund.other_amount:
            return Reason.PAYMENT_AMOUNT
    moved = set_aside(state, refund, cap) if refund.day else _move_here(state, refund)
    if isinstance(moved, Reason):
        return moved
    after = replace(payment, refunded=payment.refunded + refund.amount)
    noting.write(state, note.key, body_of(after), is_open=note.is_open)
    booked = replace(refund, rrn=rrn_of(moved.entry), state=PENDING if refund.day else SUCCESS)
    is_open = bool(refund.day)
    written = noting.write(state, payment_key(refund.id), body_of(booked), is_open=is_open)
    return OnItsWay(written, moved) if is_open else written


def _exchanged(payment: Payment, refund: Payment) -> Payment:
    """A refund with what its payer gets of what it paid once, in its own currency.

    It follows the rate of the payment; refunds of all of it give all of it back.
    """
    before = share(payment.refunded, payment.amount, payment.other_amount)
    after = share(payment.refunded + refund.amount, payment.amount, payment.other_amount)
    return replace(refund, other_amount=after - before, other_currency=payment.other_currency,
                   rate=payment.rate)  # fmt: skip


def _move_here(state: State, refund: Payment) -> Transfer | Reason:
    """Moves the money back to an account of this bank."""
    account, payee = AccountNumber(refund.payer_account), AccountNumber(refund.payee_account)
    moved = moves.carry_out(state, Move(refund.id, account, payee, Amount(refund.amount)))
    return as_payment(moved) if isinstance(moved, Reason) else moved
