"""Family P: who is to be paid, and what that costs in another currency."""

import json
from typing import Any

from bank_node.banking.payments.exchange import Exchange, arriving, costing
from bank_node.errors import Reason, Refused
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payees import Target, find_payee
from bank_node.service.steps import Steps
from bank_node.values import AMOUNT_MAX


def resolve(counter: Counter, call: Call) -> Steps:
    """`PR`."""
    payee, *wanted = call.arguments
    target = yield from find_payee(counter, call, payee)
    person = target.person
    if target.bank == call.bank.code and call.bank.journal.account(person.account) is None:
        raise Refused(Reason.NO_SUCH_ADDRESS)
    told = {
        "payee": str(payee),
        "name": person.name,
        "account": f"{person.account}/{target.bank}",
        "category": person.category,
        "currency": target.currency,
        "state": "frozen" if person.is_frozen else "active",
    }
    if target.rate:
        told["rate"] = target.rate
    if wanted:
        told |= _quoted(counter, target, wanted[0])
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return f"PR {text}"


def _quoted(counter: Counter, target: Target, arrives: int) -> dict[str, Any]:
    """What it costs that an amount arrives, in units of this bank, and what arrives for that."""
    costs = costing(arrives, target.rate) if target.rate else arrives
    if costs > AMOUNT_MAX:
        raise Refused(Reason.PAYMENT_AMOUNT)
    arrives = arriving(costs, target.rate) if target.rate else arrives
    return {"costs": costs, "costs_currency": counter.currency, "arrives": arrives}


def exchanged(target: Target, amount: int, asked: int | None = None) -> Exchange | None:
    """What an amount is in the payee's currency, None if that is the same one.

    Just what is `asked` for, if this is what that costs. Raises Refused(PAYMENT_AMOUNT).
    """
    if not target.rate:
        return None
    is_asked = asked is not None and costing(asked, target.rate) == amount
    arrives = asked if asked is not None and is_asked else arriving(amount, target.rate)
    if not 0 < arrives <= AMOUNT_MAX:
        raise Refused(Reason.PAYMENT_AMOUNT)
    return Exchange(arrives, target.currency, target.rate)


QUOTE_HANDLERS: dict[str, Handler] = {"PR": Handler(later=in_steps(resolve, is_secret=False))}
