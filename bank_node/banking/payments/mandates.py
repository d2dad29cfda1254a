"""Mandates: what is to be done next, and the operations that do it. Pure.

`due` says what a mandate needs at a moment, from its record and the clock alone; `Attend` asks it
again on the ledger and does what it says. A payment has its name from the mandate and the number
of the occurrence, and is made in the block that moves the mandate on: so however often, wherever
and after whatever crash an occurrence is attended to, it is paid once.
"""

from enum import Enum

from msgspec.structs import replace

from bank_node.banking.payments import agenda, takings
from bank_node.banking.payments.abroad import as_payment
from bank_node.banking.payments.limits import Moment, Rules, Terms
from bank_node.banking.payments.machines import (
    MANDATE_STEPS,
    MandateMessage,
    MandateState,
)
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.occasions import ASPRESENTED, next_window
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import Mandate, Plan, agenda_key, mandate_key
from bank_node.banking.payments.records import (
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
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Move
from bank_node.values import AccountNumber, Amount

_S = 1_000_000
_DAY_S = 86_400
_NOTICE_DAYS = 2
"""How many days before its first day a payment is told of: time enough for any notice."""


class Todo(Enum):
    """What a mandate needs."""

    NOTHING = "nothing"
    EXPIRE = "expire"
    COMPLETE = "complete"
    MISS = "miss"
    """The window has passed without a payment."""
    NOTICE = "notice"
    EXECUTE = "execute"


def due(mandate: Mandate, now: Moment, rules: Rules) -> Todo:
    """What a mandate needs now."""
    if mandate.state is MandateState.PENDING:
        return Todo.EXPIRE if now.us >= mandate.expires_us else Todo.NOTHING
    if not mandate.is_open:
        return Todo.NOTHING
    if now.day > mandate.plan.end:
        return Todo.COMPLETE
    if now.day > mandate.last:
        return Todo.MISS
    if mandate.state is MandateState.PAUSED or not mandate.amount_due:
        return Todo.NOTHING
    if not mandate.noticed_us:
        return Todo.NOTICE if now.day >= mandate.first - _NOTICE_DAYS else Todo.NOTHING
    may_be_paid = (
        now.day >= mandate.first
        and now.us >= mandate.noticed_us + rules.notice_s * _S
        and now.us >= mandate.next_try_us
        and (mandate.confirmed or not needs_word(mandate, rules))
    )
    return Todo.EXECUTE if may_be_paid else Todo.NOTHING


def needs_word(mandate: Mandate, rules: Rules) -> bool:
    """Whether the payer is to agree to the next payment on its own."""
    return mandate.amount_due > rules.unasked


def advanced(mandate: Mandate, terms: Terms, not_before: int = 0) -> Mandate:
    """The mandate with its next occurrence; completed when there is none.

    An occurrence that could not be told of in time is none.
    """
    plan, rules = mandate.plan, terms.rules
    day = max(not_before, terms.now.day - (-rules.notice_s // _DAY_S))
    is_started = bool(mandate.last)
    period = mandate.period + (is_started and plan.recurrence != ASPRESENTED)
    found = next_window(plan, period, day)
    fresh = replace(
        mandate, occurrence=mandate.occurrence + is_started, presented=0, noticed_us=0,
        confirmed=False, tries=0, next_try_us=0,
    )  # fmt: skip
    if found is None:
        return replace(fresh, state=MandateState.COMPLETED)
    period, window = found
    return replace(fresh, period=period, first=window.first, last=window.last)


def find(state: State, mandate_id: str) -> Mandate | None:
    note = state.notes.get(mandate_key(mandate_id))
    return read(Mandate, note) if note else None


def keep(state: State, mandate: Mandate) -> Note:
    return agenda.file(state, mandate.payer_account, mandate.payee_account, mandate)


class Propose(WithPin, frozen=True):
    """A payee asks for a mandate, or for other terms of one. Its result is the note.

    The same mandate again changes nothing and has the same result.
    """

    mandate: Mandate
    changes: bool = False
    """Whether it is about the terms of a mandate that is there."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        payer = self.mandate.payer_account
        return (*touched_by(self.proof.account), self.mandate.key, person_key(payer),
                agenda_key(payer))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        wanted, known = self.mandate, find(state, self.mandate.id)
        if self.changes:
            if known is None or known.payee_account != person.account:
                return Reason.NO_SUCH_REQUEST
            if known.state is MandateState.PENDING:
                return Reason.REQUEST_PENDING
            if not known.is_open:
                return Reason.REQUEST_OVER
            return keep(state, replace(known, proposed=wanted.plan))
        if known is not None:
            is_same = known.is_same(wanted)
            return state.notes[wanted.key] if is_same else Reason.REFERENCE_TAKEN
        if person.is_frozen:
            return Reason.FROZEN
        if person.account == wanted.payer_account:
            return Reason.SAME_ACCOUNT
        if person_key(wanted.payer_account) not in state.notes:
            return Reason.NO_SUCH_ADDRESS
        if wanted.plan.amount > self.terms.rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        why = agenda.refusal(state, wanted.payer_account, person.account)
        return why if why is not None else keep(state, wanted)


class Direct(WithPin, frozen=True):
    """The payer approves, declines, pauses, resumes; either side revokes. Its result is the note.

    Approving agrees to whatever waits for the payer's word: the mandate itself, other terms of
    it, or its next payment.
    """

    mandate_id: str
    payer_account: int
    message: MandateMessage

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), mandate_key(self.mandate_id),
                agenda_key(self.payer_account))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        mandate = find(state, self.mandate_id)
        is_payer = mandate is not None and person.account == mandate.payer_account
        if mandate is None or not (
            is_payer
            or (person.account == mandate.payee_account and self.message is MandateMessage.REVOKE)
        ):
            return Reason.NO_SUCH_REQUEST
        if person.is_frozen and self.message is not MandateMessage.REVOKE:
            return Reason.FROZEN
        if due(mandate, self.terms.now, self.terms.rules) is Todo.EXPIRE:
            mandate = replace(mandate, state=MandateState.EXPIRED)
            keep(state, mandate)
        if self.message is MandateMessage.DECLINE and mandate.proposed and mandate.is_open:
            return keep(state, replace(mandate, proposed=None))
        step = MANDATE_STEPS[mandate.state, self.message]
        if isinstance(step, Reason):
            return step
        after = self._after(mandate, step)
        return state.notes[mandate.key] if after == mandate else keep(state, after)

    def _after(self, mandate: Mandate, step: MandateState) -> Mandate:
        if mandate.state is MandateState.PENDING and step is MandateState.ACTIVE:
            return advanced(replace(mandate, state=step), self.terms)
        if self.message is MandateMessage.APPROVE and mandate.proposed is not None:
            changed = replace(mandate, plan=mandate.proposed, proposed=None, last=0, period=0)
            # What was paid before is not paid again because the terms are others.
            return advanced(changed, self.terms, mandate.first)
        if self.message is MandateMessage.APPROVE and needs_word(mandate, self.terms.rules):
            return replace(mandate, confirmed=True)
        return replace(mandate, state=step)


class Present(WithPin, frozen=True):
    """The payee says how much the next payment is of. Its result is the note of the Mandate.

    That tells the payer, so the time of its notice begins.
    """

    mandate_id: str
    payer_account: int
    amount: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), mandate_key(self.mandate_id),
                agenda_key(self.payer_account))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        mandate = find(state, self.mandate_id)
        if mandate is None or mandate.payee_account != person.account:
            return Reason.NO_SUCH_REQUEST
        if mandate.state is not MandateState.ACTIVE:
            step = MANDATE_STEPS[mandate.state, MandateMessage.PAUSE]
            return step if isinstance(step, Reason) else Reason.REQUEST_PENDING
        plan, amount = mandate.plan, self.amount
        if amount > plan.amount or (plan.is_exact and amount != plan.amount):
            return Reason.AMOUNT_RULE
        if mandate.presented == amount:
            return state.notes[mandate.key]
        if mandate.presented or mandate.noticed_us:
            return Reason.REQUEST_PENDING
        now_us = self.terms.now.us
        return keep(state, replace(mandate, presented=amount, noticed_us=now_us))


class Attend(Procedure, frozen=True):
    """Does what a mandate needs, if it still needs it.

    Its result is the note of the Payment that it made, or else that of the Mandate.

    `payment_id` is that of the payment of one `occurrence`; of any other one nothing is done.
    """

    mandate: Mandate
    occurrence: int
    payment_id: str
    bank: str
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        payer, payee = self.mandate.payer_account, self.mandate.payee_account
        return (self.mandate.key, agenda_key(payer), payer, payee, person_key(payer),
                person_key(payee), payment_key(self.payment_id), self.payment_id,
                *takings.touched_by_takings(payee, self.terms))  # fmt: skip

    def decide(self, state: State) -> Result:
        mandate = find(state, self.mandate.id)
        if mandate is None or mandate.occurrence != self.occurrence:
            return Reason.NO_SUCH_REQUEST
        now = self.terms.now
        todo = due(mandate, now, self.terms.rules)
        if todo is Todo.NOTHING:
            return Reason.REQUEST_PENDING
        if todo is Todo.EXPIRE:
            return keep(state, replace(mandate, state=MandateState.EXPIRED))
        if todo is Todo.COMPLETE:
            return keep(state, replace(mandate, state=MandateState.COMPLETED))
        if todo is Todo.MISS:
            return keep(state, advanced(mandate, self.terms))
        if todo is Todo.NOTICE:
            return keep(state, replace(mandate, noticed_us=now.us))
        return self._execute(state, mandate)

    def _execute(self, state: State, mandate: Mandate) -> Result:
        now, rules = self.terms.now, self.terms.rules
        paid = self._pay(state, mandate)
        if not isinstance(paid, Reason):
            done = replace(mandate, paid=mandate.paid + 1, last_payment=self.payment_id, why="")
            keep(state, advanced(done, self.terms))
            return paid
        failed = replace(mandate, tries=mandate.tries + 1, why=paid.value)
        if failed.tries > rules.retries:
            return keep(state, advanced(failed, self.terms))
        return keep(state, replace(failed, next_try_us=now.us + rules.retry_s * _S))

    def _pay(self, state: State, mandate: Mandate) -> Note | Reason:
        """Moves the money of one occurrence, and notes it down. The payer agreed beforehand."""
        payer, payee = (
            read(Person, state.notes[person_key(account)])
            for account in (mandate.payer_account, mandate.payee_account)
        )
        if payer.is_frozen or payee.is_frozen:
            return Reason.FROZEN if payer.is_frozen else Reason.PAYEE_FROZEN
        amount = mandate.amount_due
        if amount > self.terms.rules.per_payment:
            return Reason.LIMIT_OF_PAYMENT
        why = takings.refusal(state, payee, amount, self.terms)
        if why is not None:
            return why
        moved = moves.carry_out(state, Move(
            self.payment_id, AccountNumber(mandate.payer_account),
            AccountNumber(mandate.payee_account), Amount(amount),
        ))  # fmt: skip
        if isinstance(moved, Reason):
            return as_payment(moved)
        takings.count(state, payee, amount, self.terms)
        payment = Payment(
            self.payment_id, "mandate", mandate.payer, mandate.payer_account, mandate.payee,
            mandate.payee_account, self.bank, mandate.payee_name, amount, mandate.reference,
            mandate.note, self.terms.now.us, rrn=rrn_of(moved.entry), of=mandate.id,
        )  # fmt: skip
        return noting.write(state, payment_key(payment.id), body_of(payment), is_open=False)


def is_whole(plan: Plan, day: int) -> bool:
    """Whether a plan has a day that can still come."""
    return plan.start <= plan.end and next_window(plan, 0, day) is not None
