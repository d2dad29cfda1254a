"""PK and PE: a key to listen with, and what became of payments and requests since an entry."""

import json
from collections.abc import Generator
from functools import partial
from typing import Any

from bank_node.banking.payments.names import Listener, make_listener, open_token
from bank_node.banking.payments.news import News, Page
from bank_node.banking.payments.operations import Look
from bank_node.banking.payments.papers import Request
from bank_node.banking.payments.records import Person, person_key, read
from bank_node.errors import Reason, Refused
from bank_node.ledger.notes import ReadNotes
from bank_node.service.calls import Call, Handler
from bank_node.service.counter import Counter, in_steps
from bank_node.service.payments import prove, told_payment
from bank_node.service.requests import told_request
from bank_node.service.steps import Step, Steps, Wait

_US = 1_000_000
GOOD_FOR_S = 86_400
"""How long a key to listen with is good for."""


def listening_key(counter: Counter, call: Call) -> Steps:
    """`PK`."""
    vpa, pin = call.arguments
    person, proof = yield from prove(counter, vpa, pin)
    yield Look(proof, counter.terms())
    until_s = counter.clock.now_us() // _US + GOOD_FOR_S
    return f"PK {make_listener(counter.vmids_key, Listener(person.account, until_s))}"


def news(counter: Counter, call: Call) -> Steps:
    """`PE`."""
    token, *cursor = call.arguments
    account = yield from _account(counter, token)
    if not cursor:
        return _told(counter, account, Page((), counter.newsroom.now))
    # Waiting ends before the reply time does.
    within_s = max(0.0, call.seconds_left())
    page = yield Wait(partial(counter.newsroom.listen, account, cursor[0], within_s))
    return _told(counter, account, page)


def _account(counter: Counter, token: str) -> Generator[Step, Any, int]:
    """Whose news a token opens. Raises Refused(TOKEN_REFUSED)."""
    opened = open_token(counter.vmids_key, token)
    if isinstance(opened, Listener):
        if counter.clock.now_us() // _US >= opened.until_s:
            raise Refused(Reason.TOKEN_REFUSED)
        return opened.account
    if opened is None:
        raise Refused(Reason.TOKEN_REFUSED)
    (note,) = yield ReadNotes((person_key(opened.account),))
    if note is None or read(Person, note).serial != opened.serial:
        raise Refused(Reason.TOKEN_REFUSED)
    return opened.account


def _told(counter: Counter, account: int, page: Page) -> str:
    told: dict[str, Any] = {
        "cursor": page.cursor,
        "news": [_event(counter, account, each) for each in page.news],
    }
    if page.lost:
        told["lost"] = True
    return "PE " + json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _event(counter: Counter, account: int, news: News) -> dict[str, Any]:
    record = news.record
    if isinstance(record, Request):
        side, row = record.side_of(account), told_request(record, counter.terms())
    else:
        is_payer = not record.payer_bank and record.payer_account == account
        side, row = "payer" if is_payer else "payee", told_payment(counter.currency, record)
    return {"entry": news.entry, "you": side} | row


NEWS_HANDLERS: dict[str, Handler] = {
    "PK": Handler(later=in_steps(listening_key)),
    "PE": Handler(later=in_steps(news, is_secret=False)),
}
