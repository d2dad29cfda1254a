"""What a node remembers of its peers from one run to the next."""

import json
import logging

import pytest
from support.directory import OWN, PEER, PORT, hear

from bank_node.network.peers import Directory, State
from bank_node.network.peers_file import load_peers, save_peers


@pytest.fixture
def directory():
    return Directory(OWN)


def test_the_next_run_knows_where_peers_were_and_how_they_spoke(directory, tmp_path):
    path = tmp_path / "peers.json"
    directory.heard(PEER, 65530, {"no line end"}, 12.5, 90.0, said=PEER)
    directory.announces(PEER, "p2p-bank-node", "1.0", {"session"}, 95.0)
    directory.figures(PEER, 96.0, amount=5, clients=1)
    directory.add_static("10.1.2.50", None, 0)
    save_peers(path, directory.snapshot(), now=100.0, wall=1_000_000.0)
    (peer,) = load_peers(path, now=7.0, wall=1_000_060.0)
    assert (peer.code, peer.port, peer.state, peer.since) == (PEER, 65530, State.KNOWN, 7.0)
    assert (peer.name, peer.version, peer.capabilities) == ("p2p-bank-node", "1.0", {"session"})
    assert (peer.oddities, peer.latency_ms) == ({"no line end"}, 12.5)
    assert (peer.heard_at, peer.introduced_at) == (7.0 - 70, 7.0 - 65)
    assert peer.amount is None
    assert [each.name for each in tmp_path.iterdir()] == ["peers.json"]


def test_what_is_known_already_is_not_overwritten_by_the_file(directory, tmp_path):
    hear(directory)
    save_peers(tmp_path / "p", directory.snapshot(), 0, 0)
    (old,) = load_peers(tmp_path / "p", 0, 0)
    directory.remember(old)
    assert directory.get(PEER).state is State.VERIFIED


def test_without_a_file_the_node_starts_knowing_nobody(tmp_path, caplog):
    assert load_peers(tmp_path / "peers.json", 0, 0) == []
    assert caplog.records == []


GOOD = {"code": PEER, "port": PORT, "heard": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b'{"format": "bank peers", "version": 1, "peers": [{',
        b"[" * 100_000,
        b"[]",
        json.dumps({"format": "photos", "version": 1, "peers": []}).encode(),
        json.dumps({"format": "bank peers", "version": 2, "peers": []}).encode(),
        *(
            json.dumps({"format": "bank peers", "version": 1, "peers": [GOOD | bad]}).encode()
            for bad in (
                {"code": "nobody"},
                {"code": "\ud800"},
                {"port": 0},
                {"port": "65525"},
                {"heard": None},
                {"capabilities": ["x" * 10_000]},
                {"name": 5},
            )
        ),
        b'{"format": "bank peers", "version": 1, "peers":'
        b' [{"code": "10.1.2.9", "port": 65525, "heard": 1e999}]}',
    ],
)
def test_a_broken_or_foreign_file_is_set_aside_with_a_warning(content, tmp_path, caplog):
    path = tmp_path / "peers.json"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load_peers(path, 0, 0) == []
    assert "no list of peers" in caplog.text
    assert (tmp_path / "peers.json.broken").read_bytes() == content
    assert not path.exists()


def test_a_file_that_cannot_be_read_stays_where_it_is(tmp_path, caplog):
    path = tmp_path / "peers.json"
    path.mkdir()
    assert load_peers(path, 0, 0) == []
    assert "cannot be read" in caplog.text
    assert path.is_dir()


def test_a_file_from_the_future_of_another_clock_does_no_harm(tmp_path):
    path = tmp_path / "peers.json"
    path.write_text(
        json.dumps(
            {"format": "bank peers", "version": 1, "peers": [GOOD | {"heard": 9e99, "name": "\n"}]}
        )
    )
    (peer,) = load_peers(path, now=5, wall=100)
    assert peer.heard_at == 5
    assert peer.name == "?"
