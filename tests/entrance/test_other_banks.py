"""What operators see of the banks around, and how they direct the looking."""

import json
from contextlib import ExitStack

import pytest
from support.nodes import bank_port, some_host
from support.polling import until
from support.wire import open_account

from entrance.conftest import House


@pytest.fixture
def network(tmp_path):
    """Opens nodes that may dial each other and nobody else."""
    with ExitStack() as stack:

        def open_nodes(count, **overrides):
            hosts = [some_host() for _ in range(count)]
            return [
                House(
                    stack,
                    tmp_path / host,
                    network__host=host,
                    network__port=bank_port(host),
                    network__subnets=[f"{other}/32" for other in hosts],
                    **overrides,
                )
                for host in hosts
            ]

        yield open_nodes


@pytest.fixture
def two(network):
    """A console of the first of two banks, and the address of the second, which it has found."""
    first, second = network(2)
    console = first.console()
    other = second.running.bank
    assert console.document(f"OI ask={other}")["peer"]["state"] == "verified"
    return console, first, second


def peers_of(console):
    return {peer["code"]: peer for peer in console.document("OP")["peers"]}


def test_peers_are_told_with_this_bank_among_them(two):
    console, first, second = two
    open_account(first.client(), 40)
    open_account(second.client(), 70)
    other = second.running.bank
    until(lambda: peers_of(console)[other]["name"], "it has introduced itself")
    peers = peers_of(console)
    own = peers[first.running.bank]
    assert (own["own"], own["amount"], own["clients"]) == (True, 40, 1)
    assert next(iter(peers)) == first.running.bank
    assert peers[other]["own"] is False
    assert peers[other]["port"] == second.running.address[1]
    assert peers[other]["breaker"] == "closed"
    assert "session" in peers[other]["capabilities"]
    now_us = console.document("OS")["now_us"]
    assert 0 <= now_us - peers[other]["since_us"] < 60_000_000
    assert console.document("OM")["peers"]["verified"] == 1


def test_asking_a_bank_brings_its_figures(two):
    console, _, second = two
    open_account(second.client(), 70)
    until(
        lambda: console.document(f"OI ask={second.running.bank}")["peer"]["amount"] == 70,
        "its figures are fresh",
    )


def test_a_scan_is_begun_watched_and_told(network):
    first, second = network(2)
    console = first.console()
    after = console.document("OE")["next"]
    console.document("ON start=1")
    until(lambda: console.document("ON")["ended_us"], "the scan has ended")
    scan = console.document("ON")
    assert (scan["running"], scan["done"], scan["total"]) == (False, scan["total"], scan["total"])
    assert scan["found"] >= 1
    assert scan["cells"]["states"][second.running.bank] == "verified"
    assert f"{second.running.bank}/32" in scan["cells"]["base"]
    kinds = {event["kind"] for event in console.document(f"OE after={after}")["events"]}
    assert {"PeerFound", "ScanEnded"} <= kinds


def test_a_bank_that_falls_silent_is_an_event_and_a_warning(two):
    console, _, second = two
    second.node.stop()
    until(
        lambda: console.document(f"OI ask={second.running.bank}")["peer"]["state"] == "silent",
        "it is silent",
        20,
    )
    kinds = [warning["kind"] for warning in console.document("OS")["warnings"]]
    assert kinds == ["peers_silent"]


def test_a_bank_is_added_and_removed_as_a_setting(network):
    first, second = network(2)
    console = first.console()
    other = f"{second.running.bank}:{second.running.address[1]}"
    console.document("OH key=network.subnets value=10.99.99.0/30")
    assert console.ask(f"OI ask={second.running.bank}").startswith("ER ")
    added = console.document(f"OI add={other} save=1")["peer"]
    assert (added["state"], added["static"]) == ("verified", True)
    assert json.loads(first.file.read_text())["network"]["peers"] == [other]
    assert second.running.bank in console.document("OP")["reach"]
    assert console.document(f"OI remove={second.running.bank}") == {"peer": None}
    until(lambda: second.running.bank not in peers_of(console), "it is forgotten")
    assert console.ask(f"OI ask={second.running.bank}").startswith("ER ")


def test_a_command_can_be_tried_at_another_bank_within_reach_only(two):
    console, _, second = two
    account = open_account(second.client(), 70)
    answer = console.document(f"OK to={second.running.bank} line=AB {account}")
    assert (answer["kind"], answer["reply"]) == ("done", "AB 70")
    refused = console.document(f"OK to={second.running.bank} line=AW {account} 71")
    assert refused["kind"] == "refused"
    assert console.ask("OK to=192.0.2.1 line=BC").startswith("ER The bank 192.0.2.1 is outside")
    assert console.ask("OK to=somewhere line=BC").startswith("ER The field to= must be")
    assert console.document(f"OK to={second.running.bank}:1025 line=BC")["kind"] == "unreachable"


def test_what_was_asked_elsewhere_is_in_the_traffic(two):
    console, _, second = two
    console.document(f"OK to={second.running.bank} line=BC")
    lines = console.document("OT")["lines"]
    asked = [line for line in lines if line["request"] == "BC" and line["dir"] == "out"]
    assert asked
    assert all(line["peer"].startswith(second.running.bank) for line in asked)


def test_a_robbery_is_planned_with_everything_that_is_known_of_it(two):
    console, first, second = two
    for amount in (10, 20, 30):
        open_account(first.client(), amount)
    open_account(second.client(), 70)
    until(lambda: console.document("OB number=130")["plan"], "the figures are fresh")
    plan = console.document("OB number=70 frontier=1")
    assert plan["plan"]["banks"] == [{"address": second.running.bank, "amount": 70, "clients": 1}]
    assert (plan["plan"]["clients"], plan["plan"]["proven"]) == (1, True)
    assert [point["amount"] for point in plan["frontier"]] == [70, 130]
    assert (plan["frontier_complete"], plan["asked"], plan["unreachable"]) == (True, 1, None)
    closest = console.document("OB number=55 objective=closest")["plan"]
    assert closest["amount"] == 60
    beyond = console.document("OB number=131")
    assert (beyond["plan"], beyond["unreachable"]) == (None, {"holds": 130})


def test_who_may_only_look_asks_nobody(network):
    (house,) = network(1, operator__read_only=True)
    console = house.console()
    for command in ("OI ask=127.0.0.1", "OK to=127.0.0.1 line=BC"):
        assert console.ask(command).startswith("ER Operators may only look")
    assert console.document("ON")["running"] in (True, False)
    assert console.document("OP")["peers"][0]["own"] is True
