"""Disputes: a payer wants a payment back, both sides are heard, it is decided, and why. Pure.

The bank of the payee decides, or rather its operator, or a deadline: who does not answer has
lost, and what was contested and not decided stays paid. Here nothing is about money: what is
given back is in `chargebacks.py`.
"""

from msgspec.structs import replace

from bank_node.banking.payments import agenda
from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.machines import DISPUTE_STEPS, DisputeMessage, DisputeState
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Dispute,
    Statement,
    agenda_key,
    dispute_key,
)
from bank_node.banking.payments.records import (
    SUCCESS,
    Payment,
    body_of,
    payment_key,
    person_key,
    read,
)
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Result
from bank_node.ledger.state import State

STATEMENTS_MAX = 5
"""What either side may say to one dispute."""
_S = 1_000_000
_DAY_US = 86_400 * _S
_KINDS = ("pay", "collect", "mandate")
BY_OPERATOR, BY_TIME, BY_REFUND = "operator", "time", "refund"


def find(state: State, dispute_id: str) -> Dispute | None:
    note = state.notes.get(dispute_key(dispute_id))
    return read(Dispute, note) if note else None


def end(state: State, dispute: Dispute, step: DisputeState, by: str, refund: str = "") -> Note:
    """Notes down that a dispute is over, and by whom; the note."""
    by = dispute.decided or by
    after = replace(dispute, state=step, decided=by, refund=refund or dispute.refund, why="")
    return agenda.file_dispute(state, after)


def is_disputable(payment: Payment, now_us: int, rules: Rules) -> Reason | None:
    """Why nobody may dispute a payment now."""
    is_paid = payment.state == SUCCESS and payment.refunded < payment.amount
    if payment.kind not in _KINDS or not is_paid:
        return Reason.NOT_DISPUTABLE
    if now_us >= payment.time_us + rules.dispute_days * _DAY_US:
        return Reason.DISPUTE_LATE
    return None


def refunded_in_full(state: State, dispute_id: str, refund: Payment) -> None:
    """After a refund: a dispute about a payment that is back altogether is over."""
    note, dispute = state.notes.get(refund.original_key), find(state, dispute_id)
    if note is None or dispute is None or not dispute.is_open or dispute.is_paying:
        return
    payment = read(Payment, note)
    step = DISPUTE_STEPS[dispute.state, DisputeMessage.REFUND]
    if payment.refunded >= payment.amount and isinstance(step, DisputeState):
        end(state, dispute, step, BY_REFUND, refund.id)


class Raise(WithPin, frozen=True):
    """The payer disputes a payment. Its result is the note of the Dispute.

    The same again changes nothing and has the same result, whatever became of it.
    """

    dispute: Dispute

    @property
    def touched(self) -> tuple[int | str, ...]:
        dispute = self.dispute
        return (*touched_by(self.proof.account), dispute.key, payment_key(dispute.payment),
                person_key(dispute.payee_account), *map(agenda_key, dispute.here))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        dispute = self.dispute
        note = state.notes.get(payment_key(dispute.payment))
        payment = read(Payment, note) if note else None
        if note is None or payment is None or payment.payer_account != person.account:
            return Reason.NO_SUCH_PAYMENT
        known = state.notes.get(dispute.key)
        if known is not None:
            is_same = read(Dispute, known).said[0].text == dispute.said[0].text
            return known if is_same else Reason.REFERENCE_TAKEN
        why = is_disputable(payment, self.terms.now.us, self.terms.rules)
        # Whoever has no address is not told of disputes, and must not lose them by silence.
        if not dispute.payee_bank and person_key(payment.payee_account) not in state.notes:
            why = Reason.NOT_DISPUTABLE
        if why is not None:
            return why
        if agenda.is_full_of_disputes(state, person.account):
            return Reason.TOO_MANY_REQUESTS
        disputed = replace(payment, dispute=dispute.id)
        noting.write(state, note.key, body_of(disputed), is_open=note.is_open)
        amount = payment.amount - payment.refunded
        return agenda.file_dispute(state, replace(dispute, amount=amount))


class Say(WithPin, frozen=True):
    """A side says something to a dispute, contests it, or withdraws it. Its result is the note."""

    known: Dispute
    """As it was a moment ago."""
    message: DisputeMessage | None
    """CONTEST, WITHDRAW, or None for evidence alone."""
    text: str = ""

    @property
    def touched(self) -> tuple[int | str, ...]:
        known = self.known
        return (*touched_by(self.proof.account), known.key, *map(agenda_key, known.here))

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        dispute = find(state, self.known.id)
        side = dispute.side_of(person.account) if dispute else ""
        if dispute is None or side not in _MAY_SAY[self.message]:
            return Reason.NO_SUCH_REQUEST
        if self.message is DisputeMessage.WITHDRAW:
            after = withdrawn(dispute)
        else:
            after = self._heard(dispute, side)
        if isinstance(after, Reason):
            return after
        if after == dispute:
            return state.notes[dispute.key]
        return agenda.file_dispute(state, after)

    def _heard(self, dispute: Dispute, side: str) -> Dispute | Reason:
        terms = self.terms
        if self.message is None:
            if not dispute.is_open or dispute.state is DisputeState.OWED:
                return Reason.REQUEST_OVER
        else:
            contested = after_message(dispute, self.message, terms)
            if isinstance(contested, Reason):
                return contested
            dispute = contested
        return with_statement(dispute, Statement(side, self.text, terms.now.us))


_MAY_SAY: dict[DisputeMessage | None, tuple[str, ...]] = {
    None: (PAYER, PAYEE),
    DisputeMessage.CONTEST: (PAYEE,),
    DisputeMessage.WITHDRAW: (PAYER,),
}


def after_message(dispute: Dispute, message: DisputeMessage, terms: Terms) -> Dispute | Reason:
    """A dispute after its payee has contested it: time for somebody to decide begins."""
    step = DISPUTE_STEPS[dispute.state, message]
    if isinstance(step, Reason) or step is dispute.state:
        return step if isinstance(step, Reason) else dispute
    deadline_us = terms.now.us + terms.rules.dispute_decide_s * _S
    return replace(dispute, state=step, deadline_us=deadline_us)


def with_statement(dispute: Dispute, statement: Statement) -> Dispute | Reason:
    """A dispute to which a side has said something; the same again says nothing more."""
    of_side = [each for each in dispute.said if each.by == statement.by]
    if any(each.text == statement.text for each in of_side):
        return dispute
    if len(of_side) >= STATEMENTS_MAX:
        return Reason.TOO_MUCH_SAID
    return replace(dispute, said=(*dispute.said, statement))


def withdrawn(dispute: Dispute) -> Dispute | Reason:
    """A dispute that its payer lets go; the bank of the payee has to hear of it first."""
    step = DISPUTE_STEPS[dispute.state, DisputeMessage.WITHDRAW]
    if isinstance(step, Reason):
        return step
    if step is dispute.state:
        return dispute
    if dispute.is_paying:
        return Reason.REQUEST_OVER
    if dispute.payee_bank:
        return replace(dispute, withdrawing=True)
    return replace(dispute, state=step, decided=PAYER)


def due(dispute: Dispute, now: Moment) -> DisputeMessage | None:
    """What becomes of a dispute by itself now; None if nothing."""
    if dispute.payee_bank or dispute.is_paying or not dispute.is_open:
        return None
    if now.us < dispute.deadline_us:
        return None
    is_contested = dispute.state is DisputeState.CONTESTED
    return DisputeMessage.REJECT if is_contested else DisputeMessage.CHARGE
