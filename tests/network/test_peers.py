"""The directory of peers: who is used, who is asked again, who is forgotten, and what is kept."""

import threading

import pytest
from support.directory import OWN, PEER, PORT, hear

from bank_node.network.peers import Directory, PeerFound, PeerLost, State, doubles


@pytest.fixture
def told():
    return []


@pytest.fixture
def directory(told):
    return Directory(OWN, told.append)


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
