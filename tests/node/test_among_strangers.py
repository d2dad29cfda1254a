"""A real node among banks that misbehave: through the proxy, by a survey, in a robbery plan."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import zoo
from support.nodes import WORKER, Running, bank_port, running_node
from support.polling import until

from bank_node.network import proxy
from bank_node.network.client import Answer, Kind

ACCOUNT = 10001
BALANCE = 500
# Enough for all banks of the zoo that answer but one, which needs seconds for a line.
TIMEOUT_S = 2.0
PATIENCE_S = 6.0
SLOWEST = "slowly byte by byte"

# What these do cannot be told from a bank that died in the middle of its work.
SILENT = {"mute", "mute but acts", "hangs up", "resets", "resets mid reply", "long line",
          "endless line"}  # fmt: skip
ABSURD = {"no amount", "float amount", "negative amount", "amount too large", "absurd digits"}

NETWORK = f"127.{100 + WORKER}"
_addresses = (f"{NETWORK}.{a}.{b}" for a, b in itertools.product(range(1, 250), range(1, 250)))


@pytest.fixture
def among(tmp_path: Path) -> Iterator[Callable[..., tuple[Running, dict[str, zoo.Peer]]]]:
    """Opens banks of the zoo, and a node that knows them from its settings."""
    with ExitStack() as stack:

        def open_all(*behaviours: str) -> tuple[Running, dict[str, zoo.Peer]]:
            peers = {
                each: stack.enter_context(
                    zoo.bank(each, host=next(_addresses), accounts={ACCOUNT: BALANCE})
                )
                for each in behaviours
            }
            node = stack.enter_context(
                running_node(
                    tmp_path / "data",
                    network__timeout=PATIENCE_S if SLOWEST in behaviours else TIMEOUT_S,
                    network__peers=[f"{peer.host}:{peer.port}" for peer in peers.values()],
                )
            )
            return node, peers

        yield open_all


def is_verified(node: Running, peer: zoo.Peer) -> bool:
    return node.directory.verified(peer.host) is not None


@pytest.mark.parametrize("behaviour", sorted(set(zoo.BEHAVIOURS) - {"bans"}))
def test_a_deposit_elsewhere_is_sent_once_and_its_reply_is_true(among, behaviour):
    node, peers = among(behaviour)
    peer = peers[behaviour]
    with node.wire() as wire:
        reply = wire.ask(f"AD {ACCOUNT}/{peer.host} 7")
    booked = peer.accounts[ACCOUNT] - BALANCE
    assert peer.count("AD") <= 1
    if reply == "AD":
        assert booked == 7
    else:
        assert reply.startswith("ER ")
        assert booked == 0 or "the outcome is unknown" in reply
    assert (reply == "AD") is (behaviour not in SILENT), reply


@pytest.mark.parametrize("behaviour", sorted(set(zoo.BEHAVIOURS) - SILENT - {"bans"}))
def test_a_balance_elsewhere_comes_back_as_one_clean_line(among, behaviour):
    node, peers = among(behaviour)
    peer = peers[behaviour]
    with node.wire() as wire:
        assert wire.ask(f"AB {ACCOUNT}/{peer.host}") == f"AB {BALANCE}"
        refusal = wire.ask(f"AB 99999/{peer.host}")
    assert refusal.startswith("ER ")
    assert refusal.isprintable()


def test_a_plan_counts_the_banks_that_can_be_counted_on_and_no_others(among):
    sane = sorted(set(zoo.BEHAVIOURS) - SILENT - ABSURD - {"bans"})
    node, peers = among(*zoo.BEHAVIOURS)
    for behaviour in sane:
        until(lambda b=behaviour: is_verified(node, peers[b]), behaviour)
    total = BALANCE * len(sane)
    with node.wire() as wire:
        told = wire.ask(f"RP {total}")
    assert told.startswith(f"RP To reach {total} the banks ")
    assert f"only {len(sane)} clients are harmed; {total} is taken." in told
    left_out = dict(node.survey().left_out)
    for behaviour in ABSURD:
        assert peers[behaviour].host not in told
        assert peers[behaviour].host in left_out


def test_a_bank_that_bans_is_not_asked_until_it_does(among):
    """Three RPs in a row ask each bank once, and share the answer."""
    node, peers = among("orderly")
    peer = peers["orderly"]
    until(lambda: is_verified(node, peer), "the bank is known")
    with node.wire() as wire:
        for _ in range(3):
            assert wire.ask(f"RP {BALANCE}").startswith("RP ")
    assert peer.count("BA") == peer.count("BN") == 1


def test_callers_of_a_bank_that_hangs_cost_nobody_else_anything(among):
    node, peers = among("mute")
    host = peers["mute"].host
    replies: list[str] = []

    def call() -> None:
        with node.wire() as wire:
            replies.append(wire.ask(f"AD {ACCOUNT}/{host} 1"))

    callers = [threading.Thread(target=call) for _ in range(200)]
    for caller in callers:
        caller.start()
    with node.wire() as wire:
        number = wire.ask("AC").removeprefix("AC ")
        for _ in range(200):
            assert wire.ask(f"AD {number} 1") == "AD"
        assert wire.ask(f"AB {number}") == "AB 200"
    for caller in callers:
        caller.join()
    assert len(replies) == 200
    assert all(reply.startswith("ER ") for reply in replies)
    assert peers["mute"].count("AD") <= 200


def test_an_unknown_address_is_looked_for_on_the_ports_of_banks(tmp_path):
    host = next(_addresses)
    with (
        zoo.bank("orderly", host=host, port=bank_port(host), accounts={ACCOUNT: BALANCE}) as peer,
        running_node(tmp_path / "data", network__subnets=[f"{NETWORK}.0.0/16"]) as node,
    ):
        with node.wire() as wire:
            assert wire.ask(f"AB {ACCOUNT}/{host}") == f"AB {BALANCE}"
            nobody = next(_addresses)
            assert wire.ask(f"AB {ACCOUNT}/{nobody}") == f"ER No bank answers at {nobody}."
        assert peer.count("AB") == 1


def test_what_one_client_asks_of_a_stranger_arrives_in_its_order(among):
    node, peers = among("orderly")
    peer = peers["orderly"]
    asked = [f"AD {ACCOUNT}/{peer.host} {n}" for n in range(1, 21)]
    with node.wire() as wire:
        wire.send("".join(f"{line}\r\n" for line in asked).encode())
        assert wire.lines(20) == ["AD"] * 20
    assert [line for line in peer.received if line.startswith("AD")] == asked


def test_a_defect_while_a_deposit_is_away_leaves_its_outcome_unknown(among, monkeypatch):
    node, peers = among("orderly")
    peer = peers["orderly"]
    until(lambda: is_verified(node, peer), "the bank is known")

    async def lose(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(proxy, "ask", lose)
    with node.wire() as wire:
        told = wire.ask(f"AD {ACCOUNT}/{peer.host} 7")
        assert told.startswith("ER ")
        assert "the outcome is unknown" in told
        assert wire.ask("BC") == f"BC {node.bank}"


def test_only_so_many_wait_for_one_bank_and_the_others_are_told_at_once(among, monkeypatch):
    node, peers = among("orderly")
    peer = peers["orderly"]
    until(lambda: is_verified(node, peer), "the bank is known")
    answers, queues, new_queue = threading.Event(), [], proxy.Queue

    async def hesitate(*_arguments: object, **_options: object) -> Answer:
        await asyncio.to_thread(answers.wait, 60)
        return Answer(Kind.DONE, f"AB {BALANCE}")

    def watched() -> proxy.Queue:
        queues.append(new_queue())
        return queues[-1]

    monkeypatch.setattr(proxy, "ask", hesitate)
    monkeypatch.setattr(proxy, "Queue", watched)
    monkeypatch.setattr(proxy, "_WAITING_MAX", 6)
    line = f"AB {ACCOUNT}/{peer.host}"
    with ExitStack() as clients:
        wires = [clients.enter_context(node.wire()) for _ in range(7)]
        for wire in wires[:6]:
            wire.send(f"{line}\r\n".encode())
        until(lambda: queues and queues[0].waiting == 6, "six wait")
        assert "Too many requests wait" in wires[6].ask(line)
        answers.set()
        assert {wire.line() for wire in wires[:6]} == {f"AB {BALANCE}"}
