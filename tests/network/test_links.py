"""Links: many requests on one connection, each told its own outcome exactly once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from support import zoo
from support.nodes import Running, some_host
from support.wire import open_account

from bank_node.network.client import Endpoint, Kind
from bank_node.network.links import BUSY, Link, LinkLimits, Links

LIMITS = LinkLimits(connect_s=5, reply_s=5)
NAME = "10.1.2.3:65525"
AB, AD = b"AB 10001/10.1.2.3", b"AD 10001/10.1.2.3 5"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.packets.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


class Outcomes:
    """What requests were told, in order."""

    def __init__(self) -> None:
        self.told: list[bytes | Kind] = []

    def __call__(self, reply: bytes | None, answer: object) -> None:
        assert (reply is None) != (answer is None)
        self.told.append(reply if reply is not None else answer.kind)


def on_a_link(
    use: Callable[[Link, Wire, Outcomes], Awaitable[None]], limits: LinkLimits = LIMITS
) -> list[bytes | Kind]:
    """Runs a scene on a link that is connected, and returns what the requests were told."""
    told = Outcomes()

    async def run() -> None:
        link, wire = Link(NAME, limits, asyncio.get_running_loop()), Wire()
        link.connection_made(wire)
        await use(link, wire, told)

    asyncio.run(run())
    return told.told


async def a_round() -> None:
    """Everything that was to be called soon has been called."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_soon(over.set_result, None)
    await over


def test_requests_of_one_round_leave_in_one_packet_and_are_answered_in_order():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        for line, writes in ((AD, True), (AB, False), (AD, True)):
            link.submit(line, writes, told)
        await a_round()
        link.submit(AB, False, told)
        await a_round()
        assert wire.packets == [AD + b"\r\n" + AB + b"\r\n" + AD + b"\r\n", AB + b"\r\n"]
        for piece in (b"A", b"D\r", b"\nAB 5\r\nER no", b" money\r\nAB 6\r\n"):
            link.data_received(piece)
        assert (link.in_flight, link.open) == (0, True)

    assert on_a_link(scene) == [b"AD\r\n", b"AB 5\r\n", b"ER no money\r\n", b"AB 6\r\n"]


def test_a_lost_link_leaves_sent_writes_unknown_and_everything_else_unreachable():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        link.submit(AD, True, told)
        link.submit(AB, False, told)
        await a_round()
        link.submit(AD, True, told)
        link.connection_lost(ConnectionResetError(104, "x"))
        assert not link.open
        link.submit(AB, False, told)
        assert len(wire.packets) == 1

    assert on_a_link(scene) == [Kind.UNKNOWN] + [Kind.UNREACHABLE] * 3


def test_what_waits_while_the_bank_does_not_read_was_not_sent():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        link.pause_writing()
        link.submit(AD, True, told)
        await a_round()
        assert wire.packets == []
        link.resume_writing()
        assert wire.packets == [AD + b"\r\n"]
        link.pause_writing()
        link.submit(AD, True, told)
        await a_round()
        link.connection_lost(None)

    assert on_a_link(scene) == [Kind.UNKNOWN, Kind.UNREACHABLE]


@pytest.mark.parametrize(
    "data",
    [
        b"Welcome\r\n",
        b"AB 5\r\n",
        b"AD done\r\n",
        b"ad\r\n",
        b"AD\n",
        b"AD\rAB 5\r\n",
        b"\r\n",
        b"AD\r\nAB 5\r\nAB 5\r\n",
        b"x" * 70_000,
    ],
)
def test_a_link_ends_at_anything_but_the_replies_that_are_due(data):
    """After one reply too many each later one would answer a wrong request."""

    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        link.submit(AD, True, told)
        link.submit(AB, False, told)
        await a_round()
        link.data_received(data)
        assert (link.open, wire.aborted, link.in_flight) == (False, True, 0)

    assert on_a_link(scene) == [Kind.UNKNOWN, Kind.UNREACHABLE]


def test_a_bank_that_speaks_before_it_is_asked_is_left():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        link.submit(AD, True, told)
        link.data_received(b"AD\r\n")
        await a_round()
        assert wire.packets == []

    assert on_a_link(scene) == [Kind.UNREACHABLE]


def test_a_reply_is_cleaned_before_anybody_sees_it():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        for _ in range(3):
            link.submit(AB, False, told)
        await a_round()
        link.data_received(b"ER \x1b[2J\x07\r\nER \xff\r\n" + "ER účet\r\n".encode())

    assert on_a_link(scene) == [
        b"ER ?[2J?\r\n", "ER \ufffd\r\n".encode(), "ER účet\r\n".encode()
    ]  # fmt: skip


def test_what_is_over_the_limit_in_flight_is_told_so_at_once():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        for _ in range(4):
            link.submit(AD, True, told)
        assert told.told == [Kind.UNREACHABLE]
        await a_round()
        link.data_received(b"AD\r\n" * 3)
        link.submit(AB, False, told)

    told = on_a_link(scene, LIMITS._replace(in_flight_max=3))
    assert told == [BUSY.kind] + [b"AD\r\n"] * 3


def test_a_link_whose_oldest_request_is_late_is_closed():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        now = asyncio.get_running_loop().time()
        link.submit(AD, True, told)
        await a_round()
        link.sweep(now + 4.9)
        assert link.open
        link.sweep(now + 5.5)
        assert not link.open
        assert wire.aborted

    assert on_a_link(scene) == [Kind.UNKNOWN]


def test_a_link_that_carries_nothing_is_closed_after_its_idle_time():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        now = asyncio.get_running_loop().time()
        link.sweep(now + 59)
        assert link.open
        link.sweep(now + 61)
        assert not link.open

    assert on_a_link(scene) == []


def test_a_listener_that_fails_costs_nobody_else_anything(caplog):
    def fails(reply: object, answer: object) -> None:
        raise RuntimeError("a defect")

    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        link.submit(AB, False, fails)
        link.submit(AB, False, told)
        await a_round()
        link.data_received(b"AB 1\r\nAB 2\r\n")

    assert on_a_link(scene) == [b"AB 2\r\n"]
    assert "could not be told" in caplog.text


def test_a_listener_may_end_the_link_in_the_middle_of_a_packet():
    async def scene(link: Link, wire: Wire, told: Outcomes) -> None:
        def ends(reply: object, answer: object) -> None:
            link.end("enough")

        link.submit(AB, False, ends)
        link.submit(AD, True, told)
        await a_round()
        link.data_received(b"AB 1\r\nAD\r\n")

    assert on_a_link(scene) == [Kind.UNKNOWN]


def greeted(replies: list[bytes]) -> tuple[list[bytes], list[bytes | Kind]]:
    """What leaves on a link that says hello and hears these packets, and what a deposit is told."""
    wire, told = Wire(), Outcomes()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        link = Link(NAME, LIMITS, loop, hello=b"LI 10.1.2.4")
        link.submit(AD, True, told)
        await a_round()
        link.connection_made(wire)
        for reply in replies:
            link.data_received(reply)
            await a_round()

    asyncio.run(run())
    return wire.packets, told.told


def test_requests_leave_when_the_hello_is_answered():
    packets, told = greeted([b"L", b"I\r\n", b"AD\r\n"])
    assert packets == [b"LI 10.1.2.4\r\n", AD + b"\r\n"]
    assert told == [b"AD\r\n"]


@pytest.mark.parametrize("reply", [b"ER Unknown command.\r\n", b"LI\n", b"LI\r\nAD\r\n", b"Hi"])
def test_a_stranger_does_not_know_the_hello_and_gets_no_deposit(reply):
    assert greeted([reply]) == ([b"LI 10.1.2.4\r\n"], [Kind.UNREACHABLE])


def with_links(
    use: Callable[[Links], Awaitable[None]], limits: LinkLimits = LIMITS, **how: object
) -> None:
    async def run() -> None:
        links = Links(limits, asyncio.get_running_loop(), **how)
        try:
            await use(links)
        finally:
            links.close()

    asyncio.run(run())


async def outcome(links: Links, at: Endpoint, line: bytes, writes: bool = False) -> object:
    told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    links.submit(at, line, writes, lambda reply, answer: told.set_result(reply or answer))
    return await asyncio.wait_for(told, 60)


def test_a_thousand_deposits_over_one_link_reach_our_own_node_in_order(node: Running):
    with node.wire() as wire:
        account = open_account(wire).encode()
        before = node.connections
        at = Endpoint(*node.address)

        async def scene(links: Links) -> None:
            lines = [(b"AD " + account + b" 1", True), (b"AB " + account, False)] * 1000
            replies = await asyncio.gather(*(outcome(links, at, *line) for line in lines))
            expected = [r for n in range(1, 1001) for r in (b"AD\r\n", f"AB {n}\r\n".encode())]
            assert replies == expected
            assert node.connections == before + 1

        with_links(scene, hello=f"LI {node.bank}".encode())


def test_a_bank_that_nobody_serves_is_unreachable_and_asked_anew_next_time():
    dials: list[tuple[str, int]] = []

    async def refuse(factory: object, host: str, port: int) -> None:
        dials.append((host, port))
        raise ConnectionRefusedError(111, "x")

    async def scene(links: Links) -> None:
        at = Endpoint("10.1.2.3", 65525)
        both = await asyncio.gather(outcome(links, at, AD, True), outcome(links, at, AB))
        assert [answer.kind for answer in both] == [Kind.UNREACHABLE] * 2
        assert both[0].text == f"{NAME} cannot be reached: Connection refused"
        assert len(dials) == 1
        assert (await outcome(links, at, AB)).kind is Kind.UNREACHABLE
        assert dials == [("10.1.2.3", 65525)] * 2

    with_links(scene, connect=refuse)


def test_a_bank_that_cannot_be_connected_in_time_is_unreachable():
    async def never(factory: object, host: str, port: int) -> None:
        await asyncio.Event().wait()

    async def scene(links: Links) -> None:
        answer = await outcome(links, Endpoint("10.1.2.3", 65525), AD, True)
        assert answer.kind is Kind.UNREACHABLE

    with_links(scene, LIMITS._replace(connect_s=0.05), connect=never)


def test_a_mute_bank_costs_the_time_out_and_leaves_a_deposit_unknown():
    with zoo.bank("mute", host=some_host()) as peer:

        async def scene(links: Links) -> None:
            at = Endpoint(*peer.address)
            both = await asyncio.gather(outcome(links, at, AD, True), outcome(links, at, AB))
            assert [answer.kind for answer in both] == [Kind.UNKNOWN, Kind.UNREACHABLE]

        with_links(scene, LIMITS._replace(reply_s=0.3))
        assert peer.received == [AD.decode(), AB.decode()]
        assert len(peer.packets) == 1


@pytest.mark.parametrize(
    "behaviour", ["resets", "hangs up", "greets", "ends LF", "resets mid reply"]
)
def test_a_stranger_at_the_end_of_a_link_gets_a_deposit_once(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:

        async def scene(links: Links) -> None:
            answer = await outcome(links, Endpoint(*peer.address), AD, True)
            assert answer.kind in (Kind.UNKNOWN, Kind.UNREACHABLE)

        with_links(scene)
        assert peer.count("AD") <= 1


def test_a_link_that_idles_is_closed_and_a_later_request_makes_a_new_one():
    with zoo.bank(host=some_host()) as peer:

        async def scene(links: Links) -> None:
            at = Endpoint(*peer.address)
            line = f"AB 10001/{peer.host}".encode()
            assert await outcome(links, at, line) == b"AB 500\r\n"
            async with asyncio.timeout(10):
                while links.is_linked(at):
                    await a_round()
            assert await outcome(links, at, line) == b"AB 500\r\n"
            assert peer.connections == 2

        with_links(scene, LIMITS._replace(idle_s=0.1))


def test_links_that_are_closed_tell_everybody_and_dial_no_more():
    with zoo.bank("mute", host=some_host()) as peer:

        async def scene(links: Links) -> None:
            at = Endpoint(*peer.address)
            waits = asyncio.ensure_future(outcome(links, at, AD, True))
            async with asyncio.timeout(10):
                while not peer.received:
                    await a_round()
            links.close()
            assert (await waits).kind is Kind.UNKNOWN
            assert (await outcome(links, at, AD, True)).kind is Kind.UNREACHABLE

        with_links(scene)
        assert (peer.connections, peer.count("AD")) == (1, 1)
