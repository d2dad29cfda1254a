"""Several nodes that keep one bank: copies that keep up with their leader."""

import json
import shutil
import time

import pytest
from support.nodes import running_node
from support.one_bank import caught_up, height, state
from support.polling import until
from support.wire import open_account

from bank_node.errors import StartupError
from bank_node.ledger.sqlite_files import verify_file


def test_a_follower_has_everything_and_serves_reads(nodes):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        accounts = [open_account(wire, n) for n in (1, 20, 300)]
        follower = nodes.follow("b", leader)
        assert wire.ask(f"AD {accounts[0]} 4000") == "AD"
        assert wire.ask(f"AW {accounts[1]} 20") == "AW"
        assert wire.ask(f"AR {accounts[1]}") == "AR"
    caught_up(leader, follower)
    with follower.wire() as wire:
        assert wire.ask("BC") == f"BC {nodes.host}"
        assert wire.ask(f"AB {accounts[0]}") == "AB 4001"
        assert wire.ask("BA") == "BA 4301"
        assert wire.ask("BN") == "BN 2"
        assert wire.ask(f"AB {accounts[1]}") == "ER There is no such account."
    assert list(follower.node._store.blocks()) == list(leader.node._store.blocks())
    told = state(follower)
    assert (told["role"], told["lag_blocks"], told["problem"]) == ("follower", 0, "")
    (seen,) = state(leader)["followers"]
    until(lambda: state(leader)["followers"][0]["behind"] == 0, "the leader has heard of it")
    assert seen["node"] == told["node"]


def test_changes_are_refused_by_a_follower_with_the_address_of_the_leader(nodes):
    leader, follower, account = nodes.pair(5)
    address = "{}:{}".format(*leader.address)
    with follower.wire() as wire:
        for line in ("AC", f"AD {account} 1", f"AW {account} 1", f"AR {account}"):
            reply = wire.ask(line)
            assert reply == f"ER This node of the bank takes no changes, the one at {address} does."
        assert wire.ask(f"AB {account}") == "AB 5"


def test_a_follower_that_was_away_catches_up_from_its_disk(nodes):
    leader = nodes.lead("a")
    follower = nodes.follow("b", leader)
    with leader.wire() as wire:
        account = open_account(wire)
        for _ in range(20):
            wire.ask(f"AD {account} 1")
        caught_up(leader, follower)
        follower.node.stop()
        for _ in range(20):
            wire.ask(f"AD {account} 1")
        follower = nodes.again("b")
        caught_up(leader, follower)
    follower.node.stop()
    report = verify_file(nodes.data("b") / "bank.db")
    assert (report.total, report.blocks) == (40, height(leader))


def test_a_leader_that_stops_does_not_wait_for_its_followers(nodes):
    leader = nodes.lead("a", network__timeout=60.0)
    follower = nodes.follow("b", leader)
    with leader.wire() as wire:
        open_account(wire)
    caught_up(leader, follower)
    until(lambda: state(leader)["followers"][0]["behind"] == 0, "it waits for the next block")
    began = time.monotonic()
    leader.node.stop()
    assert time.monotonic() - began < 30, "the follower would have waited for a minute"


def test_a_follower_starts_and_serves_reads_while_its_leader_is_gone(nodes):
    leader, follower, account = nodes.pair(7)
    follower.node.stop()
    leader.node.stop()
    follower = nodes.again("b")
    with follower.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 7"
    until(lambda: "cannot be reached" in state(follower)["problem"], "it says so")


def test_who_does_not_have_the_key_of_the_bank_gets_nothing(nodes, tmp_path):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        open_account(wire, 5)
        bank = nodes.host
        forged = "A" * 86
        refusal = f"ER That is not signed with the key of the bank {bank}."
        assert wire.ask(f"FB n 1 0 {'0' * 64} 0 127.0.0.9:1 {forged}") == refusal
        assert wire.ask(f"FT 9 127.0.0.9:1 {forged}") == refusal
        assert wire.ask(f"FP n {forged}") == refusal
        assert wire.ask("AC").startswith("AC ")
    (tmp_path / "stranger").mkdir()
    with running_node(tmp_path / "other", log__traffic=False):
        shutil.copy(tmp_path / "other" / "identity.key", tmp_path / "stranger")
    stranger = nodes.follow("stranger", leader)
    until(lambda: "not signed" in state(stranger)["problem"], "it is told why")
    assert height(stranger) == 0


def test_a_follower_without_the_key_does_not_start(nodes, tmp_path):
    leader = nodes.lead("a")
    address = "{}:{}".format(*leader.address)
    node = running_node(tmp_path / "b", replication__follow=address)
    with pytest.raises(StartupError, match=r"copy identity\.key"):
        node.__enter__()


def test_a_recorded_request_brings_nobody_newer_blocks(nodes):
    leader = nodes.lead("a")
    asked = []
    feeder = leader.node.succession._feeder
    admit = feeder._admit

    def listen(asking):
        asked.append((asking.request, asking.signature))
        admit(asking)

    feeder._admit = listen
    follower = nodes.follow("b", leader)
    with leader.wire() as wire:
        open_account(wire, 5)
        caught_up(leader, follower)
        for request, signature in list(asked):
            reply = wire.ask(" ".join(("FB", *map(str, request), signature)))
            assert json.loads(reply.removeprefix("FB "))["blocks"] == ""


def test_an_acknowledgement_waits_for_the_follower(nodes):
    leader = nodes.lead("a", replication__wait_for=1, network__timeout=2.0)
    with leader.wire() as wire:
        reply = wire.ask("AC")
        assert reply == "ER The outcome is unknown, check the balance before you try again."
        follower = nodes.follow("b", leader)
        account = open_account(wire, 5)
        assert height(follower) == height(leader)
        with follower.wire() as other:
            assert other.ask(f"AB {account}") == "AB 5"
        follower.node.stop()
        assert wire.ask(f"AD {account} 1").startswith("ER The outcome is unknown")
        assert wire.ask(f"AB {account}") == "AB 6", "it is on the disk of the leader"
        nodes.again("b")
        assert wire.ask(f"AD {account} 1") == "AD"
