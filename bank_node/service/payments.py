"""Family P: clients, their addresses, PINs and limits, and paying; each command is a few steps.

The rules of money and PINs are in `banking/payments/`; here is who is meant, and what is told.
"""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

from bank_node.banking.payments.limits import is_locked
from bank_node.banking.payments.operations import Change, ClaimVpa, Look, Pay, Proof, Register
from bank_node.banking.payments.records import (
    Claim,
    Mobile,
    Payment,
    Person,
    activity_key,
    mobile_key,
    payment_key,
    person_key,
    read,
    read_activity,
    vpa_key,
)
from bank_node.banking.payments.uri import (
    MODE_DYNAMIC_SECURE_QR,
    MODE_SECURE_QR,
    NOT_A_MERCHANT,
    PayUri,
    UriRefused,
    build,
    parse,
)
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.protocol.payment_values import MobilePayee, Payee, Vpa
from bank_node.security.signing import is_signed_code
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.steps import CheckPin, MakeVerifier, Step, Steps

_US = 1_000_000
SUCCESS = "00"


def find_person(vpa: Vpa) -> Generator[Step, Any, Person | None]:
    """The client of this bank who has an address."""
    (note,) = yield ReadNotes((vpa_key(vpa),))
    claim = read(Claim, note) if note else None
    if claim is None or claim.vpa != str(vpa):
        return None
    (note,) = yield ReadNotes((person_key(claim.account),))
    return read(Person, note)


def prove(counter: Counter, vpa: Vpa, pin: str) -> Generator[Step, Any, tuple[Person, Proof]]:
    """Who a client is, and what became of its PIN, which the ledger has yet to be told.

    Raises Refused(WRONG_PIN) for an address that nobody has, after as much time.
    """
    person = yield from find_person(counter.own(vpa))
    if person is not None:
        (note,) = yield ReadNotes((activity_key(person.account),))
        # A locked account learns nothing by another check, and must not be worth one.
        if is_locked(read_activity(note), counter.terms().now):
            raise Refused(Reason.PIN_LOCKED)
    is_right = yield CheckPin(pin, person.verifier if person else "")
    if person is None:
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
    spent = activity.spent if activity.day == terms.now.day else 0
    return f"PL {per_payment} {per_day} {max(0, per_day - spent)}"


def _or(chosen: int | None, given: int) -> int:
    return given if chosen is None else chosen


def freeze(counter: Counter, call: Call) -> Steps:
    """`PF`."""
    vpa, pin, is_frozen = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    yield Change(proof, counter.terms(), is_frozen=is_frozen)
    return "PF"


def find_payee(counter: Counter, call: Call, payee: Payee) -> Generator[Step, Any, Person]:
    """Who is to be paid; for a plain account a Person without a name.

    Raises Refused(NO_SUCH_PROVIDER or NO_SUCH_ADDRESS).
    """
    if isinstance(payee, Vpa):
        if payee.handle != counter.handle:
            raise Refused(Reason.NO_SUCH_PROVIDER, handle=payee.handle)
        person = yield from find_person(payee)
        if person is None:
            raise Refused(Reason.NO_SUCH_ADDRESS)
        return person
    if isinstance(payee, MobilePayee):
        (note,) = yield ReadNotes((mobile_key(payee.mobile),))
        account = read(Mobile, note).accounts.get(payee.mmid) if note else None
        if account is None:
            raise Refused(Reason.NO_SUCH_ADDRESS)
    else:
        if payee.bank != call.bank.code:
            raise Refused(Reason.NO_SUCH_PROVIDER, handle=payee.bank)
        account = payee.number
    (note,) = yield ReadNotes((person_key(account),))
    if note:
        return read(Person, note)
    return Person(account, "", "", "", NOT_A_MERCHANT, (), "", 0)


def resolve(counter: Counter, call: Call) -> Steps:
    """`PR`."""
    (payee,) = call.arguments
    person = yield from find_payee(counter, call, payee)
    if call.bank.journal.account(person.account) is None:
        raise Refused(Reason.NO_SUCH_ADDRESS)
    told = {
        "payee": str(payee),
        "name": person.name,
        "account": f"{person.account}/{call.bank.code}",
        "category": person.category,
        "currency": counter.currency,
        "state": "frozen" if person.is_frozen else "active",
    }
    return f"PR {_json(told)}"


def pay(counter: Counter, call: Call) -> Steps:
    """`PP`."""
    vpa, payee, amount, reference, pin, *note = call.arguments
    target = yield from find_payee(counter, call, payee)
    paid = yield from _pay(counter, call, vpa, pin, target,
                           str(payee), amount, reference, note[0] if note else "")  # fmt: skip
    return f"PP {paid.id} {paid.rrn}"


def pay_by_code(counter: Counter, call: Call) -> Steps:
    """`PY`."""
    vpa, text, amount, reference, pin = call.arguments
    uri = parse(text)
    target = yield from find_payee(counter, call, uri.payee)
    check_code(counter, uri, target, amount)
    paid = yield from _pay(counter, call, vpa, pin, target,
                           str(uri.payee), amount, reference, uri.note)  # fmt: skip
    return f"PY {paid.id} {paid.rrn}"


def check_code(counter: Counter, uri: PayUri, payee: Person, amount: int) -> None:
    """Proves that an amount may be paid as a code says. Raises UriRefused."""
    if uri.expires_us is not None and counter.clock.now_us() >= uri.expires_us:
        raise UriRefused("qrexpire", "it has expired")
    if uri.currency not in ("", counter.currency):
        raise UriRefused("cu", "its currency is another one")
    if not uri.allows(amount):
        raise UriRefused("am", "it is not for this amount")
    if uri.signature:
        if not is_signed_code(uri.signed.encode(), uri.signature, counter.code_key.public):
            raise UriRefused("sign", "its signature does not fit")
    elif payee.category != NOT_A_MERCHANT:
        # Whoever changes a merchant's code takes the signature off as well.
        raise UriRefused("sign", "its signature is missing")
    if uri.category != payee.category:
        raise UriRefused("mc", "its category is another one")


def _pay(
    counter: Counter, call: Call, vpa: Vpa, pin: str, target: Person, payee: str, amount: int,
    reference: str, note: str,
) -> Generator[Step, Any, Payment]:  # fmt: skip
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    payment = Payment(
        counter.payment_id(person.account, reference), "pay", str(vpa), person.account, payee,
        target.account, call.bank.code, target.name, amount, reference, note, terms.now.us,
    )  # fmt: skip
    paid = yield Pay(proof, terms, payment)
    return read(Payment, paid)


def payment_state(counter: Counter, call: Call) -> Steps:
    """`PS`."""
    note = yield ReadNote(payment_key(call.arguments[0]))
    return f"PS {_json(told_payment(counter, note))}"


def told_payment(counter: Counter, note: Note) -> dict[str, Any]:
    """A payment as it is told."""
    payment = read(Payment, note)
    told = {
        "payment": payment.id,
        "rrn": payment.rrn,
        "state": "success",
        "code": SUCCESS,
        "kind": payment.kind,
        "payer": payment.payer,
        "payee": payment.payee,
        "payee_name": payment.payee_name,
        "amount": payment.amount,
        "currency": counter.currency,
        "reference": payment.reference,
        "note": payment.note,
        "time": datetime.fromtimestamp(payment.time_us / _US, UTC).isoformat(),
    }
    return {name: value for name, value in told.items() if value != ""}


def get_code(counter: Counter, call: Call) -> Steps:
    """`PG`."""
    vmid, *rest = call.arguments
    amount, reference, seconds, text = (*rest, None, None, None, None)[:4]
    merchant = counter.merchant(vmid)
    (note,) = yield ReadNotes((person_key(merchant.account),))
    person = read(Person, note) if note else None
    if person is None or person.serial != merchant.serial:
        raise Refused(Reason.NO_SUCH_MERCHANT)
    name, _, handle = person.vpa.partition("@")
    uri = PayUri(
        Vpa(name, handle),
        name=person.name,
        category=person.category,
        amount=amount,
        currency=counter.currency,
        reference=reference or "",
        note=text or "",
        mode=MODE_SECURE_QR if amount is None else MODE_DYNAMIC_SECURE_QR,
        expires_us=counter.clock.now_us() + seconds * _US if seconds else None,
    )
    return f"PG {build(uri, counter.code_key.sign)}"


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


PAYMENT_HANDLERS: dict[str, Handler] = {
    "PU": Handler(later=in_steps(register_user)),
    "PM": Handler(later=in_steps(register_merchant)),
    "PV": Handler(later=in_steps(claim)),
    "PR": Handler(later=in_steps(resolve, is_secret=False)),
    "PP": Handler(later=in_steps(pay)),
    "PY": Handler(later=in_steps(pay_by_code)),
    "PS": Handler(later=in_steps(payment_state, is_secret=False)),
    "PB": Handler(later=in_steps(balance)),
    "PN": Handler(later=in_steps(change_pin)),
    "PL": Handler(later=in_steps(change_limits)),
    "PF": Handler(later=in_steps(freeze)),
    "PG": Handler(later=in_steps(get_code, is_secret=False)),
}
