"""Family P: money back, given by who was paid, or wanted by who paid.

The rules are in `banking/payments/`; here is who is meant, and what is told.
"""

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from bank_node.banking.payments.chargebacks import Accept, Settle
from bank_node.banking.payments.disputes import Raise, Say
from bank_node.banking.payments.disputes_abroad import ABOUT_DISPUTES, Hear, answer_of
from bank_node.banking.payments.limits import Moment, Terms
from bank_node.banking.payments.machines import DisputeMessage
from bank_node.banking.payments.operations import Look, Proof
from bank_node.banking.payments.papers import PAYER, Dispute, Statement, dispute_key
from bank_node.banking.payments.records import (
    CHARGEBACK,
    REFUND,
    Payment,
    Person,
    incoming_key,
    payment_key,
    read,
)
from bank_node.banking.payments.refunds import GiveBack, OnItsWay
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.protocol.command import STORE
from bank_node.protocol.dispute_messages import DisputeAnswer
from bank_node.protocol.dispute_messages import DisputeMessage as Letter
from bank_node.protocol.payment_values import ACCEPT, CONTEST, EVIDENCE, RAISE
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.letters import require_signed
from bank_node.service.payees import received_keys
from bank_node.service.payments import carried, parcel_of, prove
from bank_node.service.steps import Step, Steps, find_note
from bank_node.values import BankCode

_US = 1_000_000
# Nobody waits for it; the transfer itself is given up by its own deadlines.
_CARRY_S = 30.0
_MESSAGES = {EVIDENCE: None, CONTEST: DisputeMessage.CONTEST}


def refund(counter: Counter, call: Call) -> Steps:
    """`PX`."""
    vpa, payment_id, amount, reference, pin, *note = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    paid = yield from _received(counter, payment_id, person)
    if paid is None:
        # The try of the PIN is counted all the same.
        yield Look(proof, terms)
        booked = yield from _given_before(counter, call, person)
        return f"PX {booked.id} {booked.rrn}"
    about = yield from _dispute(paid.dispute) if paid.dispute else _none()
    back = Payment(
        counter.payment_id(person.account, reference), REFUND, str(vpa), person.account,
        paid.payer, paid.payer_account, paid.payer_bank or call.bank.code, "", amount, reference,
        note[0] if note else "", terms.now.us, of=paid.id,
        day=terms.now.day if paid.payer_bank else 0, dispute=paid.dispute,
    )  # fmt: skip
    cap = _cap(counter, paid.payer_bank)
    booked = yield from _sent(counter, call, (yield GiveBack(proof, terms, back, cap, about)))
    return f"PX {booked.id} {booked.rrn}"


def _given_before(counter: Counter, call: Call, person: Person) -> Generator[Step, Any, Payment]:
    """What an earlier request of the same content came to, now that its payment cannot be found.

    A payment from another bank is found by way of that bank, which may be away. Raises Refused.
    """
    _, payment_id, amount, reference, _, *note = call.arguments
    found = yield from find_note(payment_key(counter.payment_id(person.account, reference)))
    known = read(Payment, found) if found else None
    if known is None or (known.kind, known.of) != (REFUND, payment_id):
        raise Refused(Reason.NO_SUCH_PAYMENT)
    if (known.amount, known.note) != (amount, note[0] if note else ""):
        raise Refused(Reason.REFERENCE_TAKEN)
    record = (yield ReadTransfer(known.id)) if known.day else None
    return (yield from carried(counter, call, known, record))


def _none() -> Generator[Step, Any, None]:
    yield from ()


def _cap(counter: Counter, bank: str) -> int:
    """How much this bank may owe another one; 0 for itself."""
    return counter.around.cap_of(BankCode(bank)) if bank else 0


def _received(
    counter: Counter, payment_id: str, person: Person
) -> Generator[Step, Any, Payment | None]:
    """The payment with this id that somebody of this bank was paid with."""
    for key in (payment_key(payment_id), *received_keys(counter, payment_id)):
        note = yield from find_note(key)
        payment = read(Payment, note) if note else None
        # The payee of a payment that went to another bank only has the same number there.
        is_here = payment is not None and (payment.is_local or bool(payment.payer_bank))
        if payment is not None and is_here and payment.payee_account == person.account:
            return payment
    return None


def _dispute(dispute_id: str) -> Generator[Step, Any, Dispute | None]:
    note = yield from find_note(dispute_key(dispute_id))
    return read(Dispute, note) if note else None


def _sent(counter: Counter, call: Call, given: Any) -> Generator[Step, Any, Payment]:
    """A refund, once its money has left for good if it goes to another bank; see `carried`."""
    if not isinstance(given, OnItsWay):
        return read(Payment, given)
    payment = read(Payment, given.note)
    return (yield from carried(counter, call, payment, given.transfer))


def dispute(counter: Counter, call: Call) -> Steps:
    """`PZ`."""
    vpa, paper_id, word, pin, *rest = call.arguments
    text = rest[0] if rest else ""
    if bool(text) is not (word in (RAISE, *_MESSAGES)):
        raise Refused(Reason.DISPUTE_FORMAT)
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    if word == RAISE:
        told = yield from _raise(counter, call, proof, terms, paper_id, text)
    else:
        known = yield from _dispute(paper_id)
        if known is None or not known.side_of(person.account):
            yield Look(proof, terms)
            raise Refused(Reason.NO_SUCH_REQUEST)
        if word == ACCEPT:
            told = yield from _accept(counter, call, proof, terms, known)
        else:
            message = _MESSAGES.get(word, DisputeMessage.WITHDRAW)
            told = yield Say(proof, terms, known, message, text)
    paper = read(Dispute, told)
    return f"PZ {paper.id} {paper.state}"


def _raise(
    counter: Counter, call: Call, proof: Proof, terms: Terms, payment_id: str, text: str
) -> Generator[Step, Any, Note]:
    note = yield from find_note(payment_key(payment_id))
    payment = read(Payment, note) if note else None
    if payment is None or payment.payer_account != proof.account:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_PAYMENT)
    there = payment.payee_bank if payment.payee_bank != call.bank.code else ""
    now_us = terms.now.us
    wanted = Dispute(
        counter.payment_id(proof.account, f"dispute {payment_id}"), payment_id, payment.payer,
        payment.payer_account, payment.payee, payment.payee_account, payment.amount,
        (Statement(PAYER, text, now_us),), now_us,
        now_us + terms.rules.dispute_answer_s * _US, payee_bank=there,
    )  # fmt: skip
    raised: Note = yield Raise(proof, terms, wanted)
    return raised


def _accept(
    counter: Counter, call: Call, proof: Proof, terms: Terms, known: Dispute
) -> Generator[Step, Any, Note]:
    back = chargeback_of(counter, known, call.bank.code, terms.now)
    given = yield Accept(proof, terms, known, back, _cap(counter, known.payer_bank))
    if isinstance(given, OnItsWay):
        # Whatever becomes of it, it is decided: the money is tried again until it is there.
        with suppress(Refused):
            yield from _sent(counter, call, given)
    told: Note = yield ReadNote(dispute_key(known.id))
    return told


def hear(counter: Counter, call: Call) -> Steps:
    """`TD`."""
    bank, letter, signature = call.arguments
    require_signed(ABOUT_DISPUTES, counter, call, bank, letter.line, signature)
    try:
        answer = yield from _heard(counter, bank, letter)
    except Refused as refused:
        if refused.reason in STORE:
            raise
        answer = DisputeAnswer(refused=refused.reason)
    return ABOUT_DISPUTES.answer(call.bank.identity, call.bank.code, bank, letter.line, answer.line)


def _heard(
    counter: Counter, bank: str, letter: Letter
) -> Generator[Step, Any, DisputeAnswer]:  # fmt: skip
    note = yield from find_note(incoming_key(f"{bank}/{letter.payment}"))
    if note is None:
        raise Refused(Reason.NO_SUCH_PAYMENT)
    payment, terms = read(Payment, note), counter.terms()
    now_us = terms.now.us
    wanted = Dispute(
        letter.dispute, letter.payment, payment.payer, payment.payer_account, payment.payee,
        payment.payee_account, payment.amount, (Statement(PAYER, letter.text, now_us),), now_us,
        now_us + terms.rules.dispute_answer_s * _US, payer_bank=bank,
    )  # fmt: skip
    told = yield Hear(wanted, letter, terms)
    return answer_of(read(Dispute, told), letter)


def chargeback_of(counter: Counter, known: Dispute, bank: str, now: Moment) -> Payment:
    """The payment that gives back what is disputed, by the try that is next."""
    name = f"chargeback {known.id} {known.tries}"
    return Payment(
        counter.payment_id(known.payee_account, name), CHARGEBACK, known.payee,
        known.payee_account, known.payer, known.payer_account, known.payer_bank or bank, "",
        known.amount, known.id, "", now.us, of=known.payment,
        day=now.day if known.payer_bank else 0, dispute=known.id,
    )  # fmt: skip


def settling(
    counter: Counter, known: Dispute, bank: str, terms: Terms,
    message: DisputeMessage | None = None,
) -> Settle:  # fmt: skip
    """What decides a dispute: what is due, or as the operator says."""
    back = chargeback_of(counter, known, bank, terms.now)
    return Settle(known, message, back, _cap(counter, known.payer_bank), terms)


def carry_back(counter: Counter, given: OnItsWay) -> None:
    """Has money that was given back go on its way to the other bank; nobody waits for it."""
    if given.transfer is not None and given.transfer.is_open:
        parcel = parcel_of(counter, read(Payment, given.note), given.transfer)
        counter.around.carry(parcel, _CARRY_S, lambda _: None)


DISPUTE_HANDLERS: dict[str, Handler] = {
    "PX": Handler(later=in_steps(refund)),
    "TD": Handler(later=in_steps(hear, is_secret=False)),
    "PZ": Handler(later=in_steps(dispute)),
}
