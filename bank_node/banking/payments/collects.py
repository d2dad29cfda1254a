"""Requests for money: asked, approved with a PIN, declined, taken back, or too late. Pure.

Who answers a request must be who it was put to: for anybody else it is not there.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from bank_node.banking.payments import agenda
from bank_node.banking.payments.machines import (
    COLLECT_STEPS,
    CollectMessage,
    CollectState,
)
from bank_node.banking.payments.operations import Pay, WithPin, touched_by, touched_by_payment
from bank_node.banking.payments.papers import Collect, agenda_key, collect_key
from bank_node.banking.payments.records import Payment, Person, payment_key, person_key, read
from bank_node.banking.payments.uri import NOT_A_MERCHANT
from bank_node.errors import Reason
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State

EVERYBODY, MERCHANTS, NOBODY = "everybody", "merchants", "nobody"
"""Who may ask others for money."""


def may_ask(person: Person, who: str) -> bool:
    return who == EVERYBODY or (who == MERCHANTS and person.category != NOT_A_MERCHANT)


@dataclass(frozen=True, slots=True)
class Ask(WithPin):
    """Asks a client of this bank for money. Its result is the note of the Collect.

    The same request again changes nothing and has the same result, whatever became of it.
    """

    collect: Collect

    @property
    def touched(self) -> tuple[int | str, ...]:
        payer = self.collect.payer_account
        return (*touched_by(self.proof.account), self.collect.key, person_key(payer),
                agenda_key(payer))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        collect = self.collect
        known = state.notes.get(collect.key)
        if known is not None:
            return known if read(Collect, known).is_same(collect) else Reason.REFERENCE_TAKEN
        if not may_ask(person, self.terms.rules.asking):
            return Reason.ASKING_OFF
        if person.is_frozen:
            return Reason.FROZEN
        if person.account == collect.payer_account:
            return Reason.SAME_ACCOUNT
        if person_key(collect.payer_account) not in state.notes:
            return Reason.NO_SUCH_ADDRESS
        why = agenda.refusal(state, collect.payer_account, person.account)
        if why is not None:
            return why
        return agenda.file(state, collect.payer_account, person.account, collect)


def find(state: State, collect_id: str) -> Collect | None:
    note = state.notes.get(collect_key(collect_id))
    return read(Collect, note) if note else None


def become(state: State, collect: Collect, after: CollectState, payment: str = "") -> None:
    """Notes down what a request has come to."""
    if after is not collect.state:
        changed = replace(collect, state=after, payment=payment)
        agenda.file(state, collect.payer_account, collect.payee_account, changed)


def _expired(state: State, collect: Collect, now_us: int) -> Collect:
    """The request as of now: one that nobody has answered in time is over."""
    if collect.state is not CollectState.PENDING or now_us < collect.expires_us:
        return collect
    become(state, collect, CollectState.EXPIRED)
    return replace(collect, state=CollectState.EXPIRED)


@dataclass(frozen=True, slots=True)
class ApproveCollect(Pay):
    """Pays what somebody has asked for. Its result is the note of the Payment.

    `payment` is made of the request, and is the only one that will ever pay it.
    """

    collect_id: str

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (
            *touched_by_payment(self.proof.account, self.payment, self.terms),
            collect_key(self.collect_id),
            agenda_key(self.proof.account),
        )

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        collect = find(state, self.collect_id)
        if collect is None or collect.payer_account != person.account:
            return Reason.NO_SUCH_REQUEST
        collect = _expired(state, collect, self.terms.now.us)
        step = COLLECT_STEPS[collect.state, CollectMessage.APPROVE]
        if isinstance(step, Reason):
            return step
        if step is collect.state:
            return state.notes[payment_key(self.payment.id)]
        paid = Pay.decide(self, state)
        if not isinstance(paid, Reason):
            become(state, collect, step, self.payment.id)
        return paid


@dataclass(frozen=True, slots=True)
class EndCollect(WithPin):
    """Declines a request, or takes one's own back. Its result is the note of the Collect."""

    collect_id: str
    payer_account: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), collect_key(self.collect_id),
                agenda_key(self.payer_account))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        collect = find(state, self.collect_id)
        if collect is None or collect.payer_account != self.payer_account:
            return Reason.NO_SUCH_REQUEST
        if person.account not in (collect.payer_account, collect.payee_account):
            return Reason.NO_SUCH_REQUEST
        collect = _expired(state, collect, self.terms.now.us)
        is_payer = person.account == collect.payer_account
        message = CollectMessage.DECLINE if is_payer else CollectMessage.CANCEL
        step = COLLECT_STEPS[collect.state, message]
        if isinstance(step, Reason):
            return step
        become(state, collect, step)
        return state.notes[collect.key]


@dataclass(frozen=True, slots=True)
class ExpireCollect(Procedure):
    """Closes a request that nobody has answered in time. Its result is the note of the Collect."""

    collect_id: str
    payer_account: int
    now_us: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (collect_key(self.collect_id), agenda_key(self.payer_account))

    def decide(self, state: State) -> Result:
        collect = find(state, self.collect_id)
        if collect is None:
            return Reason.NO_SUCH_REQUEST
        if _expired(state, collect, self.now_us).state is not CollectState.EXPIRED:
            return Reason.REQUEST_PENDING
        return state.notes[collect.key]


def payment_of(collect: Collect, payment_id: str, bank: str, now_us: int) -> Payment:
    """The payment that pays a request."""
    return Payment(
        payment_id, "collect", collect.payer, collect.payer_account, collect.payee,
        collect.payee_account, bank, collect.payee_name, collect.amount, collect.reference,
        collect.note, now_us,
    )  # fmt: skip
