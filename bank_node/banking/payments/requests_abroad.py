"""Requests for money between two banks: each keeps a record, and that of the payer decides. Pure.

The bank of the payee asks, takes its request back, and knows that it was paid when the money is
promised to it; so it refuses money for a request that is over, whatever the other bank believes.
Who has changed a record owes the other bank word of it, which may be lost, doubled or late.
"""

from msgspec.structs import replace

from bank_node.banking.payments.abroad import PayAbroad, touched_abroad
from bank_node.banking.payments.collects import (
    as_of,
    become,
    find,
    keep,
    may_ask,
)
from bank_node.banking.payments.hearing import (
    FOR_NOW,
    asked_of,
    expires_us,
    told_reason,
    touched_by_asking,
    why_no_room,
    why_not_asked,
)
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import COLLECT_STEPS, CollectMessage, CollectState
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Abroad,
    Collect,
    agenda_key,
    collect_key,
)
from bank_node.banking.payments.records import COLLECT, Payment, told_again
from bank_node.errors import Reason
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.protocol.letter_words import fitting
from bank_node.protocol.request_letters import ASKED, CANCELLED, CollectLetter, CollectStands

# What another bank may give as its reason for not taking a request; clients are told no others.
_KNOWN = frozenset(
    (Reason.NO_SUCH_ADDRESS, Reason.ASKING_OFF, Reason.TOO_MANY_REQUESTS, Reason.REQUEST_EXPIRED,
     Reason.OTHER_CURRENCY, Reason.PAYMENT_AMOUNT, Reason.REFERENCE_TAKEN)
)  # fmt: skip


def letter_of(collect: Collect, currency: str) -> CollectLetter | CollectStands:
    """How this bank's side of a request stands, for the other bank."""
    there = collect.there
    assert there is not None, "it is between banks"
    if there.side == PAYEE:
        return CollectStands(collect.id, there.said, collect.state.value)
    is_over = collect.state is CollectState.CANCELLED
    asked = asked_of(collect, collect.amount, currency)
    return fitting(CollectLetter(collect.id, there.said, CANCELLED if is_over else ASKED, asked))


class AskAbroad(WithPin, frozen=True):
    """Asks a client of another bank for money. Its result is the note of the Collect, as sent.

    The same request again changes nothing and has the same result, whatever became of it.
    """

    collect: Collect

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), self.collect.key)

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        known = state.notes.get(self.collect.key)
        if known is not None:
            return told_again(known, self.collect)
        if not may_ask(person.category, self.terms.rules.asking):
            return Reason.ASKING_OFF
        if person.is_frozen:
            return Reason.FROZEN
        return keep(state, self.collect)


class HearAsked(Procedure, frozen=True):
    """Takes in what the bank of a payee asks for. Its result is the note of the Collect.

    `wanted` is the request as it would begin here, from another bank. The same letter again, or
    an earlier one, changes nothing.
    """

    wanted: Collect
    word: str
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_by_asking(self.wanted)

    def decide(self, state: State) -> Result:
        wanted = self.wanted
        known, there = find(state, wanted.id), wanted.there
        assert there is not None, "another bank has asked"
        if known is None:
            return self._begin(state, there)
        if not known.is_with(there.bank, PAYEE) or not known.is_same(wanted):
            return Reason.REFERENCE_TAKEN
        if self.word == CANCELLED:
            step = COLLECT_STEPS[known.state, CollectMessage.CANCEL]
            if isinstance(step, CollectState):
                become(state, known, step)
        return state.notes[known.key]

    def _begin(self, state: State, there: Abroad) -> Result:
        wanted, rules, now_us = self.wanted, self.terms.rules, self.terms.now.us
        why = why_not_asked(state, wanted, now_us)
        if why is not None:
            return why
        if self.word == CANCELLED:
            # Noted down all the same: what was taken back must not begin by an older letter.
            return keep(state, replace(wanted, state=CollectState.CANCELLED))
        if not may_ask(there.category, rules.asking):
            return Reason.ASKING_OFF
        why = why_no_room(state, wanted)
        if why is not None:
            return why
        return keep(state, replace(wanted, expires_us=expires_us(wanted, now_us)))


class HearStands(Procedure, frozen=True):
    """Takes in what the bank of a payer says that became of a request. Its result is the note.

    That it was paid is not believed before the money is there.
    """

    letter: CollectStands
    bank: str

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (collect_key(self.letter.id),)

    def decide(self, state: State) -> Result:
        known = find(state, self.letter.id)
        if known is None or not known.is_with(self.bank, PAYER):
            return Reason.NO_SUCH_REQUEST
        message = _ENDS.get(self.letter.state, CollectMessage.HEAR)
        step = COLLECT_STEPS[known.state, message]
        if isinstance(step, CollectState):
            become(state, known, step)
        return state.notes[known.key]


_ENDS = {
    CollectState.DECLINED.value: CollectMessage.DECLINE,
    CollectState.EXPIRED.value: CollectMessage.EXPIRE,
}


class TakeAnswer(Procedure, frozen=True):
    """Takes in what another bank answers to a letter. Its result is the note of the Collect."""

    collect_id: str
    serial: int
    refused: Reason | None

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (collect_key(self.collect_id),)

    def decide(self, state: State) -> Result:
        known = find(state, self.collect_id)
        there = known.there if known else None
        if known is None or there is None:
            return Reason.NO_SUCH_REQUEST
        if self.refused in FOR_NOW or self.serial <= there.told:
            return state.notes[known.key]
        why = "" if self.refused is None else told_reason(self.refused, _KNOWN).value
        message = CollectMessage.HEAR if self.refused is None else CollectMessage.REFUSE
        step = COLLECT_STEPS[known.state, message]
        assert isinstance(step, CollectState), "hearing of it is never refused"
        if step is not CollectState.REFUSED:
            why = there.why
        heard = replace(there, told=min(self.serial, there.said), why=why)
        return keep(state, replace(known, state=step, abroad=heard))


class ApproveAbroad(PayAbroad, frozen=True):
    """Sets money aside for what a client of another bank has asked for; see `PayAbroad`.

    `payment` is made of the request and of how many have failed before it.
    """

    collect_id: str
    tries: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        account = self.proof.account
        return (*touched_abroad(account, self.payment), collect_key(self.collect_id),
                agenda_key(account))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        collect = find(state, self.collect_id)
        there = collect.there if collect else None
        if collect is None or there is None or collect.side_of(person.account) != PAYER:
            return Reason.NO_SUCH_REQUEST
        if there.tries != self.tries:
            return Reason.REQUEST_PENDING
        collect = as_of(state, collect, self.terms.now.us)
        step = COLLECT_STEPS[collect.state, CollectMessage.SEND]
        if isinstance(step, Reason):
            return step
        paid = PayAbroad.decide(self, state)
        if not isinstance(paid, Reason) and step is not collect.state:
            become(state, collect, step, self.payment.id)
        return paid


def payment_abroad(collect: Collect, payment_id: str, now_us: int) -> Payment:
    """The payment that pays a request of another bank."""
    there = collect.there
    assert there is not None, "it is between banks"
    return Payment(
        payment_id, COLLECT, collect.payer, collect.payer_account, collect.payee,
        collect.payee_account, there.bank, collect.payee_name, collect.amount, collect.reference,
        collect.note, now_us, of=collect.id, order=collect.reference, other_amount=there.amount,
        other_currency=there.currency, rate=there.rate,
    )  # fmt: skip
