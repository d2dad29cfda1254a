"""Several nodes that keep one bank: promotion, and no two that take changes."""

import json
import sqlite3
import threading
from contextlib import closing, suppress

from support.one_bank import caught_up, height, promote, state
from support.polling import until
from support.wire import open_account

from bank_node.ledger.entries import settlement_account
from bank_node.ledger.sqlite_files import verify_file
from bank_node.ledger.transfer_operations import Hold
from bank_node.values import AMOUNT_MAX


def test_a_promoted_follower_leads_and_the_old_leader_is_refused_until_it_follows(nodes):
    leader, follower, account = nodes.pair(100)
    leader.node.stop()
    assert promote(follower) == "FP"
    with follower.wire() as wire:
        assert wire.ask(f"AD {account} 1") == "AD"
        assert wire.ask("BC") == f"BC {nodes.host}"
    assert (state(follower)["role"], state(follower)["epoch"]) == ("leader", 2)

    old = nodes.again("a")
    address = "{}:{}".format(*follower.address)
    with old.wire() as wire:
        refusal = f"ER This node of the bank takes no changes, the one at {address} does."
        assert wire.ask(f"AD {account} 1000") == refusal
        assert wire.ask(f"AB {account}") == "AB 100"
    assert state(old)["role"] == "deposed"
    old.node.stop()

    old = nodes.follow("a", follower)
    caught_up(follower, old)
    with old.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 101"
    assert (state(old)["role"], state(old)["epoch"]) == ("follower", 2)


def test_a_leader_that_serves_while_another_node_is_promoted_stops_taking_changes(nodes):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        account = open_account(wire, 100)
        follower = nodes.follow("b", leader)
        caught_up(leader, follower)
        assert promote(follower) == "FP"
        until(lambda: wire.ask(f"AD {account} 1").startswith("ER This node"), "it was told")
    until(lambda: state(leader)["role"] == "deposed", "it has noted it")
    leader.node.stop()
    assert state(nodes.again("a"))["role"] == "deposed", "and remembers it"


def test_a_follower_whose_disk_did_not_take_what_it_followed_is_promoted_after_a_new_start(nodes):
    leader, follower, account = nodes.pair(100)
    path = nodes.data("b") / "bank.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with leader.wire() as wire:
            assert wire.ask(f"AD {account} 7") == "AD"
        until(lambda: "has ended" in state(follower)["problem"], "it gives up", 20)
        other.execute("ROLLBACK")
    assert promote(follower).startswith("ER This node could not keep what it followed")
    with leader.wire() as wire:
        assert wire.ask(f"AD {account} 7") == "AD", "nobody was deposed"
    leader.node.stop()
    follower.node.stop()
    follower = nodes.follow("b", leader)
    assert promote(follower) == "FP"
    with follower.wire() as wire:
        assert wire.ask(f"AD {account} 1") == "AD"
        assert wire.ask(f"AB {account}") == "AB 101"
    follower.node.stop()
    assert verify_file(path).total == 101


def test_a_promotion_outlives_the_command_line(nodes):
    leader = nodes.lead("a")
    follower = nodes.follow("b", leader)
    assert promote(follower) == "FP"
    assert promote(follower).startswith("ER ")
    follower.node.stop()
    follower = nodes.follow("b", leader)
    with follower.wire() as wire:
        assert wire.ask("AC").startswith("AC ")


def test_another_follower_finds_the_new_leader(nodes):
    leader = nodes.lead("a")
    one, other = nodes.follow("b", leader), nodes.follow("c", leader)
    with leader.wire() as wire:
        account = open_account(wire, 5)
    caught_up(leader, one, other)
    assert promote(one) == "FP"
    until(lambda: state(leader)["role"] == "deposed", "the old leader has heard")
    with one.wire() as wire:
        assert wire.ask(f"AD {account} 5") == "AD"
    caught_up(one, other)
    assert state(other)["leader"] == "{}:{}".format(*one.address)
    other.node.stop()
    other = nodes.follow("c", leader)
    with one.wire() as wire:
        assert wire.ask(f"AD {account} 5") == "AD"
    caught_up(one, other)


def test_an_old_leader_whose_ledger_went_on_alone_is_not_followed_nor_fed(nodes):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        account = open_account(wire, 100)
        follower = nodes.follow("b", leader)
        caught_up(leader, follower)
        follower.node.stop()
        assert wire.ask(f"AD {account} 1") == "AD"
    leader.node.stop()
    follower = nodes.again("b")
    assert promote(follower) == "FP"
    with follower.wire() as wire:
        for _ in range(3):
            assert wire.ask(f"AD {account} 50") == "AD"
    old = nodes.follow("a", follower)
    until(lambda: "has a block 3 that this one" in state(old)["problem"], "it says why")
    assert state(old)["lag_blocks"] == 0 or height(old) == 3
    with old.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 101"


def test_a_promoted_node_goes_on_with_the_transfers_that_were_open(nodes):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        number = int(open_account(wire, 5).partition("/")[0])
    bank = settlement_account("10.9.9.9")
    held = leader.node._writer.call(Hold("rent", number, bank, 10_001, 5, False, AMOUNT_MAX))
    assert held.key == "rent"
    follower = nodes.follow("b", leader)
    caught_up(leader, follower)
    leader.node.stop()
    (waiting,) = follower.node._store.open_transfers()
    assert waiting == held
    assert promote(follower) == "FP"
    # Nothing was decided before, so the money goes back.
    until(lambda: follower.node._store.open_transfers() == [], "it is given up")
    with follower.wire() as wire:
        assert wire.ask(f"AB {number}/{nodes.host}") == "AB 5"


def test_what_was_acknowledged_by_a_leader_that_waits_survives_its_loss(nodes):
    """The leader is lost under load; the follower has every acknowledged deposit."""
    leader = nodes.lead("a", replication__wait_for=1)
    follower = nodes.follow("b", leader)
    with leader.wire() as wire:
        accounts = [open_account(wire) for _ in range(3)]
    acknowledged = dict.fromkeys(accounts, 0)

    def deposit(account):
        with leader.wire() as wire:
            while wire.ask(f"AD {account} 1") == "AD":
                acknowledged[account] += 1

    def guarded(account):
        with suppress(AssertionError, OSError):
            deposit(account)

    clients = [threading.Thread(target=guarded, args=(account,)) for account in accounts]
    for client in clients:
        client.start()
    until(lambda: sum(acknowledged.values()) > 200, "the load is under way")
    assert promote(follower) == "FP"
    for client in clients:
        client.join(60)
    leader.node.stop()
    with follower.wire() as wire:
        for account in accounts:
            assert int(wire.ask(f"AB {account}").split()[1]) >= acknowledged[account]
    follower.node.stop()
    verify_file(nodes.data("b") / "bank.db")


def test_an_operator_sees_the_followers_and_promotes_one(nodes):
    from support.wire import Wire

    def console(node, name):
        wire = Wire(node.node.operator_address)
        token = (nodes.data(name) / "operator.token").read_text().strip()
        assert wire.ask(f"OA {token}") == "OA"
        return wire

    leader = nodes.lead("a")
    with leader.wire() as wire:
        open_account(wire, 5)
    follower = nodes.follow("b", leader)
    caught_up(leader, follower)
    with console(leader, "a") as of_leader, console(follower, "b") as of_follower:
        told = json.loads(of_follower.ask("OR")[3:])
        assert (told["role"], told["lag_blocks"], told["wait_for"]) == ("follower", 0, 0)
        assert len(json.loads(of_leader.ask("OR")[3:])["followers"]) == 1
        assert of_leader.ask("OR promote=1") == "ER This node does not follow another one."
        assert json.loads(of_follower.ask("OR promote=1")[3:])["role"] == "leader"
        events = json.loads(of_follower.ask("OE")[3:])["events"]
        assert "NodePromoted" in [event["kind"] for event in events]
    with follower.wire() as wire:
        assert wire.ask("AC").startswith("AC ")
    until(lambda: state(leader)["role"] == "deposed", "the old leader has heard")
