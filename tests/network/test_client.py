"""Every misbehaving bank of the zoo, asked over a short connection and over a kept one."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from support import zoo
from support.nodes import Running, some_host

from bank_node.network.client import (
    Answer,
    AsyncClient,
    Client,
    Deadlines,
    Endpoint,
    Kind,
    Unreachable,
    ask,
)
from bank_node.network.replies import ABSURD_NUMBER, GREETS, OTHER_ADDRESS

PATIENT = Deadlines(5, 5, 5, 0.1)
HASTY = Deadlines(0.5, 0.3, 0.5, 0.1)


def asked(
    peer: zoo.Peer, line: str, deadlines: Deadlines = PATIENT, greets: bool | None = None
) -> Answer:
    return asyncio.run(ask(Endpoint(*peer.address), line, deadlines, greets=greets))


def said(peer: zoo.Peer, *lines: str, timeout_s: float = 5.0) -> list[str]:
    """The replies that the blocking client gets, one after the other."""
    with Client(*peer.address, timeout_s) as client:
        return [client.call(line) for line in lines]


def kept(
    peer: zoo.Peer, use: Callable[[AsyncClient], Coroutine[Any, Any, object]], **how: Any
) -> Any:
    """What a coroutine makes of a kept connection."""

    async def run() -> object:
        client = AsyncClient(Endpoint(*peer.address), how.pop("deadlines", PATIENT), **how)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(run())


HARMLESS = {
    "orderly": set(),
    "ends LF": {r"ends \n"},
    "ends LF CR": {r"ends \n\r"},
    "ends CR CR LF": {r"ends \r\r\n"},
    "no end, stays open": {"no line end"},
    "no end, closes": {"no line end"},
    "greets": {GREETS},
    "greets with three lines": {GREETS},
    "greets with an empty line": set(),
    "byte order mark": {"byte order mark"},
    "pads": {"padded"},
    "no address in AC": set(),
    "client's address": set(),
    "wrong address": set(),
    "ERR": set(),
    "ERROR": set(),
    "bare errors": set(),
    "code before errors": set(),
    "byte by byte": set(),
    "four threads": set(),
    "closes after each reply": set(),
    "slow first byte": set(),
    "escapes": {GREETS},
}


@pytest.mark.parametrize("behaviour", HARMLESS)
def test_a_bank_with_a_harmless_habit_is_understood(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        account = f"10001/{peer.host}"
        # The greeting may come in one packet with the reply or before it; both are the same.
        answers = [asked(peer, line) for line in (f"aw  {account} 200 ", f"AB {account}", "BA")]
        assert [(a.kind, a.text) for a in answers] == [
            (Kind.DONE, "AW"), (Kind.DONE, "AB 300"), (Kind.DONE, "BA 300")
        ]  # fmt: skip
        assert HARMLESS[behaviour] <= answers[1].oddities
        assert peer.packets == [
            f"AW {account} 200\r\n".encode(), f"AB {account}\r\n".encode(), b"BA\r\n"
        ]  # fmt: skip
        assert peer.connections == 3


@pytest.mark.parametrize("behaviour", HARMLESS)
def test_a_kept_connection_understands_it_command_after_command(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        account = f"10001/{peer.host}"
        lines = (f"AD {account} 5", f"AB {account}", "BN", f"AB {account}")
        assert said(peer, *lines) == ["AD", "AB 505", "BN 1", "AB 505"]
        assert peer.received == list(lines)
        assert len(peer.packets) == 4


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("ERR", "ER Account does not exist"),
        ("ERROR", "ER Account does not exist"),
        ("bare errors", "ER Account does not exist"),
        ("code before errors", "ER Account does not exists"),
        ("escapes", "ER ?[2J?]0;owned?[bold red]No[/] such??? account"),
    ],
)
@pytest.mark.parametrize("code", ["AB", "AR", "AW"])
def test_an_error_is_one_clean_line_however_it_is_told(behaviour, text, code):
    with zoo.bank(behaviour, host=some_host()) as peer:
        line = f"{code} 77777/{peer.host}" + " 5" * (code == "AW")
        answer = asked(peer, line, Deadlines(5, 5, 0.8, 0.1))
        if (behaviour, code) == ("code before errors", "AB"):
            # Only where a number is due is it plain that these words are none.
            text = "ER unexpected reply: AB Account does not exists"
        assert (answer.kind, answer.text) == (Kind.REFUSED, text)


def test_bare_words_refuse_a_deposit_at_once_where_the_bank_is_known_not_to_greet():
    with zoo.bank("bare errors", host=some_host()) as peer:
        line = f"AD 77777/{peer.host} 5"
        began = asyncio.run(_timed(peer, line, greets=False))
        assert began < 2


async def _timed(peer: zoo.Peer, line: str, *, greets: bool | None) -> float:
    time = asyncio.get_running_loop().time
    began = time()
    answer = await ask(Endpoint(*peer.address), line, PATIENT, greets=greets)
    assert answer.kind is Kind.REFUSED
    return time() - began


@pytest.mark.parametrize("behaviour", ["client's address", "wrong address"])
def test_a_bank_that_names_another_address_is_marked(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        answer = asked(peer, "BC")
        assert answer.kind is Kind.DONE
        assert answer.oddities == {OTHER_ADDRESS}


def test_an_account_without_an_address_is_opened():
    with zoo.bank("no address in AC", host=some_host()) as peer:
        assert asked(peer, "AC") == (Kind.DONE, "AC 10000", {"no address"})


@pytest.mark.parametrize(
    "behaviour",
    ["no amount", "float amount", "negative amount", "amount too large", "absurd digits"],
)
def test_an_absurd_amount_is_refused_and_marked(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        answer = asked(peer, "BA")
        assert answer.kind is Kind.REFUSED
        assert ABSURD_NUMBER in answer.oddities
        assert asked(peer, "BN").text == "BN 1"


SILENT = ["mute", "mute but acts", "hangs up", "resets", "resets mid reply"]


@pytest.mark.parametrize("behaviour", SILENT)
def test_a_deposit_without_a_reply_is_unknown_and_sent_exactly_once(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        answer = asked(peer, f"AD 10001/{peer.host} 5", HASTY)
        assert answer.kind is Kind.UNKNOWN
        assert f"{peer.host}:{peer.port}" in answer.text
        assert not answer.text.startswith("ER")
        assert peer.received == [f"AD 10001/{peer.host} 5"]


@pytest.mark.parametrize("behaviour", SILENT)
def test_a_read_without_a_reply_is_unreachable(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        assert asked(peer, f"AB 10001/{peer.host}", HASTY).kind is Kind.UNREACHABLE
        assert len(peer.received) == 1


@pytest.mark.parametrize("behaviour", SILENT)
def test_a_kept_connection_says_the_same_of_a_silent_bank(behaviour):
    async def use(client: AsyncClient) -> list[Kind]:
        return [(await client.call(line)).kind for line in ("AD 10001/1.2.3.4 5", "BN")]

    with zoo.bank(behaviour, host=some_host()) as peer:
        assert kept(peer, use, deadlines=HASTY) == [Kind.UNKNOWN, Kind.UNREACHABLE]
        assert peer.count("AD") == 1
        with pytest.raises(Unreachable):
            said(peer, "AW 10001/1.2.3.4 5", timeout_s=0.3)
        assert peer.count("AW") == 1


def test_a_bank_that_greets_and_is_mute_has_not_refused_a_deposit():
    with zoo.bank("greets", host=some_host(), answers=False) as peer:
        line = f"AD 10001/{peer.host} 5"
        assert asked(peer, line, HASTY, greets=True).kind is Kind.UNKNOWN
        assert peer.count("AD") == 1


@pytest.mark.parametrize("behaviour", ["greets", "greets with three lines"])
def test_a_greeting_is_not_the_reply_to_a_deposit_that_takes_long(behaviour):
    with zoo.bank(behaviour, host=some_host(), first_byte_s=0.4) as peer:
        assert asked(peer, f"AD 10001/{peer.host} 5").text == "AD"


@pytest.mark.parametrize("behaviour", ["long line", "endless line"])
def test_a_reply_without_an_end_is_given_up(behaviour):
    with zoo.bank(behaviour, host=some_host()) as peer:
        deposit, balance = f"AD 10001/{peer.host} 5", f"AB 10001/{peer.host}"
        assert asked(peer, deposit).kind is Kind.UNKNOWN
        assert asked(peer, balance).kind is Kind.REFUSED
        with pytest.raises(Unreachable):
            said(peer, balance)


def test_a_long_reply_is_taken_whole_where_the_bound_allows_it():
    async def use(client: AsyncClient) -> Answer:
        return await client.call("VE")

    with zoo.bank("long line", host=some_host(), error="VE {}", padding=4_000_000) as peer:
        answer = kept(peer, use, reply_bytes_max=5_000_000)
        assert (answer.kind, len(answer.text) > 4_000_000) == (Kind.DONE, True)


def test_a_slow_typist_is_waited_for():
    with zoo.bank("slowly byte by byte", host=some_host()) as peer:
        deadlines = Deadlines(5, 5, 5, 0.4)
        assert asked(peer, f"AB 10001/{peer.host}", deadlines).text == "AB 500"


def test_a_slow_typist_is_not_waited_for_beyond_the_time():
    with zoo.bank("slowly byte by byte", host=some_host()) as peer:
        deadlines = Deadlines(5, 5, 0.5, 0.4)
        assert asked(peer, f"AB 10001/{peer.host}", deadlines).kind is Kind.UNREACHABLE


def test_a_bank_that_bans_is_unreachable_for_reads_and_keeps_no_secret_of_it():
    with zoo.bank("bans", host=some_host()) as peer:
        answers = [asked(peer, "BN") for _ in range(5)]
        assert [a.kind for a in answers] == [Kind.DONE] * 3 + [Kind.UNREACHABLE] * 2
        assert len(peer.received) == 3


def test_a_bank_whose_threads_are_all_held_by_others_is_given_up_in_time():
    with zoo.bank("four threads", host=some_host()) as peer:
        idle = [socket.create_connection(peer.address) for _ in range(4)]
        for connection in idle:
            connection.sendall(b"BC\r\n")
            connection.recv(100)
        assert asked(peer, "BN", HASTY).kind is Kind.UNREACHABLE
        for connection in idle:
            connection.close()
        assert asked(peer, "BN").text == "BN 1"


def test_short_connections_hold_no_thread_of_a_small_bank():
    with zoo.bank("four threads", host=some_host()) as peer:
        assert [asked(peer, "BN").text for _ in range(12)] == ["BN 1"] * 12


def test_nobody_there_is_unreachable_and_says_where():
    with socket.create_server((some_host(), 0)) as server:
        host, port = server.getsockname()
    answer = asyncio.run(ask(Endpoint(host, port), "AD 10001/1.2.3.4 5", PATIENT))
    assert answer.kind is Kind.UNREACHABLE
    assert answer.text == f"{host}:{port} cannot be reached: Connection refused"


def test_a_connection_that_takes_too_long_is_given_up():
    async def never(host: str, port: int) -> Any:
        await asyncio.Event().wait()

    answer = asyncio.run(ask(Endpoint("10.1.2.3", 65525), "AD 10001/10.1.2.3 5", HASTY, never))
    assert answer == (
        Kind.UNREACHABLE, "10.1.2.3:65525 cannot be reached: it took too long", frozenset()
    )  # fmt: skip


def test_a_line_break_in_an_argument_does_not_make_a_second_command():
    with zoo.bank(host=some_host()) as peer:
        asked(peer, f"AB 10001/{peer.host}\r\nAD 10001/{peer.host} 5")
        assert len(peer.received) == 1
        assert peer.accounts == {10_001: 500}


def test_a_kept_connection_that_the_bank_closed_is_made_anew():
    async def use(client: AsyncClient) -> list[str]:
        return [(await client.call("BN")).text for _ in range(3)]

    with zoo.bank("closes after each reply", host=some_host()) as peer:
        assert kept(peer, use) == ["BN 1"] * 3
        assert peer.connections == 3


def test_a_deposit_is_not_sent_into_a_connection_that_the_bank_is_closing():
    with zoo.bank("closes after each reply", host=some_host()) as peer:
        deposit = f"AD 10001/{peer.host} 5"
        assert said(peer, "BN", deposit, deposit, "BA") == ["BN 1", "AD", "AD", "BA 510"]
        assert peer.count("AD") == 2


def test_a_kept_connection_that_is_reset_is_asked_anew_only_for_a_read():
    async def use(client: AsyncClient) -> list[Kind]:
        kinds = []
        for line in ("BN", "BA", "BN", "AD 10001/1.2.3.4 5"):
            kinds.append((await client.call(line)).kind)
            if line == "BN":
                peer.behaviour = replace(peer.behaviour, resets_once=True)
        return kinds

    with zoo.bank(host=some_host()) as peer:
        assert kept(peer, use) == [Kind.DONE, Kind.DONE, Kind.DONE, Kind.UNKNOWN]
        assert (peer.count("BA"), peer.count("AD")) == (2, 1)


def test_a_kept_connection_is_made_anew_only_when_told_so():
    async def use(client: AsyncClient) -> list[Kind]:
        kinds = [(await client.call("BN")).kind for _ in range(2)]
        assert not client.is_open
        await client.open()
        assert client.is_open
        return [*kinds, (await client.call("BN")).kind]

    with zoo.bank("closes after each reply", host=some_host()) as peer:
        kinds = kept(peer, use, reconnects=False)
        assert kinds == [Kind.DONE, Kind.UNREACHABLE, Kind.DONE]


def test_calls_over_a_kept_connection_wait_for_each_other():
    async def use(client: AsyncClient) -> list[str]:
        answers = await asyncio.gather(*(client.call(c) for c in ("BC", "BN", "BA")))
        return [answer.text.split()[0] for answer in answers]

    with zoo.bank("slow first byte", host=some_host(), first_byte_s=0.05) as peer:
        assert kept(peer, use) == ["BC", "BN", "BA"]
        assert (peer.connections, len(peer.packets)) == (1, 3)


def test_a_call_that_is_cancelled_leaves_no_reply_for_the_next():
    async def use(client: AsyncClient) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.call("BN")
        return (await client.call("BA")).text

    with zoo.bank("slow first byte", host=some_host()) as peer:
        assert kept(peer, use) == "BA 500"


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses the key as a program meets it that a person has started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_the_moment_in_which_a_call_fails_is_all_that_is_heard(
    monkeypatch, caplog, ctrl_c
):
    async def fails(_client: AsyncClient, _line: str) -> str:
        asyncio.get_running_loop().call_soon(ctrl_c)
        raise Unreachable("nobody is there any more")

    with zoo.bank(host=some_host()) as peer, Client(*peer.address, 5) as client:
        monkeypatch.setattr(AsyncClient, "say", fails)
        with pytest.raises(KeyboardInterrupt):
            client.call("BN")
    gc.collect()
    assert caplog.messages == []


def test_a_wait_that_ctrl_c_ends_leaves_no_reply_for_the_next(ctrl_c):
    with zoo.bank("slow first byte", host=some_host()) as peer, Client(*peer.address, 5) as client:
        client.call("BC")
        client._runner.get_loop().call_later(0.05, ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            client.call("BN")
        assert client.call("BA") == "BA 500"


def test_a_line_that_is_no_command_shows_what_the_bank_says():
    with zoo.bank("bare errors", host=some_host()) as peer:
        assert said(peer, "hello there", "BC") == ["Account does not exist", f"BC {peer.host}"]
        assert peer.received == ["hello there", "BC"]


def test_a_node_of_our_own_is_understood(node: Running):
    with Client(*node.address, 5) as client:
        account = client.call("AC").split()[1]
        assert client.call(f"AD {account} 500") == "AD"
        assert client.call("nonsense").startswith("ER ")
    answer = asyncio.run(ask(Endpoint(*node.address), f"AB {account}", PATIENT))
    assert answer == (Kind.DONE, "AB 500", frozenset())
