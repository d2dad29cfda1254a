"""`bank op` about money between banks, as people and scripts type it."""

import json
from dataclasses import replace

import pytest
from support import zoo
from support.nodes import running_node, some_host
from support.wire import open_account


@pytest.fixture
def doubtful(bank, tmp_path):
    """`bank op` on a bank with a transfer done and one in doubt, and the bank of the other."""
    with (
        zoo.bank(host=some_host()) as peer,
        running_node(
            tmp_path / "data", network__peers=[f"{peer.host}:{peer.port}"], network__timeout=2.0
        ) as node,
    ):
        with node.wire() as wire:
            one, two = open_account(wire, 500), open_account(wire)
            assert wire.ask(f"TR {one} {two} 5 inside") == "TR inside committed"
            assert wire.ask(f"AB 10001/{peer.host}") == "AB 500"
            peer.behaviour = replace(peer.behaviour, answers=False, acts=False, closes=True)
            assert "unknown" in wire.ask(f"TR {one} 10001/{peer.host} 200 rent")
        yield lambda *words, **more: bank("op", *words, "--data", tmp_path / "data", **more), peer


def lines(run):
    assert (run.returncode, run.stderr) == (0, ""), run
    return run.stdout


def document(run):
    return json.loads(lines(run))


def test_transfers_are_listed_and_one_is_decided_with_a_note(doubtful):
    op, peer = doubtful
    assert "1 under way, 1 in doubt" in lines(op("transfers"))
    assert "somebody who finds out" in lines(op("transfers", "--show", "doubt"))
    assert "inside" in lines(op("transfers", "--show", "done"))
    assert document(op("transfers", "--json"))["rows"][0]["transfer"] == "rent"
    assert "rent" in lines(op("states"))
    told = lines(op("transfer", "rent"))
    assert "unknown" in told
    assert "held" in told

    run = op("decide", "rent", "abort", "--note", "They say: nothing came.", stdin="n\n")
    assert run.returncode == 1
    assert "If the other bank decides otherwise" in run.stderr
    run = op("decide", "rent", "abort", "--note", "They say: nothing came.", stdin="y\n")
    assert run.stdout.splitlines()[-1] == "rent aborted"
    assert "They say: nothing came." in lines(op("transfer", "rent"))
    run = op("decide", "rent", "commit", "--note", "x", "--yes")
    assert (run.returncode, run.stderr) == (1, "bank: There is no such transfer.\n")
    assert peer.count("AD") == 1


def test_positions_keys_and_replicas_are_told(doubtful):
    op, peer = doubtful
    told = lines(op("positions"))
    assert peer.host in told
    assert "200" in told
    assert document(op("positions", "--json"))["rows"][0]["leaving"] == 200
    assert lines(op("remind", peer.host)).startswith(f"{peer.host} was asked about 0 transfers: 0 ")
    assert document(op("remind", "--stop", "--json"))["asked"] == 0
    run = op("remind", peer.host, "--stop")
    assert run.returncode == 2
    assert "takes no ADDRESS" in run.stderr
    run = op("remind")
    assert run.returncode == 2
    assert "Missing argument 'ADDRESS'" in run.stderr
    assert "SHA256:" in lines(op("keys"))
    assert document(op("keys", "--json"))["rows"] == []
    run = op("keys", "--accept", peer.host)
    assert (run.returncode, run.stderr) == (1, f"bank: The bank {peer.host} offers no other key.\n")
    run = op("keys", "--forget", peer.host)
    assert (run.returncode, run.stderr) == (1, f"bank: The bank {peer.host} has no such key.\n")
    assert "leader" in lines(op("replicas"))
    assert document(op("replicas", "--json"))["wait_for"] == 0
    run = op("replicas", "--promote", "--yes")
    assert (run.returncode, run.stderr) == (1, "bank: This node does not follow another one.\n")
