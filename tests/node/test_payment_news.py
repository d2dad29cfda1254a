"""Payers, payees and machines are told at once, over the wire, and find what they missed."""

import json
import threading
import time

import pytest
from support.nodes import running_node
from support.polling import until
from support.processes import Served


@pytest.fixture
def bank(tmp_path):
    with (
        running_node(tmp_path, payments__handle="brno", payments__pin_profile="light") as running,
        running.wire() as wire,
    ):
        told = wire.ask("PU alice@brno Alice 420777123456 2580").split()
        assert wire.ask(f"AD {told[1]} 5000") == "AD"
        running.vmid = wire.ask("PM shop@brno Shop 5411 420777123456 2580").split()[-1]
        running.ask = wire.ask
        yield running


def waiting(bank):
    return bank.node.payments.newsroom._board._waiting_count


def news(ask, token, cursor=""):
    return json.loads(ask(f"PE {token} {cursor}".strip()).removeprefix("PE "))


def pay(bank, reference, amount=10, order=""):
    reply = bank.ask(f"PP alice@brno shop@brno {amount} {reference} 2580")
    assert reply.startswith("PP "), reply
    return reply.split()[1]


def test_a_shop_that_waits_is_told_within_a_tenth_of_a_second(bank):
    start = news(bank.ask, bank.vmid)
    assert start["news"] == []
    cursor, late_s = start["cursor"], 1.0
    # On a machine that does something else at the moment it may take several times.
    for attempt in range(20):
        page, late_s = told_of_a_payment(bank, cursor, f"r{attempt}")
        if late_s < 0.1:
            break
        cursor = page["cursor"]
    assert late_s < 0.1


def told_of_a_payment(bank, cursor, reference):
    """What a shop that waits hears, and how long after the reply to the payer."""
    heard = []

    def listen():
        with bank.wire() as wire:
            heard.append((news(wire.ask, bank.vmid, cursor), time.monotonic()))

    thread = threading.Thread(target=listen)
    thread.start()
    until(lambda: waiting(bank) == 1, "the shop waits")
    payment = pay(bank, reference, 70)
    at = time.monotonic()
    thread.join(30)
    ((page, told_at),) = heard
    (event,) = page["news"]
    assert (event["payment"], event["amount"], event["state"]) == (payment, 70, "success")
    assert (event["you"], event["payer"], event["code"]) == ("payee", "alice@brno", "00")
    return page, told_at - at


def test_what_was_missed_is_found_by_the_cursor_one_by_one(bank):
    token = bank.ask("PK alice@brno 2580").removeprefix("PK ")
    cursor = news(bank.ask, token)["cursor"]
    payments = [pay(bank, f"r{n}") for n in range(5)]
    page = news(bank.ask, token, cursor)
    assert [event["payment"] for event in page["news"]] == payments
    middle = page["news"][2]["entry"]
    assert [e["payment"] for e in news(bank.ask, token, middle)["news"]] == payments[3:]
    assert {event["you"] for event in page["news"]} == {"payer"}


def test_whoever_was_away_finds_it_after_a_new_start(tmp_path):
    environment = {
        "BANK_PAYMENTS_HANDLE": "brno",
        "BANK_PAYMENTS_PIN_PROFILE": "light",
        "BANK_PAYMENTS_PER_MINUTE": "1000",
    }
    with Served(tmp_path, "127.0.0.1", **environment) as served, served.wire() as wire:
        told = wire.ask("PU alice@brno Alice 420777123456 2580").split()
        assert wire.ask(f"AD {told[1]} 5000") == "AD"
        vmid = wire.ask("PM shop@brno Shop 5411 420777123456 2580").split()[-1]
        cursor = news(wire.ask, vmid)["cursor"]
        paid = [wire.ask(f"PP alice@brno shop@brno 5 r{n} 2580").split()[1] for n in range(70)]
        served.kill()
        served.process.communicate()
    with Served(tmp_path, "127.0.0.1", **environment) as served, served.wire() as wire:
        found = []
        while page := news(wire.ask, vmid, cursor)["news"]:
            found += [event["payment"] for event in page]
            cursor = page[-1]["entry"]
            if len(found) >= len(paid):
                break
        assert found == paid


@pytest.mark.parametrize("change", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"),
                                    lambda t: "x" * 20, lambda t: t[::-1]])  # fmt: skip
def test_a_made_up_token_opens_nothing(bank, change):
    for token in (bank.vmid, bank.ask("PK alice@brno 2580").split()[1]):
        assert bank.ask(f"PE {change(token)}") == "ER This token opens nothing, or not any more."


def test_a_key_to_listen_with_makes_no_codes(bank):
    token = bank.ask("PK alice@brno 2580").split()[1]
    assert bank.ask(f"PG {token}") == "ER There is no such merchant."
    assert bank.ask("PK alice@brno 1470").startswith("ER ZM")


def test_a_bank_that_stops_waits_for_no_listener(tmp_path):
    with running_node(tmp_path, network__timeout=60.0, payments__pin_profile="light") as running:
        with running.wire() as wire:
            vpa = f"shop@{handle(wire)}"
            vmid = wire.ask(f"PM {vpa} Shop 5411 420777123456 2580").split()[-1]
        with running.wire() as wire:
            wire.send(f"PE {vmid} 999999\r\n".encode())
            until(lambda: waiting(running) == 1, "somebody waits")
            began = time.monotonic()
            running.node.stop()
            assert time.monotonic() - began < 30


def handle(wire):
    words = wire.ask("VE").split()
    return next(word for word in words if word.startswith("handle="))[7:]
