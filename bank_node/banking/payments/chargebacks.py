"""How disputes end: accepted by the payee, or decided by its bank, and the money given back. Pure.

A payment that gives money back has its name from the dispute and the number of the try, and is
made in the block that moves the dispute on: so however often, and after whatever crash, a dispute
is attended to, it is paid once.
"""

from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.payments import agenda
from bank_node.banking.payments.disputes import (
    BY_OPERATOR,
    BY_REFUND,
    BY_TIME,
    due,
    end,
    find,
    refunded_in_full,
)
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import DISPUTE_STEPS, DisputeMessage, DisputeState
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import PAYEE, Dispute
from bank_node.banking.payments.records import CHARGEBACK, REFUND, Payment, read
from bank_node.banking.payments.refunds import (
    OnItsWay,
    give_back,
    touched_by_dispute,
    touched_by_refund,
)
from bank_node.errors import Reason
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State

_S = 1_000_000
_MESSAGE = DisputeMessage


class Accept(WithPin, frozen=True):
    """The payee gives back what is disputed. Its result is the note of the Dispute, or OnItsWay.

    Somebody without enough money has accepted nothing.
    """

    known: Dispute
    refund: Payment
    cap: int = 0

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), *touched_by_refund(self.refund),
                *touched_by_dispute(self.known))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        dispute = find(state, self.known.id)
        if dispute is None or dispute.side_of(person.account) != PAYEE:
            return Reason.NO_SUCH_REQUEST
        step = DISPUTE_STEPS[dispute.state, _MESSAGE.ACCEPT]
        if isinstance(step, Reason):
            return step
        if step is dispute.state or dispute.is_paying:
            return state.notes[dispute.key]
        if person.is_frozen:
            return Reason.FROZEN
        if dispute.tries != self.known.tries:
            return Reason.NO_SUCH_REQUEST
        wanted = Wanted(self.refund, self.cap, _MESSAGE.ACCEPT, PAYEE, self.terms)
        given = _give(state, dispute, wanted)
        return given if isinstance(given, Reason | OnItsWay) else state.notes[dispute.key]


class Settle(Procedure, frozen=True):
    """The bank decides a dispute, by its operator or because it is time.

    Its result is the note of the Dispute, that of the Payment which gave the money back, or an
    OnItsWay.
    """

    known: Dispute
    message: DisputeMessage | None
    """CHARGE or REJECT by the operator; None for what is due."""
    refund: Payment
    cap: int
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by_refund(self.refund), *touched_by_dispute(self.known))

    def decide(self, state: State) -> Result:
        dispute = find(state, self.known.id)
        if dispute is None or dispute.payee_bank or dispute.tries != self.known.tries:
            return Reason.NO_SUCH_REQUEST
        message = self.message or due(dispute, self.terms.now)
        if message is None:
            return Reason.REQUEST_PENDING
        step = DISPUTE_STEPS[dispute.state, message]
        if isinstance(step, Reason):
            return step
        if step is dispute.state or dispute.is_paying:
            return state.notes[dispute.key]
        by = BY_OPERATOR if self.message else BY_TIME
        if message is _MESSAGE.REJECT:
            return end(state, dispute, step, by)
        given = _give(state, dispute, Wanted(self.refund, self.cap, message, by, self.terms))
        if not isinstance(given, Reason):
            return given
        owed = _owed(dispute, by, "", self.terms)
        return agenda.file_dispute(state, replace(owed, tries=dispute.tries + 1, why=given.value))


class Wanted(NamedTuple):
    """How a dispute is to end, and the payment that is to give the money back."""

    refund: Payment
    cap: int
    message: DisputeMessage
    by: str
    terms: Terms


def _owed(dispute: Dispute, by: str, refund: str, terms: Terms) -> Dispute:
    """A dispute decided for the payer, whose money is not there yet."""
    step = DISPUTE_STEPS[dispute.state, _MESSAGE.OWE]
    assert isinstance(step, DisputeState), "what is open can be owed"
    return replace(
        dispute, state=step, decided=dispute.decided or by, refund=refund, why="",
        deadline_us=terms.now.us + terms.rules.dispute_retry_s * _S,
    )  # fmt: skip


def _give(state: State, dispute: Dispute, wanted: Wanted) -> Note | OnItsWay | Reason:
    """Gives back what is left to be given back of what is disputed."""
    refund, cap, message, by, terms = wanted
    note = state.notes.get(refund.original_key)
    if note is None:
        return Reason.NO_SUCH_PAYMENT
    payment = read(Payment, note)
    amount = min(dispute.amount, payment.amount - payment.refunded)
    if amount <= 0:
        step = DISPUTE_STEPS[dispute.state, _MESSAGE.REFUND]
        assert isinstance(step, DisputeState), "what is open can be refunded"
        return end(state, dispute, step, BY_REFUND)
    kind = REFUND if (dispute.decided or by) == PAYEE else CHARGEBACK
    given = give_back(state, replace(refund, amount=amount, kind=kind, dispute=dispute.id), cap)
    if isinstance(given, Reason):
        return given
    if isinstance(given, OnItsWay):
        agenda.file_dispute(state, _owed(dispute, by, refund.id, terms))
        return given
    step = DISPUTE_STEPS[dispute.state, message]
    assert isinstance(step, DisputeState), "it was looked up before"
    end(state, dispute, step, by, refund.id)
    return given


def arrived(state: State, refund: Payment) -> None:
    """After money was given back at another bank: a dispute that it settles is over."""
    dispute = find(state, refund.dispute)
    if dispute is None or dispute.refund != refund.id:
        refunded_in_full(state, refund.dispute, refund)
    elif dispute.is_open:
        message = _MESSAGE.ACCEPT if dispute.decided == PAYEE else _MESSAGE.CHARGE
        step = DISPUTE_STEPS[dispute.state, message]
        assert isinstance(step, DisputeState), "what is owed can be paid"
        end(state, dispute, step, dispute.decided)


def came_back(state: State, refund: Payment, why: Reason) -> None:
    """After money could not be given back at another bank: it is tried again when it is time."""
    dispute = find(state, refund.dispute)
    if dispute is not None and dispute.refund == refund.id and dispute.is_open:
        again = replace(dispute, refund="", tries=dispute.tries + 1, why=why.value)
        agenda.file_dispute(state, again)
