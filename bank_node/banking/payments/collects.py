"""Requests for money: asked, approved with a PIN, declined, taken back, or too late. Pure.

Who answers a request must be who it was put to: for anybody else it is not there.
"""

from msgspec.structs import replace

from bank_node.banking.payments import agenda
from bank_node.banking.payments.machines import (
    COLLECT_ASKED,
    COLLECT_STEPS,
    CollectMessage,
    CollectState,
)
from bank_node.banking.payments.operations import Pay, WithPin, touched_by, touched_by_payment
from bank_node.banking.payments.papers import PAYER, Collect, agenda_key, collect_key
from bank_node.banking.payments.records import Payment, payment_key, person_key, read, told_again
from bank_node.banking.payments.uri import NOT_A_MERCHANT
from bank_node.errors import Reason
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State

EVERYBODY, MERCHANTS, NOBODY = "everybody", "merchants", "nobody"
"""Who may ask others for money."""
GRACE_US = 60_000_000
"""How much longer a request to another bank may still be paid there, whose clock is another one."""
OWED_US = 86_400_000_000
"""How long after its time a request is of no interest to the other bank any more."""


def may_ask(category: str, who: str) -> bool:
    """Whether somebody who trades with this may ask others for money."""
    return who == EVERYBODY or (who == MERCHANTS and category != NOT_A_MERCHANT)


class Ask(WithPin, frozen=True):
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
            return told_again(known, collect)
        if not may_ask(person.category, self.terms.rules.asking):
            return Reason.ASKING_OFF
        if person.is_frozen:
            return Reason.FROZEN
        if person.account == collect.payer_account:
            return Reason.SAME_ACCOUNT
        if person_key(collect.payer_account) not in state.notes:
            return Reason.NO_SUCH_ADDRESS
        why = agenda.refusal(state, collect.payer_account, person.account)
        return why if why is not None else keep(state, collect)


def find(state: State, collect_id: str) -> Collect | None:
    note = state.notes.get(collect_key(collect_id))
    return read(Collect, note) if note else None


def keep(state: State, collect: Collect) -> Note:
    """Notes a request down, and keeps the list of its payer in step with it."""
    if collect.there is not None:
        return agenda.file_between(state, collect)
    return agenda.file(state, collect.payer_account, collect.payee_account, collect)


def become(state: State, collect: Collect, after: CollectState, payment: str = "") -> None:
    """Notes down what a request has come to; the other bank, if any, is owed word of some ends."""
    if after is collect.state:
        return
    changed, there = replace(collect, state=after, payment=payment), collect.there
    if there is not None:
        is_told = after in (_OF_PAYEE if there.side == PAYER else _OF_PAYER)
        said = there.said + is_told
        told = there.told if is_told or changed.is_open else said
        changed = replace(changed, abroad=replace(there, said=said, told=told))
    keep(state, changed)


# What only the bank of that side knows until it tells the other one.
_OF_PAYEE = frozenset((CollectState.CANCELLED,))
_OF_PAYER = frozenset((CollectState.DECLINED, CollectState.EXPIRED))


def ends_us(collect: Collect) -> int:
    """When a request is over if nothing happens; the bank of a payee abroad waits for the other."""
    is_asked_there = collect.there is not None and collect.there.side == PAYER
    return collect.expires_us + (GRACE_US if is_asked_there else 0)


def is_due(collect: Collect, now_us: int) -> bool:
    """Whether it is time to end a request, or to let it go that the other bank has not heard."""
    if collect.state in COLLECT_ASKED:
        return now_us >= ends_us(collect)
    return not collect.is_open and collect.is_owed and now_us >= collect.expires_us + OWED_US


def as_of(state: State, collect: Collect, now_us: int) -> Collect:
    """The request as of now: one that nobody has answered in time is over."""
    if collect.state not in COLLECT_ASKED or now_us < ends_us(collect):
        return collect
    become(state, collect, CollectState.EXPIRED)
    ended = find(state, collect.id)
    assert ended is not None, "it was noted down a moment ago"
    return ended


class ApproveCollect(Pay, frozen=True):
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
        collect = as_of(state, collect, self.terms.now.us)
        step = COLLECT_STEPS[collect.state, CollectMessage.APPROVE]
        if isinstance(step, Reason):
            return step
        if step is collect.state:
            return state.notes[payment_key(self.payment.id)]
        paid = Pay.decide(self, state)
        if not isinstance(paid, Reason):
            become(state, collect, step, self.payment.id)
        return paid


class EndCollect(WithPin, frozen=True):
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
        side = collect.side_of(person.account)
        if not side:
            return Reason.NO_SUCH_REQUEST
        collect = as_of(state, collect, self.terms.now.us)
        message = CollectMessage.DECLINE if side == PAYER else CollectMessage.CANCEL
        step = COLLECT_STEPS[collect.state, message]
        if isinstance(step, Reason):
            return step
        become(state, collect, step)
        return state.notes[collect.key]


class ExpireCollect(Procedure, frozen=True):
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
        if not is_due(collect, self.now_us):
            is_over = collect.state is CollectState.EXPIRED
            return state.notes[collect.key] if is_over else Reason.REQUEST_PENDING
        if collect.is_open:
            return state.notes[as_of(state, collect, self.now_us).key]
        assert collect.there is not None, "only another bank can be owed a word"
        return keep(state, replace(collect, abroad=replace(collect.there, told=collect.there.said)))


def why_not_payable(
    state: State, collect_id: str, bank: str, payee: int, amount: int
) -> Reason | None:
    """Why money from another bank must not pay for a request of this one's client."""
    collect = find(state, collect_id)
    if collect is None or not collect.is_with(bank, PAYER):
        return Reason.NO_SUCH_REQUEST
    if (collect.payee_account, collect.amount) != (payee, amount):
        return Reason.NO_SUCH_REQUEST
    step = COLLECT_STEPS[collect.state, CollectMessage.SEND]
    if isinstance(step, Reason):
        return step
    if step is collect.state:
        is_paid = step is CollectState.PAID
        return Reason.REQUEST_OVER if is_paid else Reason.REQUEST_PENDING
    return None


def promised(state: State, payment: Payment) -> None:
    """After the promise to take a payment for a request."""
    collect = find(state, payment.of)
    assert collect is not None, "it was looked up before"
    become(state, collect, CollectState.PAYING, payment.id)


def carried_out(state: State, payment: Payment, why: Reason | None) -> None:
    """After a payment between banks for a request has arrived, or failed for a reason."""
    collect = find(state, payment.of)
    there = collect.there if collect else None
    if collect is None or there is None or collect.payment != payment.id:
        return
    message = CollectMessage.ARRIVE if why is None else CollectMessage.FAIL
    step = COLLECT_STEPS[collect.state, message]
    assert isinstance(step, CollectState), "it was on its way"
    if why is None:
        become(state, collect, step, payment.id)
        return
    failed = replace(there, tries=there.tries + 1, why=why.value)
    # The bank of the payee knows best whether it still wants the money.
    step = {
        Reason.REQUEST_OVER: CollectState.CANCELLED, Reason.REQUEST_EXPIRED: CollectState.EXPIRED
    }.get(why, step)  # fmt: skip
    become(state, replace(collect, abroad=failed), step)


def payment_of(collect: Collect, payment_id: str, bank: str, now_us: int) -> Payment:
    """The payment that pays a request."""
    return Payment(
        payment_id, "collect", collect.payer, collect.payer_account, collect.payee,
        collect.payee_account, bank, collect.payee_name, collect.amount, collect.reference,
        collect.note, now_us, of=collect.id,
    )  # fmt: skip
