"""Mandates: the operations that ask for them, answer them, and do what is due. Pure.

`dues.due` says what a mandate needs at a moment; `Attend` asks it again on the ledger, and does
it. A payment has its name from the mandate and the number of the occurrence, and is made in the
block that moves the mandate on: so however often, wherever and after whatever crash an occurrence
is attended to, it is paid once.
"""

from msgspec.structs import replace

from bank_node.banking.payments import agenda, takings
from bank_node.banking.payments.abroad import as_payment
from bank_node.banking.payments.dues import (
    PAYMENT,
    Todo,
    advanced,
    after_failure,
    asked_of_payer,
    due,
)
from bank_node.banking.payments.known_mandates import find
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import (
    MANDATE_ASKED,
    MANDATE_STEPS,
    MandateMessage,
    MandateState,
)
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import (
    PAID,
    PAYEE,
    PAYER,
    Mandate,
    MandateAbroad,
    agenda_key,
    mandate_key,
)
from bank_node.banking.payments.records import (
    MANDATE,
    Payment,
    Person,
    body_of,
    payment_key,
    person_key,
    read,
    told_again,
)
from bank_node.errors import Reason
from bank_node.ledger import moves, noting
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Move
from bank_node.values import AccountNumber, Amount

TERMS, PRESENT, REVOKE = "terms", "present", "revoke"
"""What a payee can want of a mandate at another bank."""


def keep(state: State, mandate: Mandate) -> Note:
    """Notes a mandate down; the bank of a payee elsewhere is owed word of what has changed."""
    there = mandate.there
    if there is None:
        return agenda.file(state, mandate.payer_account, mandate.payee_account, mandate)
    known = find(state, mandate.id)
    if there.side == PAYEE and known is not None and _told(known) != _told(mandate):
        mandate = replace(mandate, abroad=replace(there, said=there.said + 1))
    return agenda.file_between(state, mandate)


def _told(mandate: Mandate) -> tuple[object, ...]:
    """What the bank of the payee is told of a mandate."""
    return (
        mandate.state, mandate.plan, mandate.proposed, mandate.occurrence, mandate.first,
        mandate.last, mandate.presented, mandate.noticed_us, mandate.confirmed, mandate.tries,
        mandate.paid, mandate.last_payment, mandate.why,
    )  # fmt: skip


def wished(mandate: Mandate, wish: str, amount: int = 0, end: int = 0) -> Mandate:
    """A mandate of whose payer's bank the payee wants something."""
    there = mandate.there
    assert there is not None, "it is between banks"
    changed = replace(
        there, said=there.said + 1, wish=wish, wish_amount=amount, wish_end=end,
        wish_occurrence=mandate.occurrence, why="",
    )  # fmt: skip
    return replace(mandate, abroad=changed)


def _wish(state: State, mandate: Mandate, wish: str, amount: int, end: int = 0) -> Result:
    """Notes down what a payee wants, one thing at a time; the note of the Mandate."""
    there, wanted = mandate.there, wished(mandate, wish, amount, end)
    assert there is not None, "it is between banks"
    if not mandate.is_owed:
        return keep(state, wanted)
    is_same = _wanted(there) == _wanted(wanted.there)
    return state.notes[mandate.key] if is_same else Reason.REQUEST_PENDING


def _wanted(there: MandateAbroad | None) -> tuple[object, ...]:
    assert there is not None, "it is between banks"
    return (there.wish, there.wish_amount, there.wish_end, there.wish_occurrence)


def presented(mandate: Mandate, amount: int, now_us: int) -> Mandate | Reason:
    """A mandate whose payee has said how much the next payment is of."""
    if mandate.state is not MandateState.ACTIVE:
        step = MANDATE_STEPS[mandate.state, MandateMessage.PAUSE]
        return step if isinstance(step, Reason) else Reason.REQUEST_PENDING
    plan = mandate.plan
    if amount > plan.amount or (plan.is_exact and amount != plan.amount):
        return Reason.AMOUNT_RULE
    if mandate.presented == amount:
        return mandate
    if mandate.presented or mandate.noticed_us:
        return Reason.REQUEST_PENDING
    return replace(mandate, presented=amount, noticed_us=now_us)


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
            return self._change(state, known, person.account)
        if known is not None:
            return told_again(state.notes[wanted.key], wanted)
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

    def _change(self, state: State, known: Mandate | None, account: int) -> Result:
        if known is None or known.side_of(account) != PAYEE:
            return Reason.NO_SUCH_REQUEST
        if known.state in MANDATE_ASKED:
            return Reason.REQUEST_PENDING
        if not known.is_open:
            return Reason.REQUEST_OVER
        plan = self.mandate.plan
        if known.there is not None:
            return _wish(state, known, TERMS, plan.amount, plan.end)
        return keep(state, replace(known, proposed=plan))


class Direct(WithPin, frozen=True):
    """The payer approves, declines, pauses, resumes; either side revokes. Its result is the note.

    Approving agrees to whatever waits for the payer's word: the mandate itself, other terms of
    it, or its next payment. Whoever says which amount and end that are is refused if they are
    others by now: the payee may have asked for more just before.
    """

    mandate_id: str
    payer_account: int
    message: MandateMessage
    amount: int = 0
    """What waits, in minor units; 0 if the client does not say."""
    end: int = 0
    """Its last day; 0 if the client does not say."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        return (*touched_by(self.proof.account), mandate_key(self.mandate_id),
                agenda_key(self.payer_account))  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        mandate = find(state, self.mandate_id)
        side = mandate.side_of(person.account) if mandate else ""
        may_say = side == PAYER or (side == PAYEE and self.message is MandateMessage.REVOKE)
        if mandate is None or not may_say:
            return Reason.NO_SUCH_REQUEST
        if person.is_frozen and self.message is not MandateMessage.REVOKE:
            return Reason.FROZEN
        if due(mandate, self.terms.now, self.terms.rules) is Todo.EXPIRE:
            mandate = replace(mandate, state=MandateState.EXPIRED)
            keep(state, mandate)
        if not self._fits(mandate):
            return Reason.TERMS_CHANGED
        if self.message is MandateMessage.DECLINE and mandate.proposed and mandate.is_open:
            return keep(state, replace(mandate, proposed=None))
        step = MANDATE_STEPS[mandate.state, self.message]
        if isinstance(step, Reason):
            return step
        after = self._after(mandate, step)
        return state.notes[mandate.key] if after == mandate else keep(state, after)

    def _fits(self, mandate: Mandate) -> bool:
        """Whether the terms that the client names are those that wait; none may wait."""
        asked = asked_of_payer(mandate, self.terms.rules)
        return asked is None or (self.amount in (0, asked.amount) and self.end in (0, asked.end))

    def _after(self, mandate: Mandate, step: MandateState) -> Mandate:
        if step is MandateState.REVOKED:
            return revoked(mandate)
        if mandate.state is MandateState.PENDING and step is MandateState.ACTIVE:
            return advanced(replace(mandate, state=step), self.terms)
        if self.message is MandateMessage.APPROVE and mandate.proposed is not None:
            # The names of tries that have failed are taken.
            occurrence = mandate.occurrence + (mandate.tries > 0)
            changed = replace(mandate, plan=mandate.proposed, proposed=None, last=0, period=0,
                              occurrence=occurrence)  # fmt: skip
            # What was paid before is not paid again because the terms are others.
            return advanced(changed, self.terms, mandate.first)
        asked = asked_of_payer(mandate, self.terms.rules)
        if self.message is MandateMessage.APPROVE and asked and asked.about == PAYMENT:
            return replace(mandate, confirmed=True)
        return replace(mandate, state=step)


def counted(mandate: Mandate) -> Mandate:
    """A mandate with what its latest payment to another bank has come to, if it has ended."""
    there = mandate.there
    if there is None or not there.outcome:
        return mandate
    ended = replace(mandate, abroad=replace(there, paying="", outcome=""))
    if there.outcome == PAID:
        return replace(ended, paid=mandate.paid + 1, last_payment=there.paying, why="")
    return replace(ended, tries=mandate.tries + 1, why=there.outcome)


def revoked(mandate: Mandate) -> Mandate:
    """A mandate that is revoked here; the bank of its payer, if that is another one, must hear."""
    if mandate.state is MandateState.REVOKED:
        return mandate
    ended, there = replace(counted(mandate), state=MandateState.REVOKED), mandate.there
    return wished(ended, REVOKE) if there is not None and there.side == PAYER else ended


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
        if mandate is None or mandate.side_of(person.account) != PAYEE:
            return Reason.NO_SUCH_REQUEST
        after = presented(mandate, self.amount, self.terms.now.us)
        if isinstance(after, Reason):
            return after
        if after == mandate:
            return state.notes[mandate.key]
        if mandate.there is not None:
            return _wish(state, mandate, PRESENT, self.amount)
        return keep(state, after)


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
        return self.go_on(state, mandate, todo)

    def go_on(self, state: State, mandate: Mandate, todo: Todo) -> Result:
        """Makes the payment that is due."""
        paid = self._pay(state, mandate)
        if not isinstance(paid, Reason):
            done = replace(mandate, paid=mandate.paid + 1, last_payment=self.payment_id, why="")
            keep(state, advanced(done, self.terms))
            return paid
        failed = replace(mandate, tries=mandate.tries + 1, why=paid.value)
        return keep(state, after_failure(failed, self.terms))

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
            self.payment_id, MANDATE, mandate.payer, mandate.payer_account, mandate.payee,
            mandate.payee_account, self.bank, mandate.payee_name, amount, mandate.reference,
            mandate.note, self.terms.now.us, rrn=rrn_of(moved.entry), of=mandate.id,
        )  # fmt: skip
        return noting.write(state, payment_key(payment.id), body_of(payment), is_open=False)
