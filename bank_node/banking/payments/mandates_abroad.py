"""Mandates between two banks: that of the payer keeps one and pays, the other one follows. Pure.

The payee's bank says what its client wants, one thing at a time, and revokes by itself: from then
on it takes no money for that mandate. Of the rest it knows what the payer's bank has told it.
Each side numbers what it says, so nothing that comes twice or late takes anything back.
"""

from msgspec.structs import replace

from bank_node.banking.payments.dues import is_whole
from bank_node.banking.payments.hearing import (
    FOR_NOW,
    asked_of,
    expires_us,
    told_reason,
    touched_by_asking,
    why_no_room,
    why_not_asked,
)
from bank_node.banking.payments.known_mandates import find
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import (
    MANDATE_ASKED,
    MANDATE_STEPS,
    MandateMessage,
    MandateState,
)
from bank_node.banking.payments.mandates import (
    PRESENT,
    TERMS,
    keep,
    presented,
    revoked,
)
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Mandate,
    MandateAbroad,
    Plan,
    agenda_key,
    mandate_key,
)
from bank_node.banking.payments.records import told_again
from bank_node.errors import Reason
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.protocol.letter_words import Letter, fitting
from bank_node.protocol.mandate_letters import (
    REVOKED,
    MandateLetter,
    PresentLetter,
    RunsLetter,
    TermsLetter,
)
from bank_node.protocol.payment_values import Recurrence
from bank_node.protocol.request_letters import ASKED

KNOWN = frozenset(
    (Reason.NO_SUCH_ADDRESS, Reason.TOO_MANY_REQUESTS, Reason.REQUEST_EXPIRED, Reason.REQUEST_OVER,
     Reason.REQUEST_PENDING, Reason.REQUEST_DECLINED, Reason.OTHER_CURRENCY, Reason.AMOUNT_RULE,
     Reason.LIMIT_OF_PAYMENT, Reason.NO_SUCH_DAY, Reason.REFERENCE_TAKEN)
)  # fmt: skip
"""What another bank may give as its reason; clients are told no others."""
# With these the bank of a payee says that there is no such mandate any more.
GONE = frozenset(
    (Reason.NO_SUCH_REQUEST, Reason.REQUEST_OVER, Reason.REQUEST_EXPIRED, Reason.REQUEST_DECLINED)
)


def letter_of(mandate: Mandate, currency: str) -> Letter:
    """What this bank has to say about a mandate, for the other bank."""
    there = mandate.there
    assert there is not None, "it is between banks"
    if there.side == PAYEE:
        return _runs(mandate, there)
    if there.wish == TERMS:
        return TermsLetter(mandate.id, there.said, there.wish_amount, there.wish_end)
    if there.wish == PRESENT:
        return PresentLetter(mandate.id, there.said, there.wish_occurrence, there.wish_amount)
    plan, is_over = mandate.asked, mandate.state is MandateState.REVOKED
    asked = asked_of(mandate, plan.amount, currency)
    often = Recurrence(plan.recurrence, plan.day_rule, plan.day)
    return fitting(MandateLetter(
        mandate.id, there.said, REVOKED if is_over else ASKED, asked, plan.is_exact, often,
        plan.start, plan.end,
    ))  # fmt: skip


def _runs(mandate: Mandate, there: MandateAbroad) -> RunsLetter:
    proposed = mandate.proposed
    return RunsLetter(
        mandate.id, there.said, mandate.state.value, mandate.plan.amount, mandate.plan.end,
        proposed.amount if proposed else 0, proposed.end if proposed else 0, mandate.occurrence,
        mandate.first, mandate.last, mandate.presented, mandate.noticed_us, mandate.confirmed,
        mandate.tries, mandate.paid, mandate.last_payment, mandate.why,
    )  # fmt: skip


def plan_of(letter: MandateLetter) -> Plan:
    """The terms that another bank's client asks for."""
    often = letter.recurrence
    return Plan(letter.asked.amount, letter.is_exact, often.name, often.rule, often.day,
                letter.start, letter.end)  # fmt: skip


class ProposeAbroad(WithPin, frozen=True):
    """Asks a client of another bank for a mandate. Its result is the note of the Mandate, as sent.

    The same mandate again changes nothing and has the same result, whatever became of it.
    """

    mandate: Mandate

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), self.mandate.key)

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        wanted = self.mandate
        known = state.notes.get(wanted.key)
        if known is not None:
            return told_again(known, wanted)
        if person.is_frozen:
            return Reason.FROZEN
        if wanted.plan.amount > self.terms.rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        return keep(state, wanted)


class HearMandate(Procedure, frozen=True):
    """Takes in that the bank of a payee asks for a mandate, or revokes it. Its result is the note.

    `wanted` is the mandate as it would begin here, from another bank.
    """

    wanted: Mandate
    word: str
    serial: int
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_by_asking(self.wanted)

    def decide(self, state: State) -> Result:
        wanted = self.wanted
        known, there = find(state, wanted.id), wanted.there
        assert there is not None, "another bank has asked"
        if known is None:
            return self._begin(state)
        if not known.is_with(there.bank, PAYEE) or not known.is_same(wanted):
            return Reason.REFERENCE_TAKEN
        step = MANDATE_STEPS[known.state, MandateMessage.REVOKE]
        if self.word == REVOKED and step is MandateState.REVOKED and step is not known.state:
            keep(state, revoked(_heard(known, self.serial)))
        return state.notes[known.key]

    def _begin(self, state: State) -> Result:
        wanted, rules, now = self.wanted, self.terms.rules, self.terms.now
        why = why_not_asked(state, wanted, now.us)
        if why is not None:
            return why
        if self.word == REVOKED:
            # Noted down all the same: what was revoked must not begin by an older letter.
            return keep(state, replace(wanted, state=MandateState.REVOKED))
        if wanted.plan.amount > rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        if not is_whole(wanted.plan, now.day):
            return Reason.NO_SUCH_DAY
        why = why_no_room(state, wanted)
        if why is not None:
            return why
        begun = replace(wanted, expires_us=expires_us(wanted, now.us))
        return keep(state, _heard(begun, self.serial))


def _heard(mandate: Mandate, serial: int) -> Mandate:
    there = mandate.there
    assert there is not None, "it is between banks"
    return replace(mandate, abroad=replace(there, heard=max(there.heard, serial)))


class HearWish(Procedure, frozen=True):
    """Takes in what a payee wants of a mandate that this bank keeps. Its result is the note."""

    letter: TermsLetter | PresentLetter
    bank: str
    payer_account: int
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (mandate_key(self.letter.id), agenda_key(self.payer_account))

    def decide(self, state: State) -> Result:
        known = find(state, self.letter.id)
        there = known.there if known else None
        is_theirs = known is not None and known.is_with(self.bank, PAYEE)
        if known is None or there is None or not is_theirs:
            return Reason.NO_SUCH_REQUEST
        if known.payer_account != self.payer_account:
            return Reason.NO_SUCH_REQUEST
        if self.letter.serial <= there.heard:
            return state.notes[known.key]
        after = self._after(known)
        return (
            after if isinstance(after, Reason) else keep(state, _heard(after, self.letter.serial))
        )

    def _after(self, known: Mandate) -> Mandate | Reason:
        letter = self.letter
        if not known.is_open:
            return Reason.REQUEST_OVER
        if known.state in MANDATE_ASKED:
            return Reason.REQUEST_PENDING
        if isinstance(letter, PresentLetter):
            if letter.occurrence != known.occurrence:
                return Reason.REQUEST_OVER
            return presented(known, letter.amount, self.terms.now.us)
        plan = replace(known.plan, amount=letter.amount, end=letter.end)
        if not is_whole(plan, self.terms.now.day):
            return Reason.NO_SUCH_DAY
        if plan.amount > self.terms.rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        return replace(known, proposed=plan)


class HearRuns(Procedure, frozen=True):
    """Takes in how a mandate stands at the bank of its payer. Its result is the note.

    What is over here stays over; a bank that lets such a mandate go on is told so.
    """

    letter: RunsLetter
    bank: str

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (mandate_key(self.letter.id),)

    def decide(self, state: State) -> Result:
        known, letter = find(state, self.letter.id), self.letter
        there = known.there if known else None
        is_theirs = known is not None and known.is_with(self.bank, PAYER)
        if known is None or there is None or not is_theirs or letter.state not in _STATES:
            return Reason.NO_SUCH_REQUEST
        after = MandateState(letter.state)
        if letter.serial <= there.heard:
            return state.notes[known.key]
        if not known.is_open:
            is_on = after not in (MandateState.PENDING, *_ENDS)
            return Reason.REQUEST_OVER if is_on else state.notes[known.key]
        plan = replace(known.plan, amount=letter.amount, end=letter.end)
        proposed = replace(plan, amount=letter.proposed_amount, end=letter.proposed_end)
        return keep(state, replace(
            _heard(known, letter.serial), state=after, plan=plan,
            proposed=proposed if letter.proposed_amount else None, occurrence=letter.occurrence,
            first=letter.first, last=letter.last, presented=letter.presented,
            noticed_us=letter.noticed_us, confirmed=letter.confirmed, tries=letter.tries,
            paid=letter.paid, last_payment=letter.last_payment, why=letter.why,
        ))  # fmt: skip


# What the bank that keeps a mandate can say of it.
_ENDS = (MandateState.DECLINED, MandateState.REVOKED, MandateState.EXPIRED, MandateState.COMPLETED)
_STATES = frozenset((MandateState.PENDING, MandateState.ACTIVE, MandateState.PAUSED, *_ENDS))


class TakeMandateAnswer(Procedure, frozen=True):
    """Takes in what another bank answers to a letter about a mandate. Its result is the note."""

    mandate_id: str
    payer_account: int
    serial: int
    refused: Reason | None

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (mandate_key(self.mandate_id), agenda_key(self.payer_account))

    def decide(self, state: State) -> Result:
        known = find(state, self.mandate_id)
        there = known.there if known else None
        if known is None or there is None or known.payer_account != self.payer_account:
            return Reason.NO_SUCH_REQUEST
        if self.refused in FOR_NOW or self.serial <= there.told:
            return state.notes[known.key]
        answered = replace(there, told=min(self.serial, there.said))
        if there.side == PAYEE:
            after = replace(known, abroad=answered)
            is_gone = self.refused in GONE and known.is_open
            return keep(state, revoked(after) if is_gone else after)
        why = "" if self.refused is None else told_reason(self.refused, KNOWN).value
        if self.serial == there.said:
            answered = replace(answered, wish="", why=why)
        message = MandateMessage.HEAR if self.refused is None else MandateMessage.REFUSE
        step = MANDATE_STEPS[known.state, message]
        assert isinstance(step, MandateState), "hearing of it is never refused"
        return keep(state, replace(known, state=step, abroad=answered))
