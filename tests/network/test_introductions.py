"""Who is asked for its version, and how often."""

import asyncio

import pytest
from support.fake_lan import OURS, Bank, FakeLan, Station, scan
from support.virtual_time import pass_time, run


def test_a_bank_that_looks_like_ours_introduces_itself():
    station, _ = scan(Bank("10.1.2.20", replies=OURS))
    peer = station.directory.get("10.1.2.20")
    assert (peer.name, peer.version) == ("p2p-bank-node", "1.0")
    assert peer.capabilities == {"session", "transfers"}


def test_a_stranger_that_does_not_know_the_question_is_asked_once_and_is_classic():
    async def play():
        station = Station(FakeLan(Bank("10.1.2.20")))
        for _ in range(5):
            await station.scanner.scan()
            await pass_time(60)
        return station

    station = run(play())
    assert station.directory.get("10.1.2.20").is_classic
    assert len(station.lan.questions("10.1.2.20", "VE")) == 1
    assert len(station.lan.questions("10.1.2.20", "BC")) == 5


def scanned_again_and_again(bank, *, heard_after):
    """The station after five scans; from one of them on the bank answers whatever it is asked."""

    async def play():
        station = Station(FakeLan(bank))
        for round_ in range(5):
            if round_ == heard_after:
                bank.unheard.clear()
            await station.scanner.scan()
            await pass_time(60)
        return station

    return run(play())


def test_a_node_of_ours_that_was_too_busy_to_introduce_itself_is_asked_again():
    bank = Bank("10.1.2.20", replies=OURS, unheard={"VE"})
    station = scanned_again_and_again(bank, heard_after=1)
    assert not station.directory.get("10.1.2.20").is_classic
    assert len(station.lan.questions("10.1.2.20", "VE")) == 2


def test_a_stranger_that_never_answers_the_question_is_asked_twice_and_is_classic():
    bank = Bank("10.1.2.20", unheard={"VE"})
    station = scanned_again_and_again(bank, heard_after=None)
    peer = station.directory.get("10.1.2.20")
    assert peer.is_classic
    assert peer.introduced_at is not None
    assert len(station.lan.questions("10.1.2.20", "VE")) == 2


@pytest.mark.parametrize(
    "bank",
    [
        Bank("10.1.2.20", oddities=frozenset({"ends \\n"})),
        Bank("10.1.2.20", replies={"BC": "BC 10.1.2.99"}),
    ],
)
def test_a_bank_that_cannot_be_ours_is_not_asked(bank):
    station, _ = scan(bank)
    assert bank.address in station.verified
    assert station.lan.questions(bank.address, "VE") == []


def test_a_node_of_ours_that_came_back_introduces_itself_again():
    async def play():
        bank = Bank("10.1.2.20", replies=OURS)
        station = Station(FakeLan(bank), every_s=0)
        watching = asyncio.create_task(station.scanner.run())
        await station.scanner.scan()
        bank.is_down = True
        await pass_time(30)
        bank.is_down, bank.replies = False, {"VE": "VE p2p-bank-node 1.1 session"}
        await pass_time(30)
        watching.cancel()
        return station

    station = run(play())
    assert station.directory.get("10.1.2.20").version == "1.1"
    assert len(station.lan.questions("10.1.2.20", "VE")) == 2
