"""Family P: mandates, asked for by who is to be paid, answered by who pays."""

from collections.abc import Generator
from typing import Any

from msgspec.structs import replace

from bank_node.banking.payments.dues import is_whole
from bank_node.banking.payments.hearing import told_reason
from bank_node.banking.payments.instalments import AttendAbroad
from bank_node.banking.payments.limits import Terms
from bank_node.banking.payments.machines import MandateMessage, MandateState
from bank_node.banking.payments.mandates import Attend, Direct, Present, Propose
from bank_node.banking.payments.mandates_abroad import KNOWN, ProposeAbroad
from bank_node.banking.payments.operations import Look, Proof
from bank_node.banking.payments.papers import (
    PAYEE,
    PAYER,
    Mandate,
    MandateAbroad,
    Plan,
    mandate_key,
)
from bank_node.banking.payments.records import Person, read
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import Note
from bank_node.protocol.payment_values import parse_vpa
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.letters import find_payer, find_request, have_asked, tell
from bank_node.service.payees import find_person
from bank_node.service.payments import prove
from bank_node.service.steps import Step, Steps

_US = 1_000_000


def propose(counter: Counter, call: Call) -> Steps:
    """`PH`."""
    vpa, payer, is_exact, amount, recurrence, start, end, reference, pin, *note = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    plan = Plan(amount, is_exact, recurrence.name, recurrence.rule, recurrence.day, start, end)
    wanted = Mandate(
        counter.payment_id(person.account, f"mandate {reference}"), str(vpa), person.account,
        person.name, str(payer), 0, plan, plan, reference, note[0] if note else "", terms.now.us,
        terms.now.us + terms.rules.asking_s * _US,
    )  # fmt: skip
    known = yield from find_request(Mandate, wanted.key)
    # What was asked for once is answered as before, also when its last day is over.
    if known is None and not is_whole(plan, terms.now.day):
        yield from _refuse(proof, terms, Reason.NO_SUCH_DAY)
    if payer.handle != counter.handle:
        there = known.there if known else None
        yield from _propose_abroad(counter, call, proof, terms, wanted, person, there)
        return f"PH {wanted.id}"
    asked = yield from find_person(payer)
    if asked is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_ADDRESS)
    yield Propose(proof, terms, replace(wanted, payer_account=asked.account))
    return f"PH {wanted.id}"


def _propose_abroad(
    counter: Counter, call: Call, proof: Proof, terms: Terms, wanted: Mandate, person: Person,
    known: MandateAbroad | None,
) -> Generator[Step, Any, None]:  # fmt: skip
    """Has another bank ask its client. One that does not answer in time is asked again later.

    `known` is what there is of the other bank, if the same was asked for before.
    """
    bank = known.bank if known else None
    if bank is None:
        try:
            bank, resolved = yield from find_payer(counter, call, parse_vpa(wanted.payer.encode()))
        except Refused:
            yield Look(proof, terms)
            raise
        if resolved.currency != counter.currency:
            yield from _refuse(proof, terms, Reason.OTHER_CURRENCY)
    there = MandateAbroad(bank, PAYER, said=1, category=person.category)
    sent = replace(wanted, state=MandateState.SENT, abroad=there)
    yield from have_asked(counter, call, (yield ProposeAbroad(proof, terms, sent)))


def _refuse(proof: Proof, terms: Terms, reason: Reason) -> Generator[Step, Any, None]:
    """Refuses, but not before the try of the PIN is counted."""
    yield Look(proof, terms)
    raise Refused(reason)


def _find(mandate_id: str, proof: Proof, terms: Terms) -> Generator[Step, Any, Mandate]:
    """Raises Refused(NO_SUCH_REQUEST), after the try of the PIN is counted."""
    known = yield from find_request(Mandate, mandate_key(mandate_id))
    if known is None:
        yield Look(proof, terms)
        raise Refused(Reason.NO_SUCH_REQUEST)
    return known


def _settled(counter: Counter, call: Call, note: Note) -> Generator[Step, Any, Mandate]:
    """A mandate of which a payee wants something, after the payer's bank has answered in time.

    Raises Refused for what that bank does not take.
    """
    mandate = read(Mandate, note)
    if mandate.there is None or mandate.there.side != PAYER or not mandate.is_owed:
        return mandate
    told = yield from tell(counter, call, mandate)
    if told.refused is not None:
        raise Refused(told_reason(told.refused, KNOWN))
    return read(Mandate, told.note) if told.note else mandate


def change_terms(counter: Counter, call: Call) -> Steps:
    """`PT`."""
    vpa, mandate_id, amount, end, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    plan = replace(known.plan, amount=amount, end=end)
    if known.side_of(person.account) == PAYEE:
        if not is_whole(plan, terms.now.day):
            yield from _refuse(proof, terms, Reason.NO_SUCH_DAY)
        if amount > terms.rules.per_payment:
            yield from _refuse(proof, terms, Reason.LIMIT_OF_PAYMENT)
    note = yield Propose(proof, terms, replace(known, plan=plan), changes=True)
    mandate = yield from _settled(counter, call, note)
    return f"PT {mandate.state}"


def present(counter: Counter, call: Call) -> Steps:
    """`PJ`."""
    vpa, mandate_id, amount, pin = call.arguments
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    note = yield Present(proof, terms, mandate_id, known.payer_account, amount)
    mandate = yield from _settled(counter, call, note)
    return f"PJ {mandate.state}"


def direct(counter: Counter, call: Call) -> Steps:
    """`PO`."""
    vpa, mandate_id, answer, pin, *rest = call.arguments
    amount, end = (*rest, 0, 0)[:2]
    _, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    known = yield from _find(mandate_id, proof, terms)
    message = MandateMessage(answer)
    note = yield Direct(proof, terms, mandate_id, known.payer_account, message, amount, end)
    return f"PO {read(Mandate, note).state}"


def attending(counter: Counter, mandate: Mandate, bank: str, terms: Terms) -> Attend:
    """What does for a mandate what it needs now."""
    name, there = f"mandate {mandate.id} {mandate.occurrence}", mandate.there
    if there is not None:
        # Each try is a transfer of its own.
        name = f"{name} {mandate.tries}"
    payment_id = counter.payment_id(mandate.payer_account, name)
    if there is None or there.side == PAYER:
        return Attend(mandate, mandate.occurrence, payment_id, bank, terms)
    cap = counter.around.cap_of(there.bank)
    return AttendAbroad(mandate, mandate.occurrence, payment_id, bank, terms, mandate.tries, cap)


MANDATE_HANDLERS: dict[str, Handler] = {
    "PH": Handler(later=in_steps(propose)),
    "PT": Handler(later=in_steps(change_terms)),
    "PJ": Handler(later=in_steps(present)),
    "PO": Handler(later=in_steps(direct)),
}
