"""Family P: mandates, asked for by who is to be paid, answered by who pays."""

from collections.abc import Generator
from typing import Any

from msgspec.structs import replace

from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import MandateMessage
from bank_node.banking.payments.mandates import Attend, Direct, Present, Propose, is_whole
from bank_node.banking.payments.operations import Look, Proof
from bank_node.banking.payments.papers import Mandate, Plan, mandate_key
from bank_node.banking.payments.records import read
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import ReadNote
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payees import find_person
from bank_node.service.payments import prove
from bank_node.service.steps import Step, Steps

_US = 1_000_000


def propose(counter: Counter, call: Call) -> Steps:
    """`PH`."""
    vpa, payer, is_exact, amount, recurrence, start, end, reference, pin, *note = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    asked = yield from find_person(counter.own(payer))
    terms = counter.terms()
    plan = Plan(amount, is_exact, recurrence.name, recurrence.rule, recurrence.day, start, end)
    if asked is None:
        yield from _refuse(proof, terms, Reason.NO_SUCH_ADDRESS)
    elif not is_whole(plan, terms.now.day):
        yield from _refuse(proof, terms, Reason.NO_SUCH_DAY)
    else:
        wanted = Mandate(
            counter.payment_id(person.account, f"mandate {reference}"), str(vpa), person.account,
            person.name, str(payer), asked.account, plan, plan, reference,
            note[0] if note else "", terms.now.us, terms.now.us + terms.rules.asking_s * _US,
        )  # fmt: skip
        yield Propose(proof, terms, wanted)
        return f"PH {wanted.id}"
    raise AssertionError("a refusal is raised")


def _refuse(proof: Proof, terms: Terms, reason: Reason) -> Generator[Step, Any, None]:
    """Refuses, but not before the try of the PIN is counted."""
    yield Look(proof, terms)
    raise Refused(reason)


def _find(mandate_id: str, proof: Proof, terms: Terms) -> Generator[Step, Any, Mandate]:
    """Raises Refused(NO_SUCH_REQUEST), after the try of the PIN is counted."""
    try:
        note = yield ReadNote(mandate_key(mandate_id))
    except Refused as refused:
        if refused.reason is not Reason.NO_SUCH_PAYMENT:
            raise
        note = None
    if note is None:
        yield from _refuse(proof, terms, Reason.NO_SUCH_REQUEST)
    return read(Mandate, note)


def change_terms(counter: Counter, call: Call) -> Steps:
    """`PT`."""
    vpa, mandate_id, amount, end, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    plan = replace(known.plan, amount=amount, end=end)
    if known.payee_account == person.account:
        if not is_whole(plan, terms.now.day):
            yield from _refuse(proof, terms, Reason.NO_SUCH_DAY)
        if amount > terms.rules.per_payment:
            yield from _refuse(proof, terms, Reason.LIMIT_OF_PAYMENT)
    note = yield Propose(proof, terms, replace(known, plan=plan), changes=True)
    return f"PT {read(Mandate, note).state}"


def present(counter: Counter, call: Call) -> Steps:
    """`PJ`."""
    vpa, mandate_id, amount, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    note = yield Present(proof, terms, mandate_id, known.payer_account, amount)
    return f"PJ {read(Mandate, note).state}"


def direct(counter: Counter, call: Call) -> Steps:
    """`PO`."""
    vpa, mandate_id, answer, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    message = MandateMessage(answer)
    note = yield Direct(proof, terms, mandate_id, known.payer_account, message)
    return f"PO {read(Mandate, note).state}"


def attending(counter: Counter, mandate: Mandate, bank: str, terms: Terms) -> Attend:
    """What does for a mandate what it needs now."""
    name = f"mandate {mandate.id} {mandate.occurrence}"
    payment_id = counter.payment_id(mandate.payer_account, name)
    return Attend(mandate, mandate.occurrence, payment_id, bank, terms)


MANDATE_HANDLERS: dict[str, Handler] = {
    "PH": Handler(later=in_steps(propose)),
    "PT": Handler(later=in_steps(change_terms)),
    "PJ": Handler(later=in_steps(present)),
    "PO": Handler(later=in_steps(direct)),
}
