"""PW and PI: cash at machines, drawn and paid in with a PIN."""

from functools import partial

from bank_node.banking.payments.cash import Cash
from bank_node.banking.payments.records import PAY_IN, WITHDRAW, Payment, read
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payments import prove
from bank_node.service.steps import Steps

_CASH = "cash"


def _cash(kind: str, code: str, counter: Counter, call: Call) -> Steps:
    vpa, amount, reference, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    terms = counter.terms()
    wanted = Payment(
        counter.payment_id(person.account, reference), kind, str(vpa), person.account, _CASH, 0,
        call.bank.code, _CASH, amount, reference, "", terms.now.us,
    )  # fmt: skip
    done = read(Payment, (yield Cash(proof, terms, wanted)))
    return f"{code} {done.id} {done.rrn}"


CASH_HANDLERS: dict[str, Handler] = {
    "PW": Handler(later=in_steps(partial(_cash, WITHDRAW, "PW"))),
    "PI": Handler(later=in_steps(partial(_cash, PAY_IN, "PI"))),
}
