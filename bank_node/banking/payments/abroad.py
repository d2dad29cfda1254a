"""Payments to and from other banks: two-phase transfers with a record of the payment on each side.

Pure. The payer's bank writes its record in the block that sets the money aside, the payee's in the
block that promises to take it; both are closed by what becomes of the transfer (`closing.py`).
"""

import re
from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.payments import collects, known_mandates, takings
from bank_node.banking.payments.exchange import Exchange, is_fair, parse_exchange
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.names import RRN_DIGITS, rrn_of
from bank_node.banking.payments.operations import WithPin, touched_by
from bank_node.banking.payments.papers import collect_key, mandate_key
from bank_node.banking.payments.records import (
    CHARGEBACK,
    COLLECT,
    MANDATE,
    PAY,
    PENDING,
    REFUND,
    Claim,
    Payment,
    Person,
    body_of,
    incoming_key,
    payment_key,
    person_key,
    read,
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
    parse_payment_id,
    parse_reference,
    parse_text,
    to_word,
)
from bank_node.protocol.transfer_messages import MEMO_CHARACTERS_MAX
from bank_node.values import AccountNumber, Amount

# What a refusal of a transfer is called where it is one of a payment; others keep their names.
_AS_PAYMENT = {
    Reason.INSUFFICIENT_FUNDS: Reason.NOT_ENOUGH_MONEY,
    Reason.NO_SUCH_PAYEE: Reason.NO_SUCH_ADDRESS,
    Reason.TRANSFER_ID_TAKEN: Reason.REFERENCE_TAKEN,
    Reason.TRANSFER_PENDING: Reason.PAYMENT_PENDING,
    Reason.TRANSFER_UNKNOWN: Reason.PAYMENT_PENDING,
    Reason.TRANSFER_ABORTED: Reason.PAYMENT_REVERTED,
    Reason.DEBIT_CAP: Reason.RISK,
    Reason.TOO_MANY_PROMISES: Reason.RISK,
    Reason.BANK_LIMIT: Reason.RISK,
    Reason.BANK_SILENT: Reason.PROVIDER_DOWN,
    Reason.MESSAGES_REFUSED: Reason.PROVIDER_APART,
    Reason.ANSWER_NOT_SIGNED: Reason.PROVIDER_APART,
    Reason.BANK_BUSY: Reason.PROVIDER_DOWN,
    Reason.BANK_NOT_FOUND: Reason.PROVIDER_DOWN,
    Reason.OUT_OF_REACH: Reason.PROVIDER_DOWN,
    Reason.BANK_OUTCOME_UNKNOWN: Reason.PROVIDER_DOWN,
}

_SAME = Exchange(0, "", "")
# A retrieval number as it travels: without the zeros in front of it.
_NUMBER = re.compile(rb"[1-9][0-9]{0,%d}" % (RRN_DIGITS - 1))
_BACKWARDS = (REFUND, CHARGEBACK)
_KINDS = {kind.encode(): kind for kind in (*_BACKWARDS, COLLECT, MANDATE)}


def as_payment(reason: Reason) -> Reason:
    """How a payer is told what came between."""
    return _AS_PAYMENT.get(reason, reason)


class PayAbroad(WithPin, frozen=True):
    """Sets money aside to pay somebody of another bank.

    Its result is the Payment as it is noted down, and the record of its transfer. The same payment
    again changes nothing and has the same result, however far it has come.
    """

    payment: Payment
    cap: int
    """How much this bank may owe the other one, with this payment."""

    @property
    def touched(self) -> tuple[int | str, ...]:
        return touched_abroad(self.proof.account, self.payment)

    def decide(self, state: State) -> Result:
        client = self.recognise(state)
        if isinstance(client, Reason):
            return client
        payment, key = self.payment, payment_key(self.payment.id)
        note = state.notes.get(key)
        if note is not None:
            known = read(Payment, note)
            if not known.is_same(payment):
                return Reason.REFERENCE_TAKEN
            return (known, state.transfers.get(payment.id))
        activity = self.spend(*client, payment.amount)
        if isinstance(activity, Reason):
            return activity
        held = set_aside(state, payment, self.cap)
        if isinstance(held, Reason):
            return held
        self.note_activity(state, activity)
        # Should it come to nothing, it is taken off the day that it was counted for.
        booked = replace(payment, rrn=rrn_of(held.entry), state=PENDING, day=activity.day)
        noting.write(state, key, body_of(booked))
        return (booked, held)


def set_aside(state: State, payment: Payment, cap: int) -> Transfer | Reason:
    """Sets the money of a payment to another bank aside, which may then owe that one `cap`."""
    held = moves.set_aside(state, Hold(
        payment.id, AccountNumber(payment.payer_account), settlement_account(payment.payee_bank),
        AccountNumber(payment.payee_account), Amount(payment.amount), is_classic=False, cap=cap,
    ))  # fmt: skip
    return as_payment(held) if isinstance(held, Reason) else held


def touched_abroad(account: int, payment: Payment) -> tuple[int | str, ...]:
    """What paying somebody of another bank touches."""
    return (*touched_by(account), settlement_account(payment.payee_bank), payment_key(payment.id),
            payment.id)  # fmt: skip


class Memo(NamedTuple):
    """What the payee's bank is told of a payment beside the transfer itself."""

    payer: str
    payee: Payee
    order: str = ""
    note: str = ""
    kind: str = PAY
    of: str = ""
    """The payment that this one gives back, or the request or mandate that it is made for."""
    exchange: Exchange | None = None
    """What it is at the payer's bank, if that keeps another currency."""
    rrn: str = ""
    """Its retrieval number at the payer's bank."""


def memo_of(payment: Payment, currency: str) -> str:
    """What the payee's bank is told by one that keeps this currency.

    A note that would make it too long stays at home.
    """
    names = (payment.payer, payment.payee, payment.order)
    about = (f"{payment.kind}:{payment.of}",) if payment.of else ()
    exchange = payment.exchange
    if exchange is not None:
        mine = exchange._replace(amount=payment.amount, currency=currency)
        about = (*about, mine.word)
    if payment.rrn:
        about = (*about, str(int(payment.rrn)))
    # A text has its own way of writing blanks, and must not be taken for what stands behind it.
    note = to_word(payment.note).replace("~", "%7E") if payment.note else ""
    memo = "~".join((*names, note, *about))
    return memo if len(memo) <= MEMO_CHARACTERS_MAX else "~".join((*names, "", *about))


def parse_memo(text: str) -> Memo | None:
    """The memo in a message of another bank; None if it is none."""
    words = text.encode().split(b"~")
    if not 4 <= len(words) <= 7:
        return None
    payer, payee, order, note, *about = words
    kind, of, exchange, rrn = PAY, b"", None, ""
    try:
        if about and _NUMBER.fullmatch(about[-1]):
            rrn = about.pop().decode().rjust(RRN_DIGITS, "0")
        if about and about[0][:3].islower():
            word, _, of = about.pop(0).partition(b":")
            kind = _KINDS[word]
        if about:
            exchange = parse_exchange(about.pop().decode())
            if exchange is None or about:
                return None
        return Memo(
            str(parse_payee(payer)),
            parse_payee(payee),
            parse_reference(order) if order else "",
            parse_text(note) if note else "",
            kind,
            parse_payment_id(of) if of else "",
            exchange,
            rrn,
        )
    except (Refused, KeyError):
        return None


class Expect(Procedure, frozen=True):
    """Promises to take a payment from another bank, and notes it down as on its way.

    Its result is that of the promise, or why the payee cannot be paid.
    """

    promise: Promise
    memo: Memo | None
    terms: Terms

    @property
    def touched(self) -> tuple[int | str, ...]:
        promise, memo = self.promise, self.memo
        vpa = (vpa_key(memo.payee),) if memo and isinstance(memo.payee, Vpa) else ()
        of: tuple[str, ...] = ()
        if memo and memo.of:
            if memo.kind in _BACKWARDS:
                of = (payment_key(memo.of), memo.of)
            else:
                of = ((collect_key if memo.kind == COLLECT else mandate_key)(memo.of),)
        taken = takings.touched_by_takings(promise.payee, self.terms)
        return (*promise.touched, person_key(promise.payee), incoming_key(promise.key), *vpa, *of,
                *taken)  # fmt: skip

    def decide(self, state: State) -> Result:
        promise, memo = self.promise, self.memo
        if memo is None:
            return Reason.TRANSFER_MESSAGE_FORMAT
        if promise.key in state.transfers:
            return moves.promise(state, promise)
        client = self._client(state)
        why = self._refusal(state, memo, client)
        if why is not None:
            return why
        promised = moves.promise(state, promise)
        if isinstance(promised, Reason):
            return promised
        there = memo.exchange or _SAME
        if memo.kind in _BACKWARDS:
            change_refunded(state, payment_key(memo.of), promise.amount)
        else:
            takings.count(state, client, promise.amount, self.terms)
        payment = Payment(
            promise.key.rpartition("/")[2], memo.kind, memo.payer, promise.payer, str(memo.payee),
            promise.payee, "", client.name if client else "", promise.amount, "",
            memo.note, self.terms.now.us, rrn=memo.rrn or rrn_of(promised.entry), order=memo.order,
            payer_bank=bank_of(promise.bank), state=PENDING, of=memo.of,
            other_amount=there.amount, other_currency=there.currency, rate=there.rate,
        )  # fmt: skip
        noting.write(state, incoming_key(promise.key), body_of(payment))
        if memo.kind == COLLECT:
            collects.promised(state, payment)
        return promised

    def _refusal(self, state: State, memo: Memo, client: Person | None) -> Reason | None:
        """Why the payee that was named cannot be paid: an address must be that of the account."""
        if isinstance(memo.payee, Vpa):
            known = state.notes.get(vpa_key(memo.payee))
            claim = read(Claim, known) if known else None
            if claim is None or claim.vpa != str(memo.payee):
                return Reason.NO_SUCH_ADDRESS
            if claim.account != self.promise.payee:
                return Reason.PAYEE_CHANGED
        # Who has won a dispute gets the money, whatever the account may do with it.
        if client is not None and client.is_frozen and memo.kind != CHARGEBACK:
            return Reason.PAYEE_FROZEN
        if memo.kind in _BACKWARDS:
            return self._why_not_back(state, memo)
        why = self._why_not_wanted(state, memo)
        if why is not None:
            return why
        there = memo.exchange
        if there and not is_fair(there.amount, self.promise.amount, there.rate):
            return Reason.TRANSFER_MESSAGE_FORMAT
        return takings.refusal(state, client, self.promise.amount, self.terms)

    def _why_not_wanted(self, state: State, memo: Memo) -> Reason | None:
        """Why the payee does not want money any more that it once asked for."""
        promise, bank = self.promise, bank_of(self.promise.bank)
        if memo.kind == COLLECT:
            return collects.why_not_payable(state, memo.of, bank, promise.payee, promise.amount)
        if memo.kind == MANDATE:
            return known_mandates.why_not_payable(state, memo.of, bank, promise.payee)
        return None

    def _client(self, state: State) -> Person | None:
        note = state.notes.get(person_key(self.promise.payee))
        return read(Person, note) if note is not None else None

    def _why_not_back(self, state: State, memo: Memo) -> Reason | None:
        """Why this cannot be a part of a payment coming back from where it went."""
        promise, note = self.promise, state.notes.get(payment_key(memo.of))
        payment = read(Payment, note) if note else None
        if payment is None or (
            (payment.payee_bank, payment.payee_account, payment.payer_account)
            != (bank_of(promise.bank), promise.payer, promise.payee)
        ):  # fmt: skip
            return Reason.NO_SUCH_PAYMENT
        # Their side may have closed its record while ours still waits for their word.
        carried = state.transfers.get(memo.of)
        has_arrived = carried is not None and carried.phase in (Phase.COMMITTED, Phase.ENDED)
        if payment.is_backwards or not has_arrived:
            return Reason.NOT_REFUNDABLE
        if payment.refunded + promise.amount > payment.amount:
            return Reason.REFUND_TOO_MUCH
        return None


def change_refunded(state: State, key: str, by: int) -> None:
    """Notes down that more of a payment is given back, or less if `by` is negative."""
    note = state.notes[key]
    payment = read(Payment, note)
    after = replace(payment, refunded=payment.refunded + by)
    noting.write(state, key, body_of(after), is_open=note.is_open)


def record_key(transfer_key: str) -> str:
    """The key of the record of a payment that a transfer may be for."""
    return incoming_key(transfer_key) if "/" in transfer_key else payment_key(transfer_key)
