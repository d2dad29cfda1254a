"""Several real nodes on loopback: they find each other, carry requests, and survive each other."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from support.nodes import Running, bank_port, open_network, running_node, some_host
from support.polling import until
from support.processes import Served

PATIENCE_S = 20.0


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Callable[[int], list[Running]]]:
    """Opens nodes that may dial each other and nobody else."""
    with ExitStack() as stack:
        yield partial(open_network, stack, tmp_path)


def open_account(node: Running, amount: int = 0) -> str:
    with node.wire() as wire:
        account = wire.ask("AC").removeprefix("AC ")
        assert wire.ask(f"AD {account} {amount}") == "AD"
    return account


def test_money_arrives_at_the_bank_that_owns_the_account_and_nowhere_else(network):
    first, last = network(2)
    account = open_account(last, 500)
    with first.wire() as wire:
        assert wire.ask(f"AD {account} 250") == "AD"
        assert wire.ask(f"AW {account} 50") == "AW"
        assert wire.ask(f"AB {account}") == "AB 700"
        assert wire.ask(f"AW {account} 701") == "ER There is not enough money in the account."
        assert wire.ask("BA") == "BA 0"
    with last.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 700"


def test_pipelined_requests_through_another_bank_are_answered_in_order(network):
    first, last = network(2)
    account = open_account(last)
    lines = [line for n in range(1, 301) for line in (f"AD {account} {n}", f"AB {account}")]
    with first.wire() as wire:
        wire.send("".join(f"{line}\r\n" for line in lines).encode())
        replies = wire.lines(len(lines))
    assert replies[::2] == ["AD"] * 300
    assert replies[1::2] == [f"AB {n * (n + 1) // 2}" for n in range(1, 301)]


def test_our_own_kind_is_recognised_and_asked_over_one_kept_connection(network):
    first, last = network(2)
    account = open_account(last)
    with first.wire() as wire:
        assert wire.ask(f"AB {account}") == "AB 0"
        until(lambda: first.directory.verified(last.bank).capabilities, "it said what it is")
        before = last.figures()["connections_accepted"]
        for _ in range(50):
            assert wire.ask(f"AD {account} 1") == "AD"
    # On a slow machine the bank may be verified meanwhile, over connections of their own.
    assert last.figures()["connections_accepted"] - before <= 5


def test_a_robbery_counts_every_bank_of_the_network_once(network):
    nodes = network(4)
    for clients, node in enumerate(nodes, start=1):
        for _ in range(clients):
            open_account(node, 100)
    first = nodes[0]
    for node in nodes[1:]:
        with first.wire() as wire:
            assert wire.ask(f"AB 10001/{node.bank}").startswith("ER There is no such account.")
    with first.wire() as wire:
        plan = wire.ask("RP 300")
        assert plan.endswith("and only 3 clients are harmed; 300 is taken.")
        assert wire.ask("RP 1001") == "ER The whole network holds only 1000, banks counted: 4."


def test_a_scan_finds_all_and_a_restarted_node_asks_those_it_remembers(network, tmp_path):
    first, *others = network(4)
    with first.wire():
        assert first.node.banks.neighbourhood.scan(PATIENCE_S).found == 4
    assert {peer.code for peer in first.directory.banks()} == {node.bank for node in others}
    folder = first.node.settings.data
    first.node.stop()
    remembered = json.loads((Path(folder) / "peers.json").read_text())
    assert {row["code"] for row in remembered["peers"]} == {node.bank for node in others}


def test_a_dead_bank_is_noticed_and_a_revived_one_found_again_without_a_scan(tmp_path):
    host, other = some_host(), some_host()
    port = bank_port(other)
    around = {"BANK_NETWORK_SUBNETS": json.dumps([f"{other}/32"]), "BANK_NETWORK_SCAN_EVERY": "0"}
    with Served(tmp_path / "a", host, **around) as asked:
        with Served(tmp_path / "b", other, port=port) as bank:
            account = bank.ask("AC").removeprefix("AC ")
            assert asked.ask(f"AD {account} 5") == "AD"
            bank.kill()
        reply = asked.ask(f"AD {account} 5")
        assert reply.startswith("ER ")
        until(
            lambda: asked.ask(f"AB {account}") == f"ER No bank answers at {other}.",
            "the dead bank is noticed",
            PATIENCE_S,
        )
        with Served(tmp_path / "b", other, port=port) as bank:
            until(
                lambda: asked.ask(f"AB {account}").startswith("AB "),
                "the bank that came back is found",
                PATIENCE_S,
            )
            assert bank.ask(f"AB {account}") in ("AB 5", "AB 10")
            if "nothing was booked" in reply:
                assert bank.ask(f"AB {account}") == "AB 5"


def test_what_is_out_of_reach_is_refused_without_waiting(network):
    (node,) = network(1, network__timeout=120.0)
    with node.wire() as wire:
        for bank in ("8.8.8.8", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1"):
            assert wire.ask(f"AB 10001/{bank}") == (
                f"ER The bank {bank} is outside of the network that this bank, "
                f"{node.bank}, works with."
            )


def test_stopping_answers_the_callers_of_a_bank_that_hangs(network, tmp_path):
    from support import zoo

    with zoo.bank("mute", host=some_host(), accounts={}) as peer:
        with running_node(
            tmp_path / "n", network__peers=[f"{peer.host}:{peer.port}"], network__timeout=3.0
        ) as node:
            wire = node.wire()
            wire.send(f"AD 10001/{peer.host} 5\r\n".encode())
            until(lambda: peer.connections, "the bank was asked")
        assert wire.rest().startswith("ER ")
        wire.socket.close()
