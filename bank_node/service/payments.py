"""Family P: clients, their addresses, PINs and limits, and paying; each command is a few steps.

The rules of money and PINs are in `banking/payments/`; here is who is meant, and what is told.
"""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from bank_node.banking.payments.abroad import PayAbroad, as_payment, memo_of
from bank_node.banking.payments.exchange import Exchange
from bank_node.banking.payments.limits import is_locked, spent_today
from bank_node.banking.payments.operations import (
    Change,
    ClaimVpa,
    Look,
    Miss,
    Pay,
    Proof,
    Register,
)
from bank_node.banking.payments.records import (
    FAILED,
    PENDING,
    SUCCESS,
    Payment,
    Person,
    payment_key,
    read,
    read_activity,
    vpa_key,
)
from bank_node.banking.payments.uri import (
    NOT_A_MERCHANT,
    parse,
)
from bank_node.banking.transfers.flights import Parcel
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import ReadNote, ReadNotes
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.ledger.transfers import Phase, Transfer
from bank_node.protocol.payment_messages import response_code
from bank_node.protocol.payment_values import Vpa
from bank_node.service.calls import Call, Handler
from bank_node.service.codes import check_code, get_code
from bank_node.service.counter import Counter, asked_us, in_steps
from bank_node.service.flow import Attempt, Noted
from bank_node.service.payees import Target, find_client, find_payee
from bank_node.service.quotes import exchanged
from bank_node.service.steps import CheckPin, MakeVerifier, Step, Steps, Wait

_US = 1_000_000
_CODES = {SUCCESS: "00", PENDING: "01", "deemed": "RB"}


def prove(counter: Counter, vpa: Vpa, pin: str) -> Generator[Step, Any, tuple[Person, Proof]]:
    """Who a client is, and what became of its PIN, which the ledger has yet to be told.

    Raises Refused(WRONG_PIN) for an address that nobody has, after the same steps.
    """
    person, activity = yield from find_client(counter.own(vpa))
    # A locked account learns nothing by another check, and must not be worth one.
    if is_locked(read_activity(activity), counter.terms().now):
        raise Refused(Reason.PIN_LOCKED)
    is_right = yield CheckPin(pin, person.verifier if person else "", vpa)
    if person is None:
        yield Miss()
        raise Refused(Reason.WRONG_PIN)
    return person, Proof(person.account, person.verifier, is_right)


def register_user(counter: Counter, call: Call) -> Steps:
    """`PU`."""
    vpa, name, mobile, pin = call.arguments
    person = yield from _register(counter, call, vpa, name, mobile, NOT_A_MERCHANT, pin)
    return f"PU {person.account}/{call.bank.code} {person.mmid}"


def register_merchant(counter: Counter, call: Call) -> Steps:
    """`PM`."""
    vpa, name, category, mobile, pin = call.arguments
    person = yield from _register(counter, call, vpa, name, mobile, category, pin)
    vmid = counter.vmid(person.account, person.serial)
    return f"PM {person.account}/{call.bank.code} {person.mmid} {vmid}"


def _register(
    counter: Counter, call: Call, vpa: Vpa, name: str, mobile: str, category: str, pin: str
) -> Generator[Step, Any, Person]:
    (taken,) = yield ReadNotes((vpa_key(counter.own(vpa)),))
    if taken:
        raise Refused(Reason.VPA_TAKEN)
    verifier = yield MakeVerifier(pin, counter.new_salt())
    note = yield Register(
        call.bank.draw(), vpa, name, mobile, category, verifier, call.bank.code,
        counter.clock.now_us(),
    )  # fmt: skip
    return read(Person, note)


def claim(counter: Counter, call: Call) -> Steps:
    """`PV`."""
    vpa, wanted, pin = call.arguments
    counter.own(wanted)
    _, proof = yield from prove(counter, vpa, pin)
    yield ClaimVpa(proof, counter.terms(), wanted)
    return f"PV {wanted}"


def balance(counter: Counter, call: Call) -> Steps:
    """`PB`."""
    vpa, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    _, _, held = yield Look(proof, counter.terms())
    return f"PB {held}"


def change_pin(counter: Counter, call: Call) -> Steps:
    """`PN`."""
    vpa, pin, new_pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    verifier = yield MakeVerifier(new_pin, counter.new_salt())
    yield Change(proof, counter.terms(), verifier=verifier)
    return "PN"


def change_limits(counter: Counter, call: Call) -> Steps:
    """`PL`."""
    vpa, pin, *wanted = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    if wanted:
        per_payment, per_day = (*wanted, None)[:2]
        yield Change(proof, terms, per_payment=per_payment, per_day=per_day)
    person, activity, _ = yield Look(proof, terms)
    rules = counter.rules
    per_payment = min(_or(person.per_payment, rules.per_payment), rules.per_payment)
    per_day = min(_or(person.per_day, rules.per_day), rules.per_day)
    left = max(0, per_day - spent_today(activity, terms.now))
    return f"PL {per_payment} {per_day} {left}"


def _or(chosen: int | None, given: int) -> int:
    return given if chosen is None else chosen


def freeze(counter: Counter, call: Call) -> Steps:
    """`PF`."""
    vpa, pin, is_frozen = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    yield Change(proof, counter.terms(), is_frozen=is_frozen)
    return "PF"


def pay(counter: Counter, call: Call) -> Steps:
    """`PP`."""
    vpa, payee, amount, reference, pin, *rest = call.arguments
    note = rest[0] if rest else ""
    try:
        target = yield from find_payee(counter, call, payee)
        exchange = exchanged(target, amount)
        _require_active(call, target)
    except Refused as refused:
        paid = yield from _paid_before(counter, call, refused, str(payee), amount, note)
    else:
        paid = yield from _pay(counter, call, vpa, pin, target, str(payee), amount, reference,
                               note, exchange=exchange)  # fmt: skip
    return f"PP {paid.id} {paid.rrn}"


def _attempt(call: Call) -> Attempt:
    vpa, payee, amount, reference, *_ = call.arguments
    return Attempt(str(vpa), str(payee), amount, reference)


def pay_by_code(counter: Counter, call: Call) -> Steps:
    """`PY`."""
    vpa, text, amount, reference, pin = call.arguments
    uri = parse(text)
    try:
        target = yield from find_payee(counter, call, uri.payee)
        exchange = exchanged(target, amount, uri.amount)
        check_code(counter, uri, target, exchange.amount if exchange else amount)
        _require_active(call, target)
    except Refused as refused:
        paid = yield from _paid_before(
            counter, call, refused, str(uri.payee), amount, uri.note, uri.reference
        )
    else:
        paid = yield from _pay(counter, call, vpa, pin, target, str(uri.payee), amount, reference,
                               uri.note, uri.reference, exchange)  # fmt: skip
    return f"PY {paid.id} {paid.rrn}"


def _attempt_by_code(call: Call) -> Attempt:
    vpa, _, amount, reference, *_ = call.arguments
    return Attempt(str(vpa), "", amount, reference)


def _pay(
    counter: Counter, call: Call, vpa: Vpa, pin: str, target: Target, payee: str, amount: int,
    reference: str, note: str, order: str = "", exchange: Exchange | None = None,
) -> Generator[Step, Any, Payment]:  # fmt: skip
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    there = exchange or Exchange(0, "", "")
    payment = Payment(
        counter.payment_id(person.account, reference), "pay", str(vpa), person.account, payee,
        target.person.account, target.bank, target.person.name, amount, reference, note,
        terms.now.us, order=order, other_amount=there.amount, other_currency=there.currency,
        rate=there.rate,
    )  # fmt: skip
    counter.flow.asked(payment.id, asked_us(call))
    if target.bank == call.bank.code:
        paid = yield Pay(proof, terms, payment)
        return read(Payment, paid)
    paid, record = yield PayAbroad(proof, terms, payment, counter.around.cap_of(target.bank))
    return (yield from carried(counter, call, paid, record))


def _require_active(call: Call, target: Target) -> None:
    """Raises Refused for a payee whom another bank has frozen; of one here the ledger says so."""
    if target.bank != call.bank.code and target.person.is_frozen:
        raise Refused(Reason.PAYEE_FROZEN)


def _paid_before(
    counter: Counter, call: Call, refused: Refused, payee: str, amount: int, note: str,
    order: str = "",
) -> Generator[Step, Any, Payment]:  # fmt: skip
    """What an earlier request of the same content came to, although it could not be made now.

    Its payer is not told that nothing was paid only because the payee's bank is away by now, or
    the code has expired. Raises `refused` if there was none, and REFERENCE_TAKEN if there was
    another one.
    """
    vpa, _, _, reference, pin, *_ = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    yield Look(proof, counter.terms())
    try:
        found = yield ReadNote(payment_key(counter.payment_id(person.account, reference)))
    except Refused as unknown:
        raise (refused if unknown.reason is Reason.NO_SUCH_PAYMENT else unknown) from None
    known = read(Payment, found)
    asked = replace(known, kind="pay", payee=payee, amount=amount, note=note, of="", order=order)
    if not known.is_same(asked):
        raise Refused(Reason.REFERENCE_TAKEN)
    record = (yield ReadTransfer(known.id)) if known.day else None
    return (yield from carried(counter, call, known, record))


def carried(
    counter: Counter, call: Call, payment: Payment, record: Transfer | None
) -> Generator[Step, Any, Payment]:
    """A payment to another bank once its money has left for good.

    Raises Noted for one that failed, and PAYMENT_PENDING for one that is not decided in time.
    """
    if payment.state == FAILED:
        raise Noted(Reason(payment.why))
    if payment.state == SUCCESS or record is None:
        return payment
    if record.phase is Phase.ABORTED:
        raise Noted(as_payment(Reason(record.reason or Reason.TRANSFER_ABORTED.value)))
    if record.is_open:
        counter.flow.set_out(payment)
        parcel = parcel_of(counter, payment, record)
        outcome = yield Wait(partial(counter.around.carry, parcel, call.seconds_left()))
        if outcome.reason is not None:
            raise Noted(as_payment(outcome.reason))
    return payment


def parcel_of(counter: Counter, payment: Payment, record: Transfer) -> Parcel:
    """A payment to another bank as it goes on its way."""
    return Parcel(record, memo_of(payment, counter.currency), payment.other_amount)


def payment_state(counter: Counter, call: Call) -> Steps:
    """`PS`."""
    note = yield ReadNote(payment_key(call.arguments[0]))
    payment = read(Payment, note)
    state = payment.state
    if state == PENDING:
        record = yield ReadTransfer(payment.id)
        # The money has left for good, and the bank of the payee has not said yet that it is there.
        state = "deemed" if record.phase in (Phase.COMMITTED, Phase.ENDED) else state
    return f"PS {as_json(told_payment(counter.currency, payment, state))}"


def told_payment(currency: str, payment: Payment, state: str = "") -> dict[str, Any]:
    """A payment as it is told."""
    state = state or payment.state
    told = {
        "payment": payment.id,
        "rrn": payment.rrn,
        "state": state,
        "code": _CODES.get(state) or response_code(Reason(payment.why)),
        "kind": payment.kind,
        "payer": payment.payer,
        "payee": payment.payee,
        "payee_name": payment.payee_name,
        "amount": payment.amount,
        "currency": currency,
        "other_amount": payment.other_amount or "",
        "other_currency": payment.other_currency,
        "rate": payment.rate,
        "reference": payment.reference,
        "order": payment.order,
        "note": payment.note,
        "of": payment.of,
        "refunded": payment.refunded or "",
        "dispute": payment.dispute,
        "time": datetime.fromtimestamp(payment.time_us / _US, UTC).isoformat(),
    }
    return {name: value for name, value in told.items() if value != ""}


def as_json(told: dict[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


PAYMENT_HANDLERS: dict[str, Handler] = {
    "PU": Handler(later=in_steps(register_user)),
    "PM": Handler(later=in_steps(register_merchant)),
    "PV": Handler(later=in_steps(claim)),
    "PP": Handler(later=in_steps(pay, attempt=_attempt)),
    "PY": Handler(later=in_steps(pay_by_code, attempt=_attempt_by_code)),
    "PB": Handler(later=in_steps(balance)),
    "PN": Handler(later=in_steps(change_pin)),
    "PL": Handler(later=in_steps(change_limits)),
    "PF": Handler(later=in_steps(freeze)),
    "PG": Handler(later=in_steps(get_code, is_secret=False)),
}
