"""The node pays mandates and closes requests by itself, also after a new start, and pays once."""

import json
from functools import partial

from support.nodes import running_node
from support.polling import until

SETTINGS = {
    "payments__handle": "brno", "payments__pin_profile": "light", "payments__mandate_notice_s": 0
}  # fmt: skip


def join(wire):
    user = wire.ask("PU alice@brno Alice 420777123456 2580").split()[1]
    shop = wire.ask("PM shop@brno Shop 5411 420777654321 2580").split()[1]
    assert wire.ask(f"AD {user} 1000") == "AD"
    return shop


def told(wire, paper):
    return json.loads(wire.ask(f"PS {paper}")[3:])


def ask_for(wire, recurrence):
    line = f"PH shop@brno alice@brno exact 100 {recurrence} 2020-01-01 2099-12-31 m1 2580"
    return wire.ask(line).split()[1]


def test_an_approved_mandate_is_paid_without_anybody_asking(tmp_path):
    with running_node(tmp_path, **SETTINGS) as running, running.wire() as wire:
        shop = join(wire)
        mandate = ask_for(wire, "onetime")
        assert wire.ask(f"PO alice@brno {mandate} approve 2580") == "PO active"
        paid = until(lambda: told(wire, mandate).get("last_payment"), "the mandate is paid")
        assert told(wire, mandate)["state"] == "completed"
        payment = told(wire, paid)
        assert (payment["kind"], payment["of"], payment["amount"]) == ("mandate", mandate, 100)
        assert wire.ask(f"AB {shop}") == "AB 100"


def test_a_mandate_that_was_approved_before_a_stop_is_paid_once_after_it(tmp_path):
    with running_node(tmp_path, **SETTINGS) as running, running.wire() as wire:
        join(wire)
        mandate = ask_for(wire, "yearly:after:1")
        wire.ask(f"PO alice@brno {mandate} approve 2580")
    for _ in range(2):
        with running_node(tmp_path, **SETTINGS) as running, running.wire() as wire:
            until(partial(_is_paid, wire, mandate), "the mandate is paid")
            assert told(wire, mandate)["paid"] == 1
            assert wire.ask("PB shop@brno 2580") == "PB 100"


def _is_paid(wire, mandate):
    return told(wire, mandate)["paid"]


def test_a_request_that_nobody_answers_is_closed(tmp_path):
    with running_node(tmp_path, **SETTINGS) as running, running.wire() as wire:
        join(wire)
        wire.ask("PC shop@brno alice@brno 10 bill 2580 1")
        until(
            lambda: wire.ask("PQ alice@brno 2580") == 'PQ {"requests":[]}', "the request is closed"
        )
