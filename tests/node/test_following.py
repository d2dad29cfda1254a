"""Several nodes that keep one bank: copies, promotion, and no two that take changes."""

import json
import shutil
import threading
import time
from contextlib import ExitStack, suppress

import pytest
from support.nodes import running_node
from support.polling import until
from support.wire import open_account

from bank_node.errors import StartupError
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.sqlite_files import verify_file
from bank_node.ledger.transfer_operations import Hold
from bank_node.values import AMOUNT_MAX


class Nodes:
    """Nodes of one bank, each with a data folder, and a port that it keeps."""

    def __init__(self, tmp_path, stack, host):
        self._folder, self._stack, self.host = tmp_path, stack, host
        self._ports = {}
        self.bank = ""

    def lead(self, name, **overrides):
        node = self._serve(name, **overrides)
        self.bank = node.node.settings.network.code or node.bank
        return node

    def follow(self, name, leader, **overrides):
        folder = self.data(name)
        folder.mkdir(exist_ok=True)
        for key in self._folder.glob("*/identity.key"):
            if not (folder / "identity.key").exists():
                shutil.copy(key, folder)
        address = "{}:{}".format(*leader.address) if not isinstance(leader, str) else leader
        return self._serve(name, replication__follow=address, **overrides)

    def again(self, name, **overrides):
        return self._serve(name, **overrides)

    def data(self, name):
        return self._folder / name

    def _serve(self, name, **overrides):
        node = self._stack.enter_context(
            running_node(
                self.data(name),
                network__host=self.host,
                network__port=self._ports.get(name, 0),
                **{"log__traffic": False, "network__timeout": 3.0, **overrides},
            )
        )
        self._ports[name] = node.address[1]
        return node


@pytest.fixture
def nodes(tmp_path):
    from support.nodes import some_host

    with ExitStack() as stack:
        yield Nodes(tmp_path, stack, some_host())


def state(node):
    with node.wire() as wire:
        return json.loads(wire.ask("FS").removeprefix("FS "))


def height(node):
    return node.node._store.head.height


def caught_up(leader, *followers):
    until(
        lambda: all(height(each) == height(leader) for each in followers),
        "the followers have every block",
    )


def promote(node):
    """As `bank promote` does."""
    from bank_node.node.succession import sign_promotion
    from bank_node.security.identity import read_identity

    office = node.node.succession._office
    identity = read_identity(node.node.succession._office._path.with_name("identity.key"))
    signature = sign_promotion(identity, office.bank, office.node, office.epoch)
    with node.wire() as wire:
        return wire.ask(f"FP {office.node} {signature}")


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
    leader = nodes.lead("a")
    with leader.wire() as wire:
        account = open_account(wire, 5)
    follower = nodes.follow("b", leader)
    caught_up(leader, follower)
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
    leader = nodes.lead("a")
    with leader.wire() as wire:
        account = open_account(wire, 7)
    follower = nodes.follow("b", leader)
    caught_up(leader, follower)
    follower.node.stop()
    leader.node.stop()
    follower = nodes.again("b")
    with follower.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 7"
    until(lambda: "cannot be reached" in state(follower)["problem"], "it says so")


def test_a_promoted_follower_leads_and_the_old_leader_is_refused_until_it_follows(nodes):
    leader = nodes.lead("a")
    with leader.wire() as wire:
        account = open_account(wire, 100)
    follower = nodes.follow("b", leader)
    caught_up(leader, follower)
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
