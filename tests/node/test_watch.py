"""Banks as witnesses: real nodes that visit each other, one of them with a ledger rewritten."""

import json
import shutil
from contextlib import ExitStack

import pytest
from support.nodes import bank_port, running_node, some_host
from support.polling import until
from support.processes import run_bank
from support.wire import open_account

from bank_node.banking.witness import Fault, Record, Witness
from bank_node.ledger.proofs import sign_head
from bank_node.security.identity import new_identity, obtain_identity

SCAN_S = 20.0


@pytest.fixture
def hosts():
    return [some_host() for _ in range(3)]


@pytest.fixture
def serve(tmp_path, hosts):
    """Starts the node of an address, on the same port each time, among the others."""
    ports = {host: bank_port(host) for host in hosts}
    with ExitStack() as stack:

        def start(host, data=None):
            return stack.enter_context(
                running_node(
                    data or tmp_path / host,
                    network__host=host,
                    network__port=ports[host],
                    network__subnets=[f"{other}/32" for other in hosts],
                    network__witness_every=0,
                    log__traffic=False,
                )
            )

        yield start


def look_around(*nodes):
    for node in nodes:
        assert node.node.banks.neighbourhood.scan(SCAN_S)


def visits(node):
    return node.node.banks.watch.make_round()


def earn(node, *amounts):
    """A block for each amount."""
    with node.wire() as wire:
        account = open_account(wire)
        for amount in amounts:
            assert wire.ask(f"AD {account} {amount}") == "AD"


def test_honest_banks_keep_each_others_heads_and_tell_them(serve, hosts):
    nodes = [serve(host) for host in hosts]
    earn(nodes[0], 1, 2, 3)
    look_around(*nodes)
    for _ in range(3):
        for node in nodes:
            assert visits(node) == []
        earn(nodes[0], 5)
    with nodes[1].wire() as wire:
        told = wire.ask(f"LW {hosts[0]}")
        assert json.loads(told.removeprefix("LW "))["size"] == 8
        assert wire.ask(f"LW {hosts[1]}").startswith("ER This bank has not seen")
    keys = {pin.bank: pin.key for pin in nodes[1].node.banks.keyring.pins()}
    assert set(keys) == {hosts[0], hosts[2]}


def test_what_was_seen_outlives_the_witness(serve, hosts):
    bank, witness = serve(hosts[0]), serve(hosts[1])
    earn(bank, 1)
    look_around(witness)
    assert visits(witness) == []
    witness.node.stop()
    again = serve(hosts[1])
    assert again.node.banks.witnessed(hosts[0]).size == 2


def test_a_ledger_that_was_rewritten_convicts_its_bank(serve, hosts, tmp_path):
    bank, witness = serve(hosts[0]), serve(hosts[1])
    earn(bank, 1, 2, 3)
    look_around(witness)
    assert visits(witness) == []
    bank.node.stop()
    rewritten = tmp_path / "rewritten"
    rewritten.mkdir()
    shutil.copy(tmp_path / hosts[0] / "identity.key", rewritten)
    earn(serve(hosts[0], rewritten), 1, 2, 999)
    look_around(witness)
    (finding,) = visits(witness)
    assert finding.fault is Fault.TWO_HISTORIES
    (evidence,) = (tmp_path / hosts[1] / "evidence").iterdir()
    assert evidence.name == f"{hosts[0]}-4.json"
    key = witness.node.banks.keyring.key_of(hosts[0])
    checked = run_bank("verify-proof", evidence, "--key", key, cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"the bank {hosts[0]} has lied" in checked.stdout
    before = evidence.stat().st_mtime_ns
    assert len(visits(witness)) == 1
    assert evidence.stat().st_mtime_ns == before, "it is filed once"


def test_a_bank_that_shows_another_key_is_not_trusted_until_the_operator_accepts_it(
    serve, hosts, tmp_path
):
    bank, witness = serve(hosts[0]), serve(hosts[1])
    earn(bank, 1)
    look_around(witness)
    assert visits(witness) == []
    bank.node.stop()
    serve(hosts[0], tmp_path / "an impostor")
    # The directory asks for a version again only when it finds a bank anew.
    witness.node.stop()
    (tmp_path / hosts[1] / "peers.json").unlink()
    witness = serve(hosts[1])
    look_around(witness)
    assert visits(witness) == []
    assert witness.node.banks.witnessed(hosts[0]).size == 2
    (pin,) = witness.node.banks.keyring.changed()
    impostor = obtain_identity(tmp_path / "an impostor" / "identity.key", bytes)
    assert (pin.bank, pin.offered) == (hosts[0], impostor.key)
    assert witness.node.banks.keyring.accept(pin.bank, pin.offered, 1)
    visits(witness)
    assert witness.node.banks.keyring.changed() == []


def test_a_leader_hears_from_witnesses_that_another_node_leads_its_bank(serve, hosts, tmp_path):
    bank, witness = serve(hosts[0]), serve(hosts[1])
    earn(bank, 1)
    look_around(bank, witness)
    assert visits(witness) == []
    assert visits(bank) == []
    identity = obtain_identity(tmp_path / hosts[0] / "identity.key", bytes)
    stranger = new_identity(bytes(32))
    with bank.wire() as wire:
        for key in (stranger, identity):
            seen = sign_head(key, hosts[0], 2, 2, bytes(32), 1)
            witness.node.banks.watch._witness = Witness([(hosts[0], Record(seen))])
            assert wire.ask("AC").startswith("AC ")
            assert visits(bank) == []
        # A busy machine may have been too slow for one visit.
        until(lambda: not visits(bank) and wire.ask("AC").startswith("ER This node"), "it hears")


def test_heads_that_cannot_be_read_are_set_aside(serve, hosts, tmp_path):
    folder = tmp_path / hosts[0]
    folder.mkdir()
    (folder / "heads.json").write_text("{")
    node = serve(hosts[0])
    assert node.node.banks.witnessed(hosts[1]) is None
    assert (folder / "heads.json.broken").read_text() == "{"
