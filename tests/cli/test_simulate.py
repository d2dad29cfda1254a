"""`bank simulate`: a crowd that pays, and an audit that finds what does not add up."""

import asyncio
import json
from contextlib import ExitStack

from support.nodes import bank_port, running_node, some_host

from bank_node.cli.crowd.deeds import MIX
from bank_node.cli.crowd.people import Crowd


def test_a_crowd_registers_and_pays_and_not_a_unit_is_missing(bank, tmp_path):
    result = tmp_path / "result.json"
    ran = bank("simulate", "--banks", 1, "--users", 60, "--merchants", 3, "--clients", 8,
               "--seed", 7, "--json", result)  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(result.read_text())
    assert told["sound"]
    assert told["money"] == {"deposited": 6_000_000, "held": 6_000_000, "missing": 0}
    assert [phase["name"] for phase in told["phases"]] == ["register", "deposit", "pay", "audit"]
    assert "not a unit is missing" in ran.stdout
    kinds = {"pay", "code", "wrong pin", "no money", "duplicate", "replay", "collect", "refund"}
    assert kinds < MIX.keys()
    assert told["answers"].keys() <= {*MIX, "asked for money", "refund of too much"}


def test_the_audit_finds_money_that_should_not_be_there(tmp_path):
    async def run(running, wire):
        crowd = Crowd([running.address], 4, 1, 2, seed=1)
        await crowd.meet()
        await crowd.phase("register", [*crowd.users, *crowd.merchants], crowd.register)
        await crowd.phase("deposit", crowd.users, crowd.fund)
        assert wire.ask(f"AD {crowd.users[2].account} 1") == "AD"
        await crowd.phase("audit", crowd.users, crowd.count_money)
        return crowd

    with running_node(tmp_path, payments__pin_profile="light") as running, running.wire() as wire:
        crowd = asyncio.run(run(running, wire))
    (found,) = crowd.tally.contradictions
    assert found.startswith(f"AB {crowd.users[2].account}, expected 100000")


def test_a_crowd_of_two_banks_pays_across_and_every_machine_is_told(bank, tmp_path):
    hosts = [some_host(), some_host()]
    result = tmp_path / "result.json"
    with ExitStack() as stack:
        at = []
        for host, handle in zip(hosts, ("prague", "brno"), strict=True):
            running = stack.enter_context(
                running_node(
                    tmp_path / host, network__host=host, network__port=bank_port(host),
                    network__subnets=[f"{each}/32" for each in hosts], network__scan_every=0.3,
                    payments__handle=handle, payments__pin_profile="light",
                )
            )  # fmt: skip
            at += ["--connect", "{}:{}".format(*running.address)]
        ran = bank("simulate", *at, "--users", 80, "--merchants", 4, "--clients", 8, "--seed", 9,
                   "--json", result)  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(result.read_text())
    assert (told["banks"], told["sound"], told["money"]["missing"]) == (2, True, 0)
    assert told["news"]["told"] == told["answers"]["code"]


def test_in_a_storm_what_is_unknown_is_asked_for_and_the_ledgers_are_counted(bank, tmp_path):
    result = tmp_path / "result.json"
    ran = bank("simulate", "--users", 60, "--merchants", 4, "--clients", 16, "--seed", 5,
               "--faults", "--storm", 3, "--json", result)  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(result.read_text())
    harm = told["storm"]
    assert harm["kills"] + harm["freezes"] + harm["cuts"] > 0
    assert (told["money"]["missing"], told["contradictions"]) == (0, [])
    assert [each["name"] for each in told["phases"]][-3:] == ["storm", "ask again", "audit"]
    assert "not a unit is missing" in ran.stdout
    assert "requests a second, over the seconds" in ran.stdout


def test_a_storm_is_for_banks_of_its_own(bank):
    ran = bank("simulate", "--faults", "--connect", "127.0.0.1:1")
    assert ran.returncode == 2
    assert "--faults needs two banks at least" in ran.stderr


def test_a_bank_without_payments_is_told_as_such(bank, tmp_path):
    with running_node(tmp_path / "classic", protocol__extensions=False) as running:
        host, port = running.address
        ran = bank("simulate", "--connect", f"{host}:{port}", "--users", 2)
    assert ran.returncode == 2
    assert "this bank has no payments" in ran.stderr
