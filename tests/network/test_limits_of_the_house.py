"""How many may come in, on which address, and what happens when the disk stands still."""

import socket
import time
from collections.abc import Callable

import pytest
from support.nodes import Running, StallingStore, running_node
from support.polling import until
from support.wire import Wire, open_account


def test_the_connection_over_the_limit_hears_why_and_a_free_place_is_given_away(
    start: Callable[..., Running],
) -> None:
    node = start(network__connections_max=3)
    wires = [node.wire() for _ in range(3)]
    assert [wire.ask("BN") for wire in wires] == ["BN 0"] * 3
    with node.wire() as over:
        reply = over.rest()
        assert reply.startswith("ER ")
        assert "too many connections" in reply
        assert reply.count("\r\n") == 1
    assert node.figures()["connections_refused"] == 1
    wires.pop().close()
    until(lambda: node.connections == 2, "the place is free")
    with node.wire() as wire:
        assert wire.ask("BN") == "BN 0"
    for wire in wires:
        wire.close()


def test_a_node_answers_on_its_own_address_only(start: Callable[..., Running]) -> None:
    node = start(network__host="127.0.0.77")
    assert node.address[0] == "127.0.0.77"
    with node.wire() as wire:
        assert wire.ask("BC") == "BC 127.0.0.77"
    for other in ("127.0.0.76", "127.0.0.78"):
        with pytest.raises(ConnectionRefusedError):
            Wire((other, node.address[1]))


def test_a_port_can_be_served_again_at_once(tmp_path) -> None:
    port, host = 0, "127.0.0.79"
    for _ in range(3):
        with running_node(tmp_path, network__host=host, network__port=port) as node:
            port = node.address[1]
            with node.wire() as wire:
                # The node closes first, so that its side of the connection lingers on.
                wire.send(b"QU\r\n")
                assert wire.rest() == "QU\r\n"


def test_a_stalled_disk_makes_a_write_unknown_at_the_time_out_and_reads_go_on(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    node, store = start_stalling(network__timeout=1.5)
    with node.wire() as writer, node.wire() as reader:
        account = open_account(writer, 5)
        store.go.clear()
        began = time.monotonic()
        writer.send(f"AD {account} 1\r\nAB {account}\r\nBC\r\n".encode())
        assert store.waiting.wait(60)
        assert reader.ask(f"AB {account}") == "AB 5"
        assert reader.ask("BA") == "BA 5"
        assert writer.is_silent(0.01), "the writer still waits"
        unknown, late, code = writer.lines(3)
        assert 1.5 <= time.monotonic() - began < 20
        assert "outcome is unknown" in unknown
        assert "did not answer in time" in late
        assert code == f"BC {node.bank}"
        store.go.set()
        until(lambda: reader.ask(f"AB {account}") == "AB 6", "the late deposit is booked")
        assert writer.ask(f"AB {account}") == "AB 6"
        assert writer.is_silent(0.1)


def test_a_client_that_waits_for_a_stalled_disk_is_not_mute(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    node, store = start_stalling(network__timeout=20.0, network__client_time_out=0.3)
    with node.wire() as wire:
        account = open_account(wire)
        store.go.clear()
        wire.send(f"AD {account} 1\r\n".encode())
        assert wire.is_silent(1.0)
        store.go.set()
        assert wire.line() == "AD"


def test_two_thousand_idle_connections_do_not_slow_one_client(node: Running) -> None:
    idle = [socket.create_connection(node.address, 10) for _ in range(2000)]
    until(lambda: node.connections == 2000, "all are connected")
    with node.wire() as wire:
        began = time.monotonic()
        for _ in range(200):
            assert wire.ask("BN") == "BN 0"
        assert time.monotonic() - began < 10
    for client in idle:
        client.close()
    until(lambda: node.connections == 0, "all are let go")


def test_a_backlog_behind_a_stalled_disk_is_answered_portion_by_portion(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    node, store = start_stalling(network__timeout=0.3, limits__requests_in_flight=3)
    with node.wire() as wire:
        account = open_account(wire)
        store.go.clear()
        wire.send(f"AD {account} 1\r\n".encode() * 7 + b"BC\r\n")
        replies = wire.lines(8)
        assert all("outcome is unknown" in reply for reply in replies[:7])
        assert replies[7] == f"BC {node.bank}"
        store.go.set()
        until(lambda: wire.ask(f"AB {account}") == "AB 7", "what was sent is booked once")


def test_the_limit_of_connections_holds_over_all_io_threads(
    start: Callable[..., Running],
) -> None:
    node = start(network__io_threads=2, network__connections_max=10)
    wires = [node.wire() for _ in range(10)]
    assert {wire.ask("BN") for wire in wires} == {"BN 0"}
    with node.wire() as over:
        assert over.rest().startswith("ER ")
    assert node.connections == 10
    for wire in wires:
        wire.close()
    until(lambda: node.connections == 0, "all are let go")
    assert node.figures()["connections_accepted"] == 10
