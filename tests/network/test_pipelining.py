"""Many requests on the way at once: replies come in the order of the requests, every time."""

from collections.abc import Callable

import pytest
from support.nodes import Running, StallingStore
from support.wire import open_account


def test_replies_come_in_the_order_of_the_requests(node: Running) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(
            f"AD {account} 5\nBC\nnonsense\nAB {account}\nAW {account} 9\nBN\nBA\nVE\n".encode()
        )
        assert [reply.split()[0] for reply in wire.lines(8)] == (
            ["AD", "BC", "ER", "AB", "ER", "BN", "BA", "VE"]
        )


@pytest.mark.parametrize("repetitions", [1, 20])
def test_a_read_behind_a_write_of_the_same_packet_sees_exactly_that_write(
    node: Running, repetitions: int
) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(f"AD {account} 1\r\nAB {account}\r\n".encode() * 2 * repetitions)
        balances = range(1, 2 * repetitions + 1)
        expected = [reply for balance in balances for reply in ("AD", f"AB {balance}")]
        assert wire.lines(4 * repetitions) == expected


def test_a_thousand_commands_in_one_packet_are_all_answered(node: Running) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(f"AD {account} 1\n".encode() * 1000 + f"AB {account}\n".encode())
        assert wire.lines(1001) == ["AD"] * 1000 + ["AB 1000"]


def test_more_requests_than_may_be_in_flight_wait_and_are_answered_in_order(
    start: Callable[..., Running],
) -> None:
    node = start(limits__requests_in_flight=8)
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(f"AD {account} 1\nAB {account}\n".encode() * 2000)
        expected = [reply for balance in range(1, 2001) for reply in ("AD", f"AB {balance}")]
        assert wire.lines(4000) == expected


def test_a_full_queue_refuses_what_is_over_and_books_the_rest(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    node, store = start_stalling(limits__requests_queued=10)
    with node.wire() as wire, node.wire() as other:
        account = open_account(wire)
        store.go.clear()
        wire.send(f"AD {account} 1\n".encode() * 25)
        assert store.waiting.wait(60)
        assert "too busy" in other.ask(f"AD {account} 1")
        store.go.set()
        replies = wire.lines(25)
        assert replies[:10] == ["AD"] * 10
        assert all("too busy" in reply for reply in replies[10:])
        assert wire.ask(f"AB {account}") == "AB 10"


def test_two_io_threads_serve_and_keep_the_order_of_each_connection(
    start: Callable[..., Running],
) -> None:
    node = start(network__io_threads=2)
    wires = [node.wire() for _ in range(16)]
    accounts = [open_account(wire) for wire in wires]
    for wire, account in zip(wires, accounts, strict=True):
        wire.send(f"AD {account} 2\nAB {account}\n".encode() * 50)
    expected = [reply for times in range(1, 51) for reply in ("AD", f"AB {2 * times}")]
    for wire in wires:
        assert wire.lines(100) == expected
    assert wires[0].ask("BA") == "BA 1600"
    for wire in wires:
        wire.close()


def test_a_client_that_asks_faster_than_the_disk_writes_is_held_back(
    start: Callable[..., Running],
) -> None:
    """What waits in the node is bounded: it stops reading until the backlog is served."""
    node = start(limits__requests_in_flight=2)
    with node.wire() as wire:
        account = open_account(wire)
        packet = f"AD {account} 1\n".encode() * 10_000
        wire.socket.settimeout(0.3)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += wire.socket.send(packet)
        except TimeoutError:
            pass
        # What the two sockets' own buffers hold, and at most one read of the node.
        assert sent < 24 << 20
        wire.reset()
    with node.wire() as other:
        assert other.ask("BN") == "BN 1"
