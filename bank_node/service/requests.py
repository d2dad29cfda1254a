"""Family P: clients ask each other for money; what waits for them, and what became of it.

The rules are in `banking/payments/`; here is who is meant, and what is told.
"""

from collections.abc import Generator
from typing import Any

from msgspec.structs import replace

from bank_node.banking.payments.collects import (
    ApproveCollect,
    Ask,
    EndCollect,
    payment_of,
)
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import COLLECT_ASKED, CollectState
from bank_node.banking.payments.operations import Look, Proof
from bank_node.banking.payments.papers import (
    PAYER,
    REQUESTS,
    Abroad,
    Agenda,
    Collect,
    Dispute,
    Mandate,
    Request,
    agenda_key,
    collect_key,
    dispute_key,
    mandate_key,
)
from bank_node.banking.payments.records import Payment, read, request_of
from bank_node.banking.payments.requests_abroad import ApproveAbroad, AskAbroad, payment_abroad
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.protocol.payment_values import parse_vpa
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, asked_us, in_steps
from bank_node.service.flow import Attempt
from bank_node.service.letters import find_payer, find_request, have_asked
from bank_node.service.mandate_rows import moment, told_dispute, told_mandate
from bank_node.service.payees import find_person, received_keys
from bank_node.service.payments import as_json, carried, payment_state, prove, told_payment
from bank_node.service.steps import Step, Steps
from bank_node.values import BankCode

_US = 1_000_000
_KEYS = (collect_key, mandate_key, dispute_key)


def collect(counter: Counter, call: Call) -> Steps:
    """`PC`."""
    vpa, payer, amount, reference, pin, *rest = call.arguments
    seconds, note = (*rest, None, None)[:2]
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    wanted = Collect(
        counter.payment_id(person.account, f"collect {reference}"), str(vpa), person.account,
        person.name, str(payer), 0, amount, reference, note or "", terms.now.us,
        terms.now.us + (seconds or terms.rules.asking_s) * _US,
    )  # fmt: skip
    if payer.handle != counter.handle:
        yield from _ask_abroad(counter, call, proof, terms, wanted, person.category)
        return f"PC {wanted.id}"
    asked = yield from find_person(payer)
    if asked is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_ADDRESS)
    yield Ask(proof, terms, replace(wanted, payer_account=asked.account))
    return f"PC {wanted.id}"


def _ask_abroad(
    counter: Counter, call: Call, proof: Proof, terms: Terms, wanted: Collect, category: str
) -> Generator[Step, Any, None]:
    """Has another bank ask its client. One that does not answer in time is asked again later."""
    known = yield from find_request(Collect, wanted.key)
    bank = known.there.bank if known and known.there else None
    try:
        if bank is None:
            bank, _ = yield from find_payer(counter, call, parse_vpa(wanted.payer.encode()))
    except Refused:
        yield Look(proof, terms)
        raise
    sent = replace(
        wanted, state=CollectState.SENT, abroad=Abroad(bank, PAYER, said=1, category=category)
    )
    yield from have_asked(counter, call, (yield AskAbroad(proof, terms, sent)))


def approve(counter: Counter, call: Call) -> Steps:
    """`PA`."""
    vpa, collect_id, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    found = yield from find_request(Collect, collect_key(collect_id))
    if found is None or found.side_of(person.account) != PAYER:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_REQUEST)
    there = found.there
    name = f"approve {collect_id} {there.tries}" if there else f"approve {collect_id}"
    payment_id = counter.payment_id(person.account, name)
    counter.flow.asked(payment_id, asked_us(call))
    if there is None:
        payment = payment_of(found, payment_id, call.bank.code, terms.now.us)
        paid = read(Payment, (yield ApproveCollect(proof, terms, payment, collect_id)))
    else:
        payment, cap = payment_abroad(found, payment_id, terms.now.us), counter.around.cap_of
        payment, record = yield ApproveAbroad(
            proof, terms, payment, cap(there.bank), collect_id, there.tries
        )
        paid = yield from carried(counter, call, payment, record)
    return f"PA {paid.id} {paid.rrn}"


def decline(counter: Counter, call: Call) -> Steps:
    """`PD`."""
    vpa, collect_id, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    found = yield from find_request(Collect, collect_key(collect_id))
    if found is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_REQUEST)
    ended = yield EndCollect(proof, terms, collect_id, found.payer_account)
    return f"PD {read(Collect, ended).state}"


def waiting(counter: Counter, call: Call) -> Steps:
    """`PQ`."""
    vpa, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    yield Look(proof, counter.terms())
    (note,) = yield ReadNotes((agenda_key(person.account),))
    items = read(Agenda, note).items if note else ()
    notes = yield ReadNotes(tuple(key for key, _ in items))
    terms = counter.terms()
    rows = [told_paper(each, terms) for each in notes if each]
    return f"PQ {as_json({'requests': rows})}"


def told_paper(note: Note, terms: Terms) -> dict[str, Any]:
    """A request, a mandate or a dispute as it is told, without what is empty."""
    if note.key.startswith(REQUESTS):
        return told_request(request_of(note), terms)
    return whole(told_dispute(read(Dispute, note)))


def told_request(paper: Request, terms: Terms) -> dict[str, Any]:
    """A request or a mandate as it is told, without what is empty."""
    if isinstance(paper, Mandate):
        return whole(told_mandate(paper, terms.rules))
    return whole(told_collect(paper, terms.now.us))


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what is empty."""
    return {name: value for name, value in row.items() if value != ""}


# What there is to tell of another bank where there is none.
_NOWHERE = Abroad(BankCode(""), "")


def told_collect(paper: Collect, now_us: int) -> dict[str, Any]:
    is_late = paper.state in COLLECT_ASKED and now_us >= paper.expires_us
    there = paper.there or _NOWHERE
    return {
        "kind": "collect",
        "id": paper.id,
        "state": "expired" if is_late else paper.state.value,
        "payee": paper.payee,
        "payee_name": paper.payee_name,
        "payer": paper.payer,
        "amount": paper.amount,
        "other_amount": there.amount or "",
        "other_currency": there.currency,
        "rate": there.rate,
        "reference": paper.reference,
        "note": paper.note,
        "time": moment(paper.time_us),
        "expires": moment(paper.expires_us),
        "payment": paper.payment,
        "why": there.why,
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
            return f"PS {as_json(told_paper(note, counter.terms()))}"
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
