"""What a scan finds, dials, costs and tells, on a network of make-believe with a jumping clock."""

import asyncio
import itertools
import logging
import tracemalloc
from ipaddress import ip_address, ip_network

import pytest
from support.fake_lan import OWN, Bank, FakeLan, Station, scan
from support.virtual_time import pass_time, run

from bank_node.network.knock import NoSocket
from bank_node.network.peers import PeerFound
from bank_node.network.reach import Reach, StaticPeer
from bank_node.network.rounds import Pace
from bank_node.network.scanner import ScanEnded, ScanLimits, ScanProgressed, ScanStarted

# What a scan finds


def test_a_scan_finds_every_bank_wherever_its_port_is():
    banks = [Bank(f"10.1.2.{n}", port) for n, port in enumerate(range(65525, 65536), 20)]
    station, end = scan(*banks)
    assert station.verified == {bank.address: bank.port for bank in banks}
    assert end.found == 12, "the own one counts"
    assert {event.peer.code for event in station.events(PeerFound)} == set(station.verified)


def test_an_open_port_is_no_proof_of_a_bank():
    station, _ = scan(
        Bank("10.1.2.20", is_mute=True),
        Bank("10.1.2.21", replies={"BC": "ER I am a printer"}),
    )
    assert station.verified == {}
    assert station.directory.snapshot() == ()


def test_the_own_address_answers_without_a_dial():
    station, end = scan(Bank(OWN), subnets=["10.1.2.0/29"])
    assert end.found == 1
    assert OWN not in {address for address, _ in station.lan.dialled}


def test_a_bank_that_calls_itself_otherwise_is_known_by_the_address_that_was_dialled():
    station, _ = scan(Bank("10.1.2.20", replies={"BC": f"BC {OWN}"}))
    assert station.verified == {"10.1.2.20": 65525}
    assert station.directory.get("10.1.2.20").said == OWN


def test_each_port_is_tried_once_and_each_bank_asked_once():
    station, _ = scan(Bank("10.1.2.20", 65527))
    assert len(set(station.lan.dialled)) == 253 * 11
    assert len(station.lan.dialled) == 253 * 11 + 1, "and one question for the version"
    assert len(station.lan.questions("10.1.2.20")) == 1


def test_remembered_banks_are_asked_first_at_the_port_they_had():
    async def play():
        lan = FakeLan(Bank("10.1.2.200", 65531), Bank("10.1.2.77", 4000))
        peers = [StaticPeer("10.1.2.77", 4000)]
        station = Station(lan, peers=peers, processes=1, subnets=["10.1.2.192/28"])
        station.directory.add_static("10.1.2.77", 4000, 0)
        station.directory.heard("10.1.2.200", 65531, (), 1, 0)
        await station.scanner.scan()
        return station

    station = run(play())
    asked = [(address, port) for address, port, code, _ in station.lan.asked if code == "BC"]
    assert asked == [("10.1.2.200", 65531), ("10.1.2.77", 4000)]
    assert station.lan.dialled[0] == asked[0]
    assert station.verified == {"10.1.2.200": 65531, "10.1.2.77": 4000}


def test_a_bank_that_moved_to_another_port_is_found_there():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20", 65530)))
        station.directory.heard("10.1.2.20", 65525, (), 1, 0)
        await station.scanner.scan()
        return station.verified

    assert run(play()) == {"10.1.2.20": 65530}


# What it costs


def test_a_scan_of_nothing_but_black_holes_takes_one_time_out():
    _, end = scan(time_out_s=0.5)
    assert end == ScanEnded(pytest.approx(0.5), 1, cancelled=False)


def test_a_scan_of_nothing_but_mute_machines_takes_the_wait_for_a_first_byte():
    _, end = scan(*(Bank(f"10.1.2.{n}", is_mute=True) for n in range(1, 255)), time_out_s=0.5)
    assert end.seconds == pytest.approx(0.75, abs=0.02)


def test_a_healthy_bank_that_needs_230_ms_is_found_at_a_short_time_out():
    station, _ = scan(Bank("10.1.2.20", latency_s=0.23), time_out_s=0.1)
    assert "10.1.2.20" in station.verified


def test_no_more_addresses_are_tried_at_once_than_the_setting_and_the_sockets_allow():
    assert scan(processes=10)[0].lan.at_once_max == 10
    assert scan(processes=4096, sockets_max=55)[0].lan.at_once_max == 5
    assert scan(processes=256, sockets_max=1)[0].lan.at_once_max == 1


def test_after_the_first_addresses_a_scan_keeps_to_its_pace():
    station, end = scan(subnets=["10.1.0.0/22"], time_out_s=0.1, rate=200)
    assert len({address for address, _ in station.lan.dialled}) == 1021
    assert end.seconds == pytest.approx((1021 - 256) / 200, rel=0.1)


def test_on_loopback_no_neighbour_has_to_be_asked_for_and_nothing_waits():
    _, end = scan(own="127.1.0.1", subnets=["127.1.0.0/22"], time_out_s=0.1)
    assert end.seconds < 0.5


def test_a_pace_allows_a_burst_and_then_so_many_a_second():
    pace = Pace(rate=10, burst=3)
    assert [pace.turn_in(0) for _ in range(5)] == [0, 0, 0, pytest.approx(0.1), pytest.approx(0.2)]
    assert pace.turn_in(0, at_most_s=0.2) is None
    assert pace.turn_in(0) == pytest.approx(0.3), "who did not wait took no turn"
    assert pace.turn_in(10) == 0


def test_a_scan_of_a_big_subnet_is_cut_says_so_and_keeps_no_list(caplog):
    tracemalloc.start()
    with caplog.at_level(logging.WARNING):
        station, _ = scan(
            own="127.1.2.3", subnets=["127.0.0.0/8"], addresses_max=2000, time_out_s=0.1
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "1999 of 16777213 addresses" in caplog.text
    assert len({address for address, _ in station.lan.dialled}) == 1999
    assert peak < 20_000_000


def test_without_a_socket_to_spare_the_scan_waits_and_goes_on(caplog):
    async def play():
        lan = FakeLan(Bank("10.1.2.2"))
        lan.trouble = [NoSocket("EMFILE"), NoSocket("EMFILE")]
        station = Station(lan, subnets=["10.1.2.0/30"])
        await station.scanner.scan()
        return station

    assert run(play()).verified == {"10.1.2.2": 65525}
    assert "no socket" in caplog.text


def test_an_answer_that_nobody_foresaw_costs_one_address_and_not_the_scan(caplog):
    async def play():
        lan = FakeLan(Bank("10.1.2.20"), Bank("10.1.2.21"))
        lan.trouble = [RuntimeError("unforeseen")]
        station = Station(lan)
        return await station.scanner.scan()

    assert run(play()).found >= 2
    assert "unforeseen" in caplog.text


# Where it dials


@pytest.mark.parametrize(
    ("subnets", "peers"),
    [
        ([], []),
        (["10.1.2.0/26", "10.1.9.0/28"], []),
        (["10.1.9.0/28"], [StaticPeer("192.168.1.1", 65530)]),
    ],
)
def test_a_scan_dials_nothing_outside_of_its_subnets_and_static_peers(subnets, peers):
    async def play():
        lan = FakeLan(Bank("10.1.2.20"), Bank("10.1.9.4", replies={"BC": "BC 8.8.8.8"}))
        station = Station(lan, subnets=subnets, peers=peers)
        for address in ("8.8.8.8", "10.200.0.1", "255.255.255.255", "10.1.2.255", OWN):
            station.directory.heard(address, 65525, (), 1, 0)
            assert await station.scanner.find(address, 5) == station.directory.verified(address)
            station.directory.missed(address, "", 0)
            station.directory.missed(address, "", 0)
            assert await station.scanner.find(address, 5) is None
        watching = asyncio.create_task(station.scanner.run())
        await station.scanner.scan()
        await pass_time(60)
        watching.cancel()
        return station

    inside = [ip_network(each) for each in subnets or ["10.1.2.0/24"]]
    station = run(play())
    dialled = {ip_address(address) for address, _ in station.lan.dialled}
    assert len(dialled) > 10
    for address in dialled - {ip_address(peer.host) for peer in peers}:
        home = next((network for network in inside if address in network), None)
        assert home is not None, address
        assert address not in (home.network_address, home.broadcast_address, ip_address(OWN))


def test_changed_subnets_count_at_once_and_end_the_scan_of_the_old_ones():
    async def play():
        station = Station(FakeLan(Bank("10.1.9.4")), processes=1)
        old = asyncio.create_task(station.scanner.scan())
        await pass_time(2)
        limits = ScanLimits(processes=3, time_out_s=0.1, every_s=0)
        station.scanner.adopt(Reach(OWN, ["10.1.9.0/28"]), limits)
        assert (await old).cancelled
        station.lan.dialled.clear()
        station.lan.at_once_max = 0
        await station.scanner.scan()
        assert await station.scanner.find("10.1.2.20", 5) is None
        return station

    station = run(play())
    assert station.verified == {"10.1.9.4": 65525}
    assert station.lan.at_once_max == 3
    assert {address.rpartition(".")[0] for address, _ in station.lan.dialled} == {"10.1.9"}


# Progress and cancelling


def test_a_scan_tells_its_start_its_progress_and_its_end():
    station, end = scan(Bank("10.1.2.20"))
    scans = [e for e in station.told if isinstance(e, ScanStarted | ScanProgressed | ScanEnded)]
    assert scans[0] == ScanStarted(254)
    assert scans[-1] == end
    progress = scans[1:-1]
    assert progress[-1] == ScanProgressed(254, 254, 2)
    assert all(a.done < b.done and a.found <= b.found for a, b in itertools.pairwise(progress))


def test_a_scan_of_thousands_tells_of_its_progress_in_some_hundred_steps():
    station, _ = scan(own="127.1.0.1", subnets=["127.1.0.0/20"], time_out_s=0.1)
    progress = station.events(ScanProgressed)
    assert 100 < len(progress) < 300
    assert progress[-1].done == progress[-1].total


def test_a_cancelled_scan_ends_at_once_and_tells_how_far_it_came():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20")), processes=2)
        waiting = [asyncio.create_task(station.scanner.scan()) for _ in range(2)]
        await pass_time(5)
        assert station.scanner.is_scanning
        station.scanner.cancel_scan()
        ends = await asyncio.gather(*waiting)
        dialled = len(station.lan.dialled)
        await pass_time(5)
        assert len(station.lan.dialled) == dialled
        assert station.lan.at_once == 0
        return station, ends

    station, ends = run(play())
    assert ends[0] is ends[1]
    assert ends[0].cancelled
    assert ends[0].seconds == pytest.approx(5)
    assert station.told[-1] == ends[0]


def test_a_scan_that_is_cancelled_before_it_began_is_told_as_cancelled():
    async def play():
        station = Station(FakeLan())
        waiting = asyncio.create_task(station.scanner.scan())
        await pass_time(0)
        station.scanner.cancel_scan()
        return await waiting

    assert run(play()).cancelled


def test_two_who_ask_at_once_share_one_scan_and_one_who_leaves_does_not_end_it():
    async def play():
        station = Station(FakeLan())
        first = asyncio.create_task(station.scanner.scan())
        second = asyncio.create_task(station.scanner.scan())
        await pass_time(0.1)
        first.cancel()
        end = await second
        return station, end

    station, end = run(play())
    assert not end.cancelled
    assert len(station.events(ScanStarted)) == 1
