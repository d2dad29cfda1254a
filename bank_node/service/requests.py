"""Family P: clients ask each other for money; what waits for them, and what became of it.

The rules are in `banking/payments/`; here is who is meant, and what is told.
"""

from collections.abc import Generator
from typing import Any

from bank_node.banking.payments.collects import (
    ApproveCollect,
    Ask,
    EndCollect,
    payment_of,
)
from bank_node.banking.payments.operations import Look
from bank_node.banking.payments.papers import (
    Agenda,
    Collect,
    Dispute,
    Mandate,
    agenda_key,
    collect_key,
    dispute_key,
    mandate_key,
)
from bank_node.banking.payments.records import Payment, read
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, asked_us, in_steps
from bank_node.service.flow import Attempt
from bank_node.service.mandate_rows import moment, told_dispute, told_mandate
from bank_node.service.payees import find_person, received_keys
from bank_node.service.payments import as_json, payment_state, prove, told_payment
from bank_node.service.steps import Step, Steps

_US = 1_000_000
_KEYS = (collect_key, mandate_key, dispute_key)


def collect(counter: Counter, call: Call) -> Steps:
    """`PC`."""
    vpa, payer, amount, reference, pin, *rest = call.arguments
    seconds, note = (*rest, None, None)[:2]
    person, proof = yield from prove(counter, vpa, pin)
    asked = yield from find_person(counter.own(payer))
    terms = counter.terms()
    if asked is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_ADDRESS)
    wanted = Collect(
        counter.payment_id(person.account, f"collect {reference}"), str(vpa), person.account,
        person.name, str(payer), asked.account, amount, reference, note or "", terms.now.us,
        terms.now.us + (seconds or terms.rules.asking_s) * _US,
    )  # fmt: skip
    yield Ask(proof, terms, wanted)
    return f"PC {wanted.id}"


def approve(counter: Counter, call: Call) -> Steps:
    """`PA`."""
    vpa, collect_id, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    found = yield from _read_collect(collect_id)
    if found is None or found.payer_account != person.account:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_REQUEST)
    payment = payment_of(
        found, counter.payment_id(person.account, f"approve {collect_id}"), call.bank.code,
        terms.now.us,
    )  # fmt: skip
    counter.flow.asked(payment.id, asked_us(call))
    paid = read(Payment, (yield ApproveCollect(proof, terms, payment, collect_id)))
    return f"PA {paid.id} {paid.rrn}"


def decline(counter: Counter, call: Call) -> Steps:
    """`PD`."""
    vpa, collect_id, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    found = yield from _read_collect(collect_id)
    if found is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_REQUEST)
    ended = yield EndCollect(proof, terms, collect_id, found.payer_account)
    return f"PD {read(Collect, ended).state}"


def _read_collect(collect_id: str) -> Generator[Step, Any, Collect | None]:
    try:
        note = yield ReadNote(collect_key(collect_id))
    except Refused as refused:
        if refused.reason is not Reason.NO_SUCH_PAYMENT:
            raise
        return None
    return read(Collect, note)


def waiting(counter: Counter, call: Call) -> Steps:
    """`PQ`."""
    vpa, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    yield Look(proof, counter.terms())
    (note,) = yield ReadNotes((agenda_key(person.account),))
    items = read(Agenda, note).items if note else ()
    notes = yield ReadNotes(tuple(key for key, _ in items))
    now_us = counter.terms().now.us
    rows = [told_paper(each, now_us) for each in notes if each]
    return f"PQ {as_json({'requests': rows})}"


def told_paper(note: Note, now_us: int) -> dict[str, Any]:
    """A request, a mandate or a dispute as it is told, without what is empty."""
    if note.key.startswith("w:"):
        told = told_mandate(read(Mandate, note))
    elif note.key.startswith("d:"):
        told = told_dispute(read(Dispute, note))
    else:
        told = told_collect(read(Collect, note), now_us)
    return {name: value for name, value in told.items() if value != ""}


def told_collect(paper: Collect, now_us: int) -> dict[str, Any]:
    is_late = paper.is_open and now_us >= paper.expires_us
    return {
        "kind": "collect",
        "id": paper.id,
        "state": "expired" if is_late else paper.state.value,
        "payee": paper.payee,
        "payee_name": paper.payee_name,
        "payer": paper.payer,
        "amount": paper.amount,
        "reference": paper.reference,
        "note": paper.note,
        "time": moment(paper.time_us),
        "expires": moment(paper.expires_us),
        "payment": paper.payment,
    }


def state(counter: Counter, call: Call) -> Steps:
    """`PS`: of a payment, or of what else has an id of this form."""
    try:
        return (yield from payment_state(counter, call))
    except Refused as refused:
        if refused.reason is not Reason.NO_SUCH_PAYMENT:
            raise
        gone = refused
    for key_of in _KEYS:
        try:
            note = yield ReadNote(key_of(call.arguments[0]))
        except Refused as refused:
            gone = refused
        else:
            return f"PS {as_json(told_paper(note, counter.terms().now.us))}"
    for key in received_keys(counter, call.arguments[0]):
        try:
            note = yield ReadNote(key)
        except Refused as refused:
            gone = refused
        else:
            return f"PS {as_json(told_payment(counter.currency, read(Payment, note)))}"
    raise gone


REQUEST_HANDLERS: dict[str, Handler] = {
    "PC": Handler(later=in_steps(collect)),
    "PA": Handler(later=in_steps(approve, attempt=lambda call: Attempt(str(call.arguments[0])))),
    "PD": Handler(later=in_steps(decline)),
    "PS": Handler(later=in_steps(state, is_secret=False)),
    "PQ": Handler(later=in_steps(waiting)),
}
