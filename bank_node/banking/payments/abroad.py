"""Payments to and from other banks: two-phase transfers with a record of the payment on each side.

Pure. The payer's bank writes its record in the block that sets the money aside, the payee's in the
block that promises to take it; both are closed by what becomes of the transfer, and say so.
"""

from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.payments import limits
from bank_node.banking.payments.limits import Moment
from bank_node.banking.payments.names import rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.records import (
    FAILED,
    PENDING,
    SUCCESS,
    Claim,
    Payment,
    Person,
    activity_key,
    body_of,
    body_of_activity,
    incoming_key,
    payment_key,
    person_key,
    read,
    read_activity,
    vpa_key,
)
from bank_node.errors import Reason, Refused
from bank_node.ledger import moves, noting
from bank_node.ledger.entries import bank_of, settlement_account
from bank_node.ledger.operations import Procedure, Result
from bank_node.ledger.state import State
from bank_node.ledger.transfer_operations import Hold, Promise
from bank_node.ledger.transfers import Phase, Transfer
from bank_node.protocol.payment_values import (
    Payee,
    Vpa,
    parse_payee,
    parse_reference,
    parse_text,
    to_word,
)
from bank_node.protocol.transfer_messages import MEMO_CHARACTERS_MAX
from bank_node.values import AccountNumber, Amount

_AS_PAYMENT = {
    Reason.INSUFFICIENT_FUNDS: Reason.NOT_ENOUGH_MONEY,
    Reason.NO_SUCH_PAYEE: Reason.NO_SUCH_ADDRESS,
    Reason.TRANSFER_ID_TAKEN: Reason.REFERENCE_TAKEN,
    Reason.TRANSFER_PENDING: Reason.PAYMENT_PENDING,
    Reason.TRANSFER_UNKNOWN: Reason.PAYMENT_PENDING,
    Reason.TRANSFER_ABORTED: Reason.PAYMENT_REVERTED,
    Reason.DEBIT_CAP: Reason.RISK,
    Reason.BANK_LIMIT: Reason.RISK,
    Reason.BANK_SILENT: Reason.PROVIDER_DOWN,
    Reason.BANK_BUSY: Reason.PROVIDER_DOWN,
    Reason.BANK_NOT_FOUND: Reason.PROVIDER_DOWN,
    Reason.OUT_OF_REACH: Reason.PROVIDER_DOWN,
    Reason.BANK_OUTCOME_UNKNOWN: Reason.PROVIDER_DOWN,
}
# What a refusal of a transfer is called where it is one of a payment; others keep their names.


def as_payment(reason: Reason) -> Reason:
    """How a payer is told what came between."""
    return _AS_PAYMENT.get(reason, reason)


@dataclass(frozen=True, slots=True)
class PayAbroad(WithPin):
    """Sets money aside to pay somebody of another bank.

    Its result is the note of the Payment, and the record of its transfer. The same payment again
    changes nothing and has the same result, however far it has come.
    """

    payment: Payment
    cap: int
    """How much this bank may owe the other one, with this payment."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        payment = self.payment
        return (*touched_by(self.proof.account), settlement_account(payment.payee_bank),
                payment_key(payment.id), payment.id)  # fmt: skip

    def decide(self, state: State) -> Result:
        person = self.authenticate(state)
        if isinstance(person, Reason):
            return person
        payment, now = self.payment, self.terms.now
        known = state.notes.get(payment_key(payment.id))
        if known is not None:
            if not read(Payment, known).is_same(payment):
                return Reason.REFERENCE_TAKEN
            return (known, state.transfers.get(payment.id))
        why = self.refusal(state, person, payment.amount)
        if why is not None:
            return why
        held = moves.set_aside(state, Hold(
            payment.id, AccountNumber(person.account), settlement_account(payment.payee_bank),
            AccountNumber(payment.payee_account), Amount(payment.amount), False, self.cap,
        ))  # fmt: skip
        if isinstance(held, Reason):
            return as_payment(held)
        self.note_activity(state, limits.spent(self.activity(state), person.opened_us,
                                               payment.amount, now))  # fmt: skip
        booked = replace(payment, rrn=rrn_of(held.entry), state=PENDING, day=now.day)
        return (noting.write(state, payment_key(payment.id), body_of(booked)), held)


class Memo(NamedTuple):
    """What the payee's bank is told of a payment beside the transfer itself."""

    payer: str
    payee: Payee
    order: str = ""
    note: str = ""


def memo_of(payment: Payment) -> str:
    """What the payee's bank is told; a note that would make it too long stays at home."""
    words = (payment.payer, payment.payee, payment.order, to_word(payment.note))
    memo = "~".join(words)
    return memo if len(memo) <= MEMO_CHARACTERS_MAX else "~".join((*words[:3], ""))


def parse_memo(text: str) -> Memo | None:
    """The memo in a message of another bank; None if it is none."""
    words = text.encode().split(b"~")
    if len(words) != 4:
        return None
    payer, payee, order, note = words
    try:
        return Memo(
            str(parse_payee(payer)),
            parse_payee(payee),
            parse_reference(order) if order else "",
            parse_text(note) if note else "",
        )
    except Refused:
        return None


@dataclass(frozen=True, slots=True)
class Expect(Procedure):
    """Promises to take a payment from another bank, and notes it down as on its way.

    Its result is that of the promise, or why the payee cannot be paid.
    """

    promise: Promise
    memo: Memo | None
    now_us: int

    @property
    def touched(self) -> tuple[int | str, ...]:
        promise, memo = self.promise, self.memo
        vpa = (vpa_key(memo.payee),) if memo and isinstance(memo.payee, Vpa) else ()
        return (*promise.touched, person_key(promise.payee), incoming_key(promise.key), *vpa)

    def decide(self, state: State) -> Result:
        promise, memo = self.promise, self.memo
        if memo is None:
            return Reason.TRANSFER_MESSAGE_FORMAT
        if promise.key in state.transfers:
            return moves.promise(state, promise)
        why = self._refusal(state, memo)
        if why is not None:
            return why
        promised = moves.promise(state, promise)
        if isinstance(promised, Reason):
            return promised
        note = state.notes.get(person_key(promise.payee))
        payment = Payment(
            promise.key.rpartition("/")[2], "pay", memo.payer, promise.payer, str(memo.payee),
            promise.payee, "", read(Person, note).name if note else "", promise.amount, "",
            memo.note, self.now_us, rrn=rrn_of(promised.entry), order=memo.order,
            payer_bank=bank_of(promise.bank), state=PENDING,
        )  # fmt: skip
        noting.write(state, incoming_key(promise.key), body_of(payment))
        return promised

    def _refusal(self, state: State, memo: Memo) -> Reason | None:
        """Why the payee that was named cannot be paid: an address must be that of the account."""
        if isinstance(memo.payee, Vpa):
            known = state.notes.get(vpa_key(memo.payee))
            claim = read(Claim, known) if known else None
            if claim is None or claim.vpa != str(memo.payee):
                return Reason.NO_SUCH_ADDRESS
            if claim.account != self.promise.payee:
                return Reason.PAYEE_CHANGED
        note = state.notes.get(person_key(self.promise.payee))
        if note is not None and read(Person, note).is_frozen:
            return Reason.PAYEE_FROZEN
        return None


@dataclass(frozen=True, slots=True)
class Finish(Procedure):
    """Closes the record of a payment whose transfer has come to its end. Its result is the note.

    `transfer` is as the ledger keeps it for good. What a failed payment took of the payer's
    limits is given back in the same block, so that happens once.
    """

    key: str
    transfer: Transfer

    @property
    def touched(self) -> tuple[int | str, ...]:
        account = self.transfer.account
        return (self.key, person_key(account), activity_key(account))

    def decide(self, state: State) -> Result:
        note = state.notes.get(self.key)
        if note is None or not note.is_open:
            return Reason.NO_SUCH_PAYMENT
        payment = read(Payment, note)
        if self.transfer.phase is Phase.ABORTED:
            reason = Reason(self.transfer.reason or Reason.TRANSFER_ABORTED.value)
            payment = replace(payment, state=FAILED, why=as_payment(reason).value)
            if not payment.payer_bank:
                self._give_back(state, payment)
        else:
            payment = replace(payment, state=SUCCESS)
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


def record_key(transfer: Transfer) -> str:
    """The key of the record of a payment that a transfer may be for."""
    return incoming_key(transfer.key) if "/" in transfer.key else payment_key(transfer.key)
