"""The directory of peers: who is used, who is asked again, who is forgotten, and what is kept."""

import json
import logging
import threading

import pytest

from bank_node.network.breaker import CLOSED
from bank_node.network.budget import Budgets
from bank_node.network.peers import Directory, PeerFound, PeerLost, State, doubles
from bank_node.network.peers_file import load_peers, save_peers

OWN = "10.1.2.3"
PEER = "10.1.2.9"
PORT = 65525


@pytest.fixture
def told():
    return []


@pytest.fixture
def directory(told):
    return Directory(OWN, told.append)


def hear(directory, address=PEER, *, now=0.0, port=PORT, latency_ms=10.0, said=""):
    directory.heard(address, port, (), latency_ms, now, said=said or address)
    return directory.get(address)


# Who is used


def test_only_a_peer_that_answered_itself_is_used(directory):
    directory.add_static(PEER, PORT, 0)
    assert directory.get(PEER).state is State.KNOWN
    assert directory.verified(PEER) is None
    assert directory.banks() == ()
    assert not directory.admits(PEER, 0)
    hear(directory)
    assert directory.verified(PEER).port == PORT
    assert [peer.code for peer in directory.banks()] == [PEER]
    assert directory.admits(PEER, 0)


def test_a_bank_is_named_by_the_address_that_was_dialled(directory):
    peer = hear(directory, said="10.9.9.9")
    assert peer.code == PEER
    assert peer.said == "10.9.9.9"
    assert directory.get("10.9.9.9") is None
    assert hear(directory, said=PEER).said == ""


def test_the_own_bank_is_no_peer(directory, told):
    hear(directory, OWN)
    directory.add_static(OWN, PORT, 0)
    assert directory.snapshot() == ()
    assert told == []


def test_of_an_address_where_nobody_ever_answered_nothing_is_kept(directory):
    directory.missed("10.1.2.77", "refused", 0)
    directory.figures("10.1.2.77", 0, amount=5)
    directory.announces("10.1.2.77", "x", "1", (), 0)
    directory.call_ended("10.1.2.77", 0, why="refused")
    assert directory.snapshot() == ()


# Coming and going


def test_a_peer_is_found_once_and_lost_after_two_misses_in_a_row(directory, told):
    hear(directory, now=1)
    hear(directory, now=2)
    directory.missed(PEER, "no answer", 3)
    assert directory.verified(PEER), "one miss may be chance"
    hear(directory, now=4)
    directory.missed(PEER, "no answer", 5)
    directory.missed(PEER, "refused", 6)
    peer = directory.get(PEER)
    assert (peer.state, peer.since, peer.last_error) == (State.SILENT, 6, "refused")
    hear(directory, now=7)
    assert [type(event) for event in told] == [PeerFound, PeerLost, PeerFound]
    assert directory.get(PEER).since == 7


def test_who_hears_of_a_change_can_already_read_it():
    seen = []
    directory = Directory(OWN, lambda event: seen.append(directory.get(PEER) is event.peer))
    hear(directory)
    directory.missed(PEER, "", 1)
    directory.missed(PEER, "", 2)
    assert seen == [True, True]


def test_a_peer_that_stays_silent_is_forgotten_unless_the_settings_name_it(directory):
    other = "10.1.2.10"
    directory.add_static(other, None, 0)
    for address in (PEER, other):
        hear(directory, address)
        for now in (1, 2, 3000):
            directory.missed(address, "refused", now)
        assert directory.get(address).state is State.SILENT
        directory.missed(address, "refused", 4000)
    assert directory.get(PEER).state is State.FORGOTTEN
    assert directory.get(other).state is State.SILENT
    assert hear(directory, now=5000).state is State.VERIFIED


def test_a_peer_that_the_operator_drops_is_lost_and_may_be_found_again(directory, told):
    hear(directory)
    directory.forget(PEER)
    directory.forget(PEER)
    assert directory.get(PEER) is None
    hear(directory)
    assert [type(event) for event in told] == [PeerFound, PeerLost, PeerFound]


def test_a_static_peer_without_a_port_keeps_the_one_that_was_found(directory):
    hear(directory, port=65530)
    directory.add_static(PEER, None, 1)
    assert directory.get(PEER).port == 65530
    assert directory.get(PEER).is_static
    assert directory.get(PEER).state is State.VERIFIED


def test_another_port_is_another_program_that_has_to_introduce_itself(directory):
    hear(directory)
    directory.announces(PEER, "p2p-bank-node", "1.0", {"session"}, 1)
    assert not directory.get(PEER).is_classic
    assert not hear(directory, now=2).is_classic
    moved = hear(directory, port=65526, now=3)
    assert moved.is_classic
    assert moved.introduced_at is None


def test_latency_is_smoothed(directory):
    assert hear(directory, latency_ms=100).latency_ms == 100
    assert hear(directory, latency_ms=20).latency_ms == 80


# Figures


@pytest.mark.parametrize(
    ("amount", "clients", "word"),
    [
        (-1, 5, "outside"),
        (2**63, 5, "outside"),
        (5, -1, "outside"),
        (5, 2**63, "outside"),
        (1000, 0, "nobody"),
    ],
)
def test_figures_that_cannot_be_true_are_marked(directory, amount, clients, word):
    hear(directory)
    directory.figures(PEER, 1, amount=amount)
    directory.figures(PEER, 2, clients=clients)
    peer = directory.get(PEER)
    assert word in peer.absurd
    assert (peer.amount, peer.amount_at, peer.clients, peer.clients_at) == (amount, 1, clients, 2)


def test_a_figure_that_is_no_number_is_told_as_such_and_the_last_one_stays(directory):
    hear(directory)
    directory.figures(PEER, 1, amount=2**63 - 1, clients=3)
    assert directory.get(PEER).absurd == ""
    directory.figures(PEER, 2, absurd="BA None")
    assert directory.get(PEER).absurd == "BA None"
    assert directory.get(PEER).amount == 2**63 - 1
    directory.figures(PEER, 3, amount=0, clients=0)
    assert directory.get(PEER).absurd == ""


def test_a_bank_that_answers_on_every_address_counts_once(directory):
    for n in (20, 21, 22):
        hear(directory, f"10.1.2.{n}", said="10.1.2.20")
        directory.figures(f"10.1.2.{n}", 0, amount=700, clients=7)
    assert doubles(directory.snapshot()) == {
        "10.1.2.21": "10.1.2.20",
        "10.1.2.22": "10.1.2.20",
    }
    assert [peer.code for peer in directory.banks()] == ["10.1.2.20"]


@pytest.mark.parametrize("differs", [{"amount": 701}, {"clients": 8}, {"port": 65526}])
def test_a_bank_that_only_names_a_wrong_address_is_a_bank_of_its_own(directory, differs):
    hear(directory, "10.1.2.20")
    hear(directory, "10.1.2.21", said="10.1.2.20", port=differs.pop("port", PORT))
    directory.figures("10.1.2.20", 0, amount=700, clients=7)
    directory.figures("10.1.2.21", 0, **{"amount": 700, "clients": 7, **differs})
    assert len(directory.banks()) == 2


# Calls and the breaker


def fail(directory, times, now=0.0):
    for _ in range(times):
        assert directory.admits(PEER, now)
        directory.call_ended(PEER, now, why="no reply")


def test_after_three_failed_calls_in_a_row_none_passes_until_the_back_off_is_over(directory):
    hear(directory)
    fail(directory, 2)
    directory.admits(PEER, 0)
    directory.call_ended(PEER, 0, latency_ms=5)
    fail(directory, 3)
    assert not directory.admits(PEER, 0.5)
    assert directory.get(PEER).breaker.state(0.5) == "open"
    assert directory.get(PEER).breaker.state(1.0) == "half-open"
    assert directory.admits(PEER, 1.0)


def test_one_probe_at_a_time_decides(directory):
    hear(directory)
    fail(directory, 3)
    assert directory.admits(PEER, 1)
    assert not directory.admits(PEER, 1.1)
    directory.call_ended(PEER, 1.2, latency_ms=5)
    assert directory.admits(PEER, 1.2)
    assert directory.admits(PEER, 1.2)


def test_the_back_off_doubles_up_to_a_cap():
    breaker, now, waits = CLOSED, 0.0, []
    for _ in range(3):
        breaker = breaker.failed(now)
    for _ in range(8):
        waits.append(breaker.opens_at - now)
        now = breaker.opens_at
        assert breaker.admits(now)
        breaker = breaker.begun(now).failed(now)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_calls_that_began_before_it_opened_do_not_lengthen_the_back_off(directory):
    hear(directory)
    for _ in range(50):
        assert directory.admits(PEER, 0)
    for _ in range(50):
        directory.call_ended(PEER, 5, why="no reply")
    assert directory.admits(PEER, 6)


def test_a_probe_that_never_reports_its_end_does_not_close_the_way_for_ever(directory):
    hear(directory)
    fail(directory, 3)
    assert directory.admits(PEER, 1)
    assert not directory.admits(PEER, 15)
    assert directory.admits(PEER, 17)


def test_a_failed_call_makes_the_peer_suspect_until_it_is_asked(directory):
    hear(directory)
    fail(directory, 1)
    assert directory.get(PEER).is_suspected
    assert directory.verified(PEER), "the peer itself decides that, not one call"
    assert not hear(directory).is_suspected


def test_answering_bc_does_not_close_an_open_breaker_but_coming_back_does(directory):
    hear(directory)
    fail(directory, 3)
    hear(directory)
    assert not directory.admits(PEER, 0.5)
    directory.missed(PEER, "refused", 0.6)
    directory.missed(PEER, "refused", 0.7)
    hear(directory)
    assert directory.admits(PEER, 0.8)


def test_nobody_is_sent_more_requests_a_minute_than_the_strictest_allows():
    budgets = Budgets(50)
    for second in range(50):
        assert budgets.left(PEER, second) > 0
        budgets.spent(PEER, second)
    assert budgets.left(PEER, 59) == 0
    assert budgets.left("10.1.2.10", 59) == 50
    assert budgets.left(PEER, 60 + 30) == 25, "half of the minute before still counts"
    assert budgets.left(PEER, 180) == 50


# Limits


def test_there_is_room_for_so_many_and_those_that_live_stay(told):
    directory = Directory(OWN, told.append, rows_max=3)
    directory.add_static("10.1.2.10", None, 0)
    for n in (11, 12):
        hear(directory, f"10.1.2.{n}")
    hear(directory, "10.1.2.13")
    assert directory.get("10.1.2.13") is None
    assert len(told) == 2
    for now in (1, 2):
        directory.missed("10.1.2.11", "refused", now)
    hear(directory, "10.1.2.13")
    assert {peer.code[-2:] for peer in directory.snapshot()} == {"10", "12", "13"}


def test_what_strangers_tell_is_short_and_on_one_line(directory):
    hear(directory)
    directory.announces(PEER, "\x1b[2J" + "x" * 500, "\n" * 9, {f"c{n}" for n in range(999)}, 0)
    directory.missed(PEER, "bad\r\n" * 500, 1)
    peer = directory.get(PEER)
    assert peer.name.isprintable()
    assert len(peer.name) == 64
    assert peer.version == "?" * 9
    assert len(peer.capabilities) == 32
    assert peer.last_error.isprintable()
    assert len(peer.last_error) == 200


def test_readers_on_other_threads_see_whole_rows(directory):
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            for peer in (*directory.snapshot(), *directory.banks()):
                if peer.is_verified != (peer.failures == 0):
                    wrong.append(peer)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(300):
            for n in range(20, 30):
                hear(directory, f"10.1.2.{n}", now=turn)
            if turn % 2:
                directory.forget("10.1.2.20")
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_the_key_that_a_peer_announces_is_found_among_its_capabilities(directory):
    directory.heard(PEER, 65530, (), 1, 0)
    assert directory.get(PEER).key == ""
    directory.announces(PEER, "p2p-bank-node", "1.0", {"session", "key=" + "a" * 43, "x"}, 1)
    assert directory.get(PEER).key == "a" * 43


# The file


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
