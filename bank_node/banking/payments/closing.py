"""Closing the records of payments between banks, by what became of their transfers. Pure."""

from msgspec.structs import replace

from bank_node.banking.payments import collects, instalments, limits
from bank_node.banking.payments.abroad import as_payment, change_refunded
from bank_node.banking.payments.chargebacks import arrived, came_back
from bank_node.banking.payments.limits import Moment
from bank_node.banking.payments.papers import agenda_key, collect_key, dispute_key, mandate_key
from bank_node.banking.payments.records import (
    COLLECT,
    FAILED,
    MANDATE,
    PAY,
    SUCCESS,
    Payment,
    Person,
    activity_key,
    body_of,
    body_of_activity,
    person_key,
    read,
    read_activity,
)
from bank_node.errors import Reason
from bank_node.ledger import moves, noting
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Tell
from bank_node.ledger.transfers import Phase, Transfer


def concerned(payment: Payment) -> tuple[str, ...]:
    """What changes with a record when it is closed: what it gives back or was asked for with."""
    if payment.kind == COLLECT:
        return (collect_key(payment.of), agenda_key(payment.payer_account))
    if payment.kind == MANDATE:
        return (mandate_key(payment.of), agenda_key(payment.payer_account))
    if not payment.is_backwards:
        return ()
    if not payment.dispute:
        return (payment.original_key,)
    return (payment.original_key, dispute_key(payment.dispute), agenda_key(payment.payer_account))


class Conclude(Procedure, frozen=True):
    """Says to a transfer that it ends well, and closes the record of its payment in the same block.

    Its result is that of what is said. Records that concern others as well, and those of transfers
    that fail, are left to `Finish`.
    """

    tell: Tell
    key: str
    """The key of the record."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*self.tell.touched, self.key)

    def decide(self, state: State) -> Result:
        result, note = moves.tell(state, self.tell), state.notes.get(self.key)
        if isinstance(result, Transfer) and result.phase is Phase.ENDED and note and note.is_open:
            payment = read(Payment, note)
            if payment.kind == PAY:
                body = body_of(replace(payment, state=SUCCESS))
                state.beside.append(noting.write(state, self.key, body, is_open=False))
        return result


class Finish(Procedure, frozen=True):
    """Closes the record of a payment whose transfer has come to its end. Its result is the note.

    `transfer` is as the ledger keeps it for good. What a failed payment took of the payer's
    limits is given back in the same block, so that happens once.
    """

    key: str
    transfer: Transfer
    about: tuple[str, ...] = ()
    """What else its record is about, as `concerned` tells it."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        account = self.transfer.account
        return (self.key, person_key(account), activity_key(account), *self.about)

    def decide(self, state: State) -> Result:
        note = state.notes.get(self.key)
        if note is None or not note.is_open:
            return Reason.NO_SUCH_PAYMENT
        payment = read(Payment, note)
        why = None
        if self.transfer.phase is Phase.ABORTED:
            reason = Reason(self.transfer.reason or Reason.TRANSFER_ABORTED.value)
            why = as_payment(reason)
            payment = replace(payment, state=FAILED, why=why.value)
            if payment.is_backwards:
                change_refunded(state, payment.original_key, -payment.amount)
                came_back(state, payment, why)
            elif not payment.payer_bank and payment.kind != MANDATE:
                self._give_back(state, payment)
        else:
            payment = replace(payment, state=SUCCESS)
            if payment.is_backwards and payment.dispute:
                arrived(state, payment)
        if payment.kind == COLLECT:
            collects.carried_out(state, payment, why)
        if payment.kind == MANDATE and not payment.payer_bank:
            instalments.carried_out(state, payment, why)
        return noting.write(state, self.key, body_of(payment), is_open=False)

    def _give_back(self, state: State, payment: Payment) -> None:
        note = state.notes.get(person_key(payment.payer_account))
        before = read_activity(state.notes.get(activity_key(payment.payer_account)))
        if note is None:
            return
        paid = Moment(payment.time_us, payment.day)
        after = limits.given_back(before, read(Person, note).opened_us, payment.amount, paid)
        if after != before:
            key = activity_key(payment.payer_account)
            noting.write(state, key, body_of_activity(after))
