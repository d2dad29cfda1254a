"""Clients that leave: in order, half, in the middle of a line, or with a reset."""

import socket
from collections.abc import Callable

from support.nodes import Running, StallingStore
from support.polling import until
from support.wire import open_account


def test_half_a_line_and_a_close_is_never_booked(node: Running) -> None:
    with node.wire() as other:
        account = open_account(other)
        with node.wire() as wire:
            wire.send(f"AD {account} 1\r\nAD {account} 10".encode())
            wire.half_close()
            assert wire.rest() == "AD\r\n"
        until(lambda: node.connections == 1, "the closed connection is let go")
        assert other.ask(f"AB {account}") == "AB 1"


def test_after_a_half_close_all_replies_come_and_then_the_end(node: Running) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(f"AD {account} 1\n".encode() * 3000 + f"AB {account}\nBN".encode())
        wire.half_close()
        assert wire.rest() == "AD\r\n" * 3000 + "AB 3000\r\n" + "BN 1\r\n"


def test_after_a_half_close_the_backlog_is_answered_too(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    node, store = start_stalling(limits__requests_in_flight=4)
    with node.wire() as wire:
        account = open_account(wire)
        store.go.clear()
        wire.send(f"AD {account} 1\n".encode() * 20)
        wire.half_close()
        assert store.waiting.wait(60)
        store.go.set()
        assert wire.rest() == "AD\r\n" * 20


def test_quit_answers_what_came_before_and_ignores_what_comes_after(node: Running) -> None:
    with node.wire() as wire, node.wire() as other:
        account = open_account(wire)
        wire.send(f"AD {account} 1\r\nQU\r\nAD {account} 1\r\n".encode())
        assert wire.rest() == "AD\r\nQU\r\n"
        assert other.ask(f"AB {account}") == "AB 1"


def test_a_reset_while_replies_are_due_harms_nobody_else(
    start_stalling: Callable[..., tuple[Running, StallingStore]],
) -> None:
    """All requests are of one batch, so that the lost client's results come with the others'."""
    node, store = start_stalling()
    wires = [node.wire() for _ in range(6)]
    accounts = [open_account(wire) for wire in wires]
    store.go.clear()
    wires[0].send(f"AD {accounts[0]} 1\r\n".encode())
    assert store.waiting.wait(60)
    for wire, account in zip(wires, accounts, strict=True):
        wire.send(f"AD {account} 1\r\n".encode())
    wires[0].is_silent(0.1)
    for lost in (wires[0], wires[2]):
        lost.reset()
    until(lambda: node.connections == 4, "the lost connections are let go")
    store.go.set()
    left = [1, 3, 4, 5]
    assert [wires[n].line() for n in left] == ["AD"] * 4
    assert wires[1].ask(f"AB {accounts[2]}") == "AB 1"
    assert wires[1].ask(f"AB {accounts[0]}") == "AB 2"
    for n in left:
        wires[n].close()


def test_a_reset_in_the_middle_of_a_line_leaves_no_trace(node: Running) -> None:
    with node.wire() as other:
        account = open_account(other)
        wire = node.wire()
        wire.send(f"AD {account} 1\nAD {account} 1".encode())
        until(lambda: other.ask(f"AB {account}") == "AB 1", "the whole line is booked")
        wire.reset()
        until(lambda: node.connections == 1, "the lost connection is let go")
        assert other.ask(f"AB {account}") == "AB 1"


def test_ten_thousand_connects_and_closes_are_survived(node: Running) -> None:
    with node.wire() as wire:
        for count in range(10_000):
            client = socket.create_connection(node.address, 10)
            if count % 100 == 0:
                client.sendall(b"BN")
            client.close()
        until(lambda: node.connections == 1, "all closed connections are let go", 20)
        assert wire.ask("BN") == "BN 0"
