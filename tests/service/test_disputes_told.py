"""Family P over the wire: payments that somebody wants back, and what thieves must not get."""

import json

import pytest
from support.nodes import running_node
from support.polling import until
from support.wire import Wire

from service.test_requests_told import Town

SETTINGS = {
    "payments__handle": "brno", "payments__pin_profile": "light", "payments__dispute_answer_s": 600
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_node(tmp_path_factory.mktemp("bank"), **SETTINGS) as running:
        running.folder = tmp_path_factory.getbasetemp()
        yield running


@pytest.fixture
def town(running):
    with running.wire() as wire:
        town = Town(wire)
        town.payment = town.paid(1000)
        yield town


@pytest.fixture
def operator(running):
    settings = running.node.settings
    with Wire(running.node.operator_address) as wire:
        with open(f"{settings.data}/operator.token", encoding="ascii") as token:
            assert wire.ask(f"OA {token.read().strip()}") == "OA"
        yield wire.ask


def disputed(town, why="broken+cup"):
    reply = town.ask(f"PZ {town.pa} {town.payment} raise 2580 {why}")
    assert reply.startswith("PZ BRN"), reply
    assert reply.endswith(" raised")
    return reply.split()[1]


def said(town, vpa, dispute, words):
    word, _, text = words.partition(" ")
    return town.ask(f"PZ {vpa} {dispute} {word} 2580 {text}".rstrip())


def test_a_dispute_is_answered_with_evidence_and_accepted(town):
    dispute = disputed(town)
    assert disputed(town) == dispute
    assert said(town, town.sh, dispute, "contest it+was+whole") == f"PZ {dispute} contested"
    assert said(town, town.pa, dispute, "evidence see+the+photo") == f"PZ {dispute} contested"
    told = town.state(dispute)
    assert [(each["by"], each["text"]) for each in told["said"]] == [
        ("payer", "broken cup"), ("payee", "it was whole"), ("payer", "see the photo")
    ]  # fmt: skip
    assert said(town, town.sh, dispute, "accept") == f"PZ {dispute} accepted"
    assert (town.balance(town.pa), town.balance(town.sh)) == (5000, 0)
    told = town.state(dispute)
    assert (told["state"], told["decided"]) == ("accepted", "payee")
    assert "deadline" not in told
    refund = town.state(told["refund"])
    assert (refund["of"], refund["dispute"], refund["kind"]) == (town.payment, dispute, "refund")
    assert town.state(town.payment)["refunded"] == 1000


def test_both_sides_see_an_open_dispute_on_their_lists(town):
    dispute = disputed(town)
    for vpa in (town.pa, town.sh):
        (row,) = json.loads(town.ask(f"PQ {vpa} 2580")[3:])["requests"]
        assert (row["kind"], row["id"], row["amount"]) == ("dispute", dispute, 1000)
    said(town, town.pa, dispute, "withdraw")
    assert town.ask(f"PQ {town.sh} 2580") == 'PQ {"requests":[]}'
    assert town.balance(town.sh) == 1000


def test_the_operator_sees_disputes_and_decides_them(town, operator):
    dispute = disputed(town)
    said(town, town.sh, dispute, "contest no")
    rows = json.loads(operator(f"OQ show=papers find={dispute}")[3:])["rows"]
    assert [(row["kind"], row["state"]) for row in rows] == [("dispute", "contested")]
    told = json.loads(operator(f"OQ do=charge find={dispute}")[3:])["paper"]
    assert (told["state"], told["decided"]) == ("charged_back", "operator")
    assert town.balance(town.pa) == 5000
    assert operator(f"OQ do=reject find={dispute}") == "ER The request is over already."
    assert operator("OQ do=reject find=nothing").startswith("ER There is no such request")


def test_a_dispute_that_the_operator_rejects_moves_no_money(town, operator):
    dispute = disputed(town)
    told = json.loads(operator(f"OQ do=reject find={dispute}")[3:])["paper"]
    assert told["state"] == "rejected"
    assert (town.balance(town.pa), town.balance(town.sh)) == (4000, 1000)


@pytest.mark.parametrize("word", ["accept", "withdraw", "contest x", "evidence x"])
def test_a_dispute_is_not_there_for_strangers(town, word):
    dispute = disputed(town)
    assert said(town, town.bo, dispute, word).startswith("ER There is no such request")
    assert town.state(dispute)["state"] == "raised"


def test_a_wrong_pin_says_nothing_and_counts(town):
    assert town.ask(f"PZ {town.pa} {town.payment} raise 2581 x").startswith("ER ZM")
    assert town.ask(f"PZ {town.pa} {'BRN' + '0' * 32} raise 2581 x").startswith("ER ZM")
    assert town.ask(f"PZ {town.pa} {'BRN' + '0' * 32} accept 2581").startswith("ER Z6")
    assert town.ask(f"PZ {town.pa} {town.payment} raise 2580 x").startswith("ER Z6")


@pytest.mark.parametrize("words", ["raise", "accept why", "withdraw why", "evidence", "doubt x"])
def test_a_word_without_its_text_is_no_dispute(town, words):
    assert said(town, town.pa, town.payment, words).startswith("ER Say raise, evidence")


def test_who_does_not_answer_in_time_is_charged_once_also_after_a_new_start(tmp_path):
    hurried = SETTINGS | {"payments__dispute_answer_s": 3}
    with running_node(tmp_path, **hurried) as running, running.wire() as wire:
        town = Town(wire)
        town.payment = town.paid(1000)
        dispute = disputed(town)
    with running_node(tmp_path, **hurried) as running, running.wire() as wire:
        town.ask = wire.ask
        until(lambda: town.state(dispute)["state"] == "charged_back", "it is charged back", 20)
        assert town.state(dispute)["decided"] == "time"
    with running_node(tmp_path, **hurried) as running, running.wire() as wire:
        town.ask = wire.ask
        assert [wire.ask(f"PB {vpa} 2580") for vpa in (town.pa, town.sh)] == ["PB 5000", "PB 0"]
