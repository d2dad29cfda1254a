"""Clients that say nothing, or far too slowly: each has a deadline, and is let go at it."""

import time
from collections.abc import Callable

import pytest
from support.nodes import Running
from support.wire import open_account


def test_a_mute_client_is_disconnected_after_client_time_out(
    start: Callable[..., Running],
) -> None:
    node = start(network__client_time_out=0.5)
    began = time.monotonic()
    with node.wire() as wire:
        assert wire.rest() == ""
        assert 0.4 < time.monotonic() - began < 20


def test_a_client_that_speaks_now_and_then_is_not_mute(start: Callable[..., Running]) -> None:
    node = start(network__client_time_out=1.5)
    with node.wire() as wire:
        for _ in range(4):
            assert wire.is_silent(0.5)
            assert wire.ask("BN") == "BN 0"


@pytest.mark.parametrize("dribble", [b"A", b"\x41\xff"], ids=["letters", "telnet"])
def test_a_line_that_does_not_end_in_time_is_one_error_and_the_end(
    start: Callable[..., Running], dribble: bytes
) -> None:
    node = start(network__line_time_out=0.5)
    began = time.monotonic()
    with node.wire() as wire:
        try:
            while time.monotonic() - began < 20:
                wire.send(dribble)
                if not wire.is_silent(0.1):
                    break
            rest = wire.rest()
        except (BrokenPipeError, ConnectionResetError):
            return
        assert rest.count("\r\n") == 1
        assert rest.startswith("ER ")
        assert time.monotonic() - began < 20


def test_the_deadline_is_for_one_line_and_not_for_a_slow_conversation(
    start: Callable[..., Running],
) -> None:
    node = start(network__line_time_out=1.5)
    with node.wire() as wire:
        for _ in range(4):
            wire.send(b"B")
            assert wire.is_silent(0.5)
            wire.send(b"N\r\n")
            assert wire.line() == "BN 0"


def test_a_line_typed_byte_by_byte_is_one_command(node: Running) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        for byte in f"ad {account} 500\r\n".encode():
            wire.send(bytes((byte,)))
        assert wire.line() == "AD"
        assert wire.ask(f"AB {account}") == "AB 500"


@pytest.mark.parametrize("code", ["BC", "BA", "BN"])
def test_a_question_without_line_end_is_served_after_a_pause(node: Running, code: str) -> None:
    with node.wire() as wire:
        wire.send(code.encode())
        assert wire.is_silent(0.05)
        assert wire.line().startswith(f"{code} ")
        assert wire.ask("BN") == "BN 0"


def test_a_deposit_without_line_end_is_never_booked(node: Running) -> None:
    with node.wire() as wire, node.wire() as other:
        account = open_account(other)
        wire.send(f"AD {account} 10".encode())
        assert wire.is_silent(1.2)
        assert other.ask(f"AB {account}") == "AB 0"
        wire.send(b"0\r\n")
        assert wire.line() == "AD"
        assert other.ask(f"AB {account}") == "AB 100"
