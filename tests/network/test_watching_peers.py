"""Banks that were found are asked again and again, and the network is scanned on schedule."""

import asyncio

import pytest
from support.fake_lan import OURS, Bank, FakeLan, Station
from support.virtual_time import pass_time, run

from bank_node.network.peers import PeerLost, State
from bank_node.network.reach import StaticPeer
from bank_node.network.rounds import Rounds
from bank_node.network.scanner import ScanStarted

# Verifying


def watched(*banks, play, **options):
    async def watch():
        station = Station(FakeLan(*banks), **{"every_s": 0, **options})
        watching = asyncio.create_task(station.scanner.run())
        await station.scanner.scan()
        await play(station)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return station

    return run(watch())


@pytest.mark.parametrize("way", ["is_down", "is_mute"])
def test_a_bank_that_dies_is_noticed_and_comes_back_by_itself_within_ten_seconds(way):
    bank = Bank("10.1.2.20")

    async def play(station):
        for attempt in range(5):
            await pass_time(13.7 + attempt)
            setattr(bank, way, True)
            await pass_time(11)
            assert station.verified == {}
            assert station.directory.get(bank.address).state is State.SILENT
            await pass_time(20 + attempt)
            setattr(bank, way, False)
            await pass_time(10)
            assert station.verified == {bank.address: bank.port}

    station = watched(bank, play=play)
    assert len(station.events(PeerLost)) == 5
    assert len(station.events(ScanStarted)) == 1, "no scan was needed for that"


def test_a_bank_that_comes_back_on_another_port_is_found_without_a_scan():
    bank = Bank("10.1.2.20")

    async def play(station):
        bank.is_down = True
        await pass_time(20)
        bank.is_down, bank.port = False, 65532
        await pass_time(30)

    assert watched(bank, play=play).verified == {bank.address: 65532}


def test_one_missed_answer_is_followed_by_another_question_and_not_by_an_alarm():
    bank = Bank("10.1.2.20")

    async def play(station):
        await pass_time(5)
        bank.is_mute = True
        while station.directory.get(bank.address).failures == 0:
            await pass_time(0.1)
        bank.is_mute = False
        await pass_time(3)

    station = watched(bank, play=play)
    assert station.events(PeerLost) == []
    assert station.directory.get(bank.address).failures == 0


def test_a_stranger_is_never_asked_more_than_twelve_times_a_minute():
    bank = Bank("10.1.2.20")

    async def play(station):
        await pass_time(600)

    times = watched(bank, play=play).lan.questions(bank.address)
    assert len(times) > 60
    assert max(sum(at <= each < at + 60 for each in times) for at in times) <= 12


def test_when_others_have_used_up_a_strangers_patience_it_is_not_asked_for_ourselves():
    bank = Bank("10.1.2.20")

    async def play(station):
        for _ in range(45):
            station.directory.budgets.spent(bank.address, asyncio.get_running_loop().time())
        before = len(station.lan.questions(bank.address))
        await pass_time(20)
        assert len(station.lan.questions(bank.address)) == before
        await pass_time(120)
        assert len(station.lan.questions(bank.address)) > before

    watched(bank, play=play)


def test_a_node_of_ours_has_patience_without_end():
    bank = Bank("10.1.2.20", replies=OURS)

    async def play(station):
        for _ in range(1000):
            station.directory.budgets.spent(bank.address, asyncio.get_running_loop().time())
        before = len(station.lan.questions(bank.address))
        await pass_time(20)
        assert len(station.lan.questions(bank.address)) > before

    watched(bank, play=play)


def test_after_a_failed_call_the_peer_is_asked_within_two_seconds():
    bank = Bank("10.1.2.20")

    async def play(station):
        bank.is_down = True
        now = asyncio.get_running_loop().time
        assert station.directory.admits(bank.address, now())
        station.directory.call_ended(bank.address, now(), why="reset")
        await pass_time(5)
        assert station.verified == {}

    watched(bank, play=play)


def test_a_silent_bank_is_asked_less_and_less():
    bank = Bank("10.1.2.20")

    async def play(station):
        bank.is_down = True
        await pass_time(3500)

    station = watched(bank, play=play)
    assert len([each for each in station.lan.dialled if each == ("10.1.2.20", 65525)]) < 250


def test_static_and_remembered_peers_are_verified_without_any_scan():
    async def play():
        station = Station(FakeLan(Bank("10.9.9.9", 4000)), every_s=0,
                          peers=[StaticPeer("10.9.9.9", 4000)])  # fmt: skip
        station.directory.add_static("10.9.9.9", 4000, 0)
        watching = asyncio.create_task(station.scanner.run())
        await pass_time(2)
        watching.cancel()
        return station

    station = run(play())
    assert station.verified == {"10.9.9.9": 4000}
    assert station.events(ScanStarted) == []


# Rounds


def test_a_scan_runs_at_the_start_and_then_on_schedule_with_growing_pauses():
    async def play():
        station = Station(FakeLan(), every_s=60)
        watching = asyncio.create_task(station.scanner.run())
        await pass_time(2000)
        watching.cancel()
        return station

    starts = len(run(play()).events(ScanStarted))
    # At 0, then after 10, 20, 40, 80, 160, 300, 300 ... seconds.
    assert starts == 11


def test_pauses_grow_while_nothing_changes_and_shrink_when_something_does():
    rounds = Rounds(60)
    assert rounds.is_due(0)
    pauses = []
    now = 0.0
    for changed in (True, False, False, False, False, True, False):
        rounds.ended(now, changed=changed)
        start = now
        while not rounds.is_due(now):
            now += 1
        pauses.append(now - start)
    assert pauses == [10, 10, 20, 40, 80, 160, 10]


def test_a_pause_of_zero_means_on_demand_only():
    rounds = Rounds(0)
    assert not rounds.is_due(1e9)
    rounds.ended(0, changed=True)
    assert not rounds.is_due(1e9)
