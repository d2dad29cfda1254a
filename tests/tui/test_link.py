"""Connections: authentication, what is lost, what is unknown, what is written down of it."""

import asyncio

import pytest
from support.console_bank import TOKEN, FakeBank
from support.loops import in_a_loop

from tui.hub import Hub, Tail
from tui.link import Line, Link, Lost, Rejected, Trace, accepted, back_off_s
from tui.model.replies import Happening, Status


def line_to(bank, token=TOKEN):
    trace = Trace(bank.clock.clock())
    return Line(bank.connect, token, trace), trace


@in_a_loop
async def test_a_line_authenticates_once_and_keeps_its_connection():
    bank = FakeBank()
    line, _ = line_to(bank)
    assert await line.say("BC") == "BC 10.1.2.3"
    assert (await line.ask("OS", Status)).code == "10.1.2.3"
    assert bank.lines == [f"OA {TOKEN}", "BC", "OS"]
    assert bank.connections == 1


@in_a_loop
async def test_a_wrong_token_is_told_and_leaves_no_connection():
    bank = FakeBank()
    line, _ = line_to(bank, "wrong")
    for _ in range(2):
        with pytest.raises(Rejected, match="token"):
            await line.say("BC")
    assert bank.connections == 2


@pytest.mark.parametrize(
    "said", ["AC", "OX do=stop", "OU remind=10.1.2.7", "OV start=1", "ZZ", "OA a-guess", " oa x",
             "BC \x08\x08\x08AC", "BC\x7f\x7fAC"]
)  # fmt: skip
def test_a_line_that_only_looks_sends_nothing_that_may_do_more(said):
    @in_a_loop
    async def look():
        bank = FakeBank()
        line = Line(bank.connect, TOKEN, Trace(bank.clock.clock()), only_looks=True)
        assert await line.say("BC") == "BC 10.1.2.3"
        with pytest.raises(Rejected, match="only looks"):
            await line.say(said)
        assert bank.lines == [f"OA {TOKEN}", "BC"]

    look()


@in_a_loop
async def test_the_token_is_never_written_down():
    bank = FakeBank()
    line, trace = line_to(bank)
    await line.say(f"OA {TOKEN}")
    assert TOKEN not in repr(list(trace.said))


@in_a_loop
async def test_after_a_loss_the_next_line_connects_and_authenticates_again():
    bank = FakeBank()
    line, _ = line_to(bank)
    await line.say("BC")
    bank.lost = True
    with pytest.raises(Lost) as told:
        await line.say("BC")
    assert not told.value.unknown
    bank.lost = False
    assert await line.say("BC") == "BC 10.1.2.3"
    assert bank.connections == 2


@in_a_loop
async def test_a_lost_deposit_is_unknown_and_not_sent_again():
    bank = FakeBank()
    line, _ = line_to(bank)
    await line.say("BC")
    bank.lost = True
    with pytest.raises(Lost) as told:
        await line.say("AD 10001/10.1.2.3 5")
    assert told.value.unknown
    bank.lost = False
    await line.say("BC")
    assert not any(sent.startswith("AD") for sent in bank.lines)


@in_a_loop
async def test_a_cancelled_question_leaves_no_reply_for_the_next_one():
    bank = FakeBank()
    line, _ = line_to(bank)
    await line.say("BC")
    bank.mute = True
    waiting = asyncio.create_task(line.say("BA"))
    while "BA" not in bank.lines:
        await asyncio.wait([waiting], timeout=0.001)
    waiting.cancel()
    await asyncio.wait([waiting])
    bank.mute = False
    assert await line.say("BC") == "BC 10.1.2.3"
    assert bank.connections == 2


@in_a_loop
async def test_a_line_end_inside_a_line_is_refused():
    bank = FakeBank()
    line, _ = line_to(bank)
    with pytest.raises(Rejected):
        await line.say("BC\r\nOX do=stop")
    assert bank.lines == []


def test_an_error_reply_is_told_in_its_own_words():
    assert accepted("AD") == "AD"
    with pytest.raises(Rejected, match="not enough"):
        accepted("ER not enough money")
    with pytest.raises(Rejected, match="without a reason"):
        accepted("er")


def test_a_reconnect_is_quick_at_first_and_never_slow():
    waits = [back_off_s(failures) for failures in range(1, 40)]
    assert waits[0] <= 0.5
    assert waits == sorted(waits)
    assert waits[-1] <= 5


def test_a_stream_is_bounded_and_counts_what_was_missed():
    tail = Tail()
    tail.take((Happening(seq=1),), 1, 99)
    assert tail.lost == 0
    tail.take(tuple(Happening(seq=n) for n in range(5_000)), 5_000, 7)
    assert (len(tail.items), tail.lost, tail.seen) == (2_000, 7, 5_001)


@in_a_loop
async def test_a_lost_node_shows_as_lost_and_comes_back_by_itself():
    bank = FakeBank()
    changed = asyncio.Event()
    hub = Hub(Link(bank.connect, TOKEN, Trace(bank.clock.clock())), bank.clock.clock(),
              lambda topic: changed.set())  # fmt: skip
    hub.pulse_s = 0.01
    running = asyncio.create_task(hub.run())

    async def becomes(state):
        while hub.state != state:
            changed.clear()
            await asyncio.wait_for(changed.wait(), 60)

    try:
        await becomes("serving")
        bank.lost = True
        await becomes("lost")
        assert "reset" in hub.trouble
        assert hub.seen_us
        bank.lost = False
        await becomes("serving")
        assert hub.trouble == ""
    finally:
        running.cancel()
        await asyncio.wait([running])
    await hub.link.close()


@in_a_loop
async def test_a_paused_console_asks_nothing():
    bank = FakeBank()
    hub = Hub(Link(bank.connect, TOKEN, Trace(bank.clock.clock())), bank.clock.clock(),
              lambda topic: None)  # fmt: skip
    hub.pause(True)
    running = asyncio.create_task(hub.run())
    await asyncio.wait([running], timeout=0.05)
    assert bank.lines == []
    running.cancel()
    await asyncio.wait([running])
