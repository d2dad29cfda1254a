"""Payments of mandates to other banks: each one in its time, and each only once. Pure.

A payment that sets out is named in its mandate, which needs nothing else until it is known what
that came to, and that is taken into account in one block. Each try is a transfer of its own.
"""

from msgspec.structs import replace

from bank_node.banking.payments.abroad import set_aside
from bank_node.banking.payments.dues import Todo, advanced, after_failure
from bank_node.banking.payments.known_mandates import find
from bank_node.banking.payments.mandates import Attend, counted, keep, revoked
from bank_node.banking.payments.mandates_abroad import GONE
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.papers import PAID, Mandate, agenda_key
from bank_node.banking.payments.records import (
    MANDATE,
    PENDING,
    Payment,
    Person,
    body_of,
    payment_key,
    person_key,
    read,
)
from bank_node.banking.payments.refunds import OnItsWay
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.operations import Result
from bank_node.ledger.state import State
from bank_node.ledger.transfers import Transfer


class AttendAbroad(Attend, frozen=True):
    """Does what a mandate of another bank's client needs; see `Attend`.

    A payment that sets out is an OnItsWay. `payment_id` is that of one try.
    """

    tries: int
    cap: int
    """How much this bank may owe the other one."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        payer, there = self.mandate.payer_account, self.mandate.there
        assert there is not None, "it is between banks"
        return (self.mandate.key, agenda_key(payer), payer, person_key(payer),
                settlement_account(there.bank), payment_key(self.payment_id),
                self.payment_id)  # fmt: skip

    def go_on(self, state: State, mandate: Mandate, todo: Todo) -> Result:
        there = mandate.there
        assert there is not None, "it is between banks"
        if todo is Todo.SETTLE:
            after = advanced if there.outcome == PAID else after_failure
            return keep(state, after(counted(mandate), self.terms))
        if mandate.tries != self.tries:
            return Reason.NO_SUCH_REQUEST
        payment = Payment(
            self.payment_id, MANDATE, mandate.payer, mandate.payer_account, mandate.payee,
            mandate.payee_account, there.bank, mandate.payee_name, mandate.amount_due,
            mandate.reference, mandate.note, self.terms.now.us, of=mandate.id,
            order=mandate.reference, state=PENDING, day=self.terms.now.day,
        )  # fmt: skip
        held = self._set_aside(state, payment)
        if isinstance(held, Reason):
            failed = replace(mandate, tries=mandate.tries + 1, why=held.value)
            return keep(state, after_failure(failed, self.terms))
        booked = replace(payment, rrn=rrn_of(held.entry))
        note = noting.write(state, payment_key(payment.id), body_of(booked))
        keep(state, replace(mandate, abroad=replace(there, paying=payment.id)))
        return OnItsWay(note, held)

    def _set_aside(self, state: State, payment: Payment) -> Transfer | Reason:
        """Takes the money of one occurrence from its account. The payer agreed beforehand."""
        if read(Person, state.notes[person_key(payment.payer_account)]).is_frozen:
            return Reason.FROZEN
        if payment.amount > self.terms.rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        return set_aside(state, payment, self.cap)


def carried_out(state: State, payment: Payment, why: Reason | None) -> None:
    """After a payment of a mandate to another bank has arrived, or failed for a reason."""
    mandate = find(state, payment.of)
    there = mandate.there if mandate else None
    if mandate is None or there is None or there.paying != payment.id:
        return
    after = replace(mandate, abroad=replace(there, outcome=why.value if why else PAID))
    if not mandate.is_open:
        after = counted(after)
    elif why in GONE:
        after = revoked(after)
    keep(state, after)
