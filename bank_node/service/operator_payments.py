"""The operator's command about payments: the flow, clients, papers, a search, and what to do.

A reply with a new PIN is the only one that has it; the logs show none of these replies.
"""

import logging
from collections.abc import Callable, Generator, Iterable
from typing import Any

from bank_node.banking.payments.machines import DisputeMessage
from bank_node.banking.payments.oversight import Oversee, RevokeMandate
from bank_node.banking.payments.papers import (
    COLLECTS,
    DISPUTES,
    MANDATES,
    Collect,
    Dispute,
    Mandate,
    dispute_key,
    mandate_key,
)
from bank_node.banking.payments.records import (
    PEOPLE,
    Payment,
    Person,
    activity_key,
    incoming_key,
    payment_key,
    person_key,
    read,
    read_activity,
)
from bank_node.banking.payments.refunds import OnItsWay
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.protocol.payment_messages import response_code
from bank_node.protocol.payment_values import parse_new_pin, parse_vpa
from bank_node.service.calls import Answer, Call, Handler
from bank_node.service.codes import code_of
from bank_node.service.counter import Counter, counter_of, in_steps, is_protected
from bank_node.service.disputes import carry_back, settling
from bank_node.service.flow import Passed
from bank_node.service.mandate_rows import told_dispute, told_mandate
from bank_node.service.operator import fields_of, must_be_allowed, office_of, when_news
from bank_node.service.payees import find_person
from bank_node.service.payments import as_json, told_payment
from bank_node.service.requests import told_collect
from bank_node.service.steps import MakeVerifier, Step, Steps, find_note

_log = logging.getLogger(__name__)

_PIN_DIGITS = 6
Row = dict[str, Any]


def _overview(counter: Counter, call: Call) -> Steps:
    """`OQ`."""
    fields = fields_of(call)
    if fields["do"]:
        told = yield from _DO[fields["do"]](counter, call)
    else:
        told = yield from _SHOW[fields["show"]](counter, call)
    return f"OQ {as_json(told)}"


def _flow(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Payments as they pass, those behind a cursor."""
    yield from ()
    fields = fields_of(call)
    page = counter.flow.ring.read(fields["after"], fields["count"])
    done, reasons = counter.flow.sums()
    rows = [_passed(counter, number, item) for number, item in page.items]
    return {
        "rows": rows, "next": page.next, "lost": page.lost, "paid": done,
        "refused": sum(reasons.values()), "reasons": reasons, "currency": counter.currency,
    }  # fmt: skip


def _passed(counter: Counter, number: int, item: Passed) -> Row:
    payment = item.payment
    if payment is not None:
        return {"number": number, "time_us": item.time_us, **_payment(counter, payment)}
    assert item.reason is not None
    told = {
        "number": number,
        "time_us": item.time_us,
        "asked_us": item.asked_us,
        "state": "refused",
        "code": response_code(item.reason),
        "why": item.reason.value,
        **item.attempt._asdict(),
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def _payment(counter: Counter, payment: Payment) -> Row:
    """A payment, and what only its banks know of it."""
    told = {"asked_us": payment.time_us, **told_payment(counter.currency, payment)}
    if payment.why:
        told["why"] = payment.why
    if payment.payer_bank:
        told |= {"bank": payment.payer_bank, "transfer": f"{payment.payer_bank}/{payment.id}"}
    elif not payment.is_local:
        told |= {"bank": payment.payee_bank, "transfer": payment.id}
    return told


def _clients(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """The clients with a text in their addresses, name, mobile number or account."""
    yield from ()
    fields = fields_of(call)
    people = (read(Person, note) for note in office_of(call).store.open_notes(PEOPLE))
    wanted = (fields["find"] or "").lower()
    found = sorted(
        (p for p in people if wanted in _text_of(p).lower()), key=lambda person: person.vpa
    )
    first = fields["first"]
    shown = found[first : first + fields["count"]]
    notes = yield ReadNotes(tuple(activity_key(person.account) for person in shown))
    now_us = counter.clock.now_us()
    rows = [
        _client_row(call, person, note, now_us) for person, note in zip(shown, notes, strict=True)
    ]
    last = first + len(rows)
    return {"total": len(found), "first": first, "rows": rows,
            "next": last if last < len(found) else None}  # fmt: skip


def _text_of(person: Person) -> str:
    return " ".join((*person.vpas, person.name, person.mobile, str(person.account)))


def _client_row(call: Call, person: Person, note: Note | None, now_us: int) -> Row:
    account = call.bank.journal.account(person.account)
    activity = read_activity(note)
    return {
        "account": person.account,
        "vpas": person.vpas,
        "name": person.name,
        "mobile": person.mobile,
        "mmid": person.mmid,
        "category": person.category,
        "balance": account.balance if account else 0,
        "state": "held" if person.is_held else "frozen" if person.is_frozen else "active",
        "wrong_pins": activity.wrong_pins,
        "locked_until_us": activity.locked_until_us if activity.locked_until_us > now_us else None,
        "opened_us": person.opened_us,
    }


def _papers(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Requests, mandates and disputes that are not over."""
    yield from ()
    fields, store = fields_of(call), office_of(call).store
    now_us = counter.clock.now_us()
    mandates = (read(Mandate, note) for note in store.open_notes(MANDATES))
    rows = [told_mandate(each, counter.rules) for each in mandates]
    rows += [told_collect(read(Collect, note), now_us) for note in store.open_notes(COLLECTS)]
    rows += [told_dispute(read(Dispute, note)) for note in store.open_notes(DISPUTES)]
    wanted = (fields["find"] or "").lower()
    found = sorted((row for row in rows if _has(row, wanted)), key=lambda row: str(row["time"]))
    first = fields["first"]
    shown = found[first : first + fields["count"]]
    last = first + len(shown)
    return {"total": len(found), "first": first, "rows": shown,
            "next": last if last < len(found) else None}  # fmt: skip


def _has(row: Row, wanted: str) -> bool:
    return not wanted or any(wanted in str(value).lower() for value in row.values())


def _find(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Payments by id, retrieval number, address or reference, the newest first.

    By an id, or by the address of the payer and its reference with a slash between them, those of
    any age; by the others, those that have passed since the start.
    """
    wanted = (fields_of(call)["find"] or "").strip()
    rows = []
    for key in (yield from _keys(counter, wanted)):
        note = yield from find_note(key)
        if note is not None:
            rows.append(_payment(counter, read(Payment, note)))
    if not rows and wanted:
        page = counter.flow.ring.read(None, 1 << 30)
        passed = [_passed(counter, number, item) for number, item in reversed(page.items)]
        rows = [row for row in passed if _has(row, wanted.lower())]
    return {"rows": rows[: fields_of(call)["count"]]}


def _keys(counter: Counter, wanted: str) -> Generator[Step, Any, Iterable[str]]:
    vpa, slash, reference = wanted.partition("/")
    if slash and "@" in vpa:
        try:
            person = yield from find_person(parse_vpa(vpa.encode()))
        except Refused:
            return ()
        if person is None:
            return ()
        return (payment_key(counter.payment_id(person.account, reference)),)
    return (payment_key(wanted), incoming_key(wanted)) if 0 < len(wanted) <= 60 else ()


def _person(call: Call) -> Generator[Step, Any, Person]:
    """The client of the field `account`. Raises Refused(NO_SUCH_CLIENT)."""
    account = fields_of(call)["account"]
    (note,) = yield ReadNotes((person_key(account or 0),))
    if note is None:
        raise Refused(Reason.NO_SUCH_CLIENT)
    return read(Person, note)


def _freeze(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Freezes a client, or lets it go on."""
    must_be_allowed(call)
    person = yield from _person(call)
    is_frozen = fields_of(call)["do"] == "freeze"
    note = yield Oversee(person.account, is_frozen=is_frozen)
    done = "froze" if is_frozen else "released"
    _log.warning("operator %s %s the account %d", call.session.peer, done, person.account)
    return {"client": _client_row(call, read(Person, note), None, 0)}


def _reset(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Gives a client a new PIN, which is told here and nowhere else."""
    must_be_allowed(call)
    if not (counter.may_be_overheard or is_protected(call.session)):
        raise Refused(Reason.UNPROTECTED)
    person = yield from _person(call)
    pin = _new_pin(counter.new_salt)
    verifier = yield MakeVerifier(pin, counter.new_salt())
    note = yield Oversee(person.account, verifier=verifier)
    _log.warning("operator %s gave the account %d a new PIN", call.session.peer, person.account)
    return {"client": _client_row(call, read(Person, note), None, 0), "pin": pin}


def _new_pin(draw: Callable[[], bytes]) -> str:
    while True:
        pin = f"{int.from_bytes(draw()) % 10**_PIN_DIGITS:0{_PIN_DIGITS}}"
        try:
            return parse_new_pin(pin.encode())
        except Refused:
            continue


def _code(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """What the code to scan of a client says."""
    person = yield from _person(call)
    return {"uri": code_of(counter, person), "name": person.name, "vpa": person.vpa}


def _revoke(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Ends the mandate of the field `find`."""
    must_be_allowed(call)
    note = yield from find_note(mandate_key((fields_of(call)["find"] or "")[:50]))
    if note is None:
        raise Refused(Reason.NO_SUCH_REQUEST)
    mandate = read(Mandate, note)
    ended = yield RevokeMandate(mandate.id, mandate.payer_account)
    _log.warning("operator %s revoked the mandate %s", call.session.peer, mandate.id)
    return {"paper": told_mandate(read(Mandate, ended), counter.rules)}


def _decide(counter: Counter, call: Call) -> Generator[Step, Any, Row]:
    """Decides the dispute of the field `find`: for the payer (charge), or not (reject)."""
    must_be_allowed(call)
    fields = fields_of(call)
    note = yield from find_note(dispute_key((fields["find"] or "")[:50]))
    known = read(Dispute, note) if note else None
    if known is None or known.payee_bank:
        raise Refused(Reason.NO_SUCH_REQUEST)
    message = DisputeMessage(fields["do"])
    given = yield settling(counter, known, call.bank.code, counter.terms(), message)
    if isinstance(given, OnItsWay):
        carry_back(counter, given)
    _log.warning("operator %s decided the dispute %s: %s", call.session.peer, known.id, message)
    told = yield ReadNote(known.key)
    return {"paper": told_dispute(read(Dispute, told))}


_SHOW = {"flow": _flow, "clients": _clients, "papers": _papers, "find": _find}
_DO = {"freeze": _freeze, "release": _freeze, "reset": _reset, "code": _code, "revoke": _revoke,
       "charge": _decide, "reject": _decide}  # fmt: skip

_answer = in_steps(_overview, is_secret=False)


def _later(call: Call, done: Callable[[Answer], None]) -> None:
    fields, counter = fields_of(call), counter_of(call)
    if fields["do"] or fields["show"] != "flow":
        _answer(call, done)
        return
    when_news(call, counter.flow.ring, lambda: _answer(call, done))


OVERSIGHT_HANDLERS: dict[str, Handler] = {"OQ": Handler(later=_later)}
