"""One address is looked for while somebody waits for it."""

import asyncio

import pytest
from support.fake_lan import Bank, FakeLan, Station
from support.virtual_time import pass_time, run

from bank_node.network.peers import State


def test_an_unknown_address_is_found_on_all_ports():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20", 65533)))
        return await station.scanner.find("10.1.2.20", 5)

    peer = run(play())
    assert (peer.code, peer.port, peer.state) == ("10.1.2.20", 65533, State.VERIFIED)


def test_a_verified_address_is_found_without_a_dial():
    async def play():
        station = Station(FakeLan())
        station.directory.heard("10.1.2.20", 65533, (), 1, 0)
        assert await station.scanner.find("10.1.2.20", 5)
        return station.lan.dialled

    assert run(play()) == []


def test_hundreds_who_look_for_one_address_cause_one_look():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20", latency_s=0.2)))
        found = await asyncio.gather(*(station.scanner.find("10.1.2.20", 5) for _ in range(300)))
        assert all(found)
        nobody = await asyncio.gather(*(station.scanner.find("10.1.2.21", 5) for _ in range(300)))
        assert not any(nobody)
        return station.lan.dialled

    assert len(run(play())) == 2 * 11 + 1, "and one question for its version"


def test_where_nobody_was_found_nobody_is_looked_for_again_for_a_moment():
    async def play():
        lan = FakeLan()
        station = Station(lan)
        for _ in range(2):
            assert await station.scanner.find("10.1.2.20", 5) is None
        assert len(lan.dialled) == 11
        lan.add(Bank("10.1.2.20"))
        await pass_time(3)
        return await station.scanner.find("10.1.2.20", 5)

    assert run(play()).port == 65525


def test_a_bank_that_was_there_before_is_found_as_soon_as_it_is_started_anew():
    bank = Bank("10.1.2.20", is_down=True)

    async def play():
        station = Station(FakeLan(bank))
        station.directory.heard(bank.address, bank.port, (), 1, 0)
        for _ in range(3):
            station.directory.missed(bank.address, "it hung up", 0)
        assert await station.scanner.find(bank.address, 5) is None
        bank.is_down = False
        await pass_time(0.3)
        return await station.scanner.find(bank.address, 5)

    assert run(play()).port == bank.port


def test_a_look_ends_with_the_time_of_who_asked_and_one_who_leaves_does_not_end_it_for_others():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20", latency_s=0.4)))
        hasty = asyncio.create_task(station.scanner.find("10.1.2.20", 0.1))
        patient = asyncio.create_task(station.scanner.find("10.1.2.20", 5))
        start = asyncio.get_running_loop().time()
        assert await hasty is None
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.1)
        assert await patient
        return True

    assert run(play())


def test_a_flood_of_unknown_addresses_is_held_back():
    async def play():
        station = Station(FakeLan(), subnets=["10.1.0.0/16"], rate=200, time_out_s=0.1)
        await asyncio.gather(
            *(station.scanner.find(f"10.1.{a}.{b}", 1) for a in range(20) for b in range(100))
        )
        return {address for address, _ in station.lan.dialled}

    assert len(run(play())) <= 256 + 200
