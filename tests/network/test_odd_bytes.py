"""What terminals, editors and strangers send beside plain lines."""

import pytest
from support.nodes import Running
from support.wire import open_account


@pytest.mark.parametrize(
    "sent",
    [
        b"BN\n",
        b"BN\r\n",
        b"BN\r\0",
        b"bn \t\r\n",
        b"\xef\xbb\xbfBN\r\n",
        b"\xff\xfd\x03\xff\xfb\x18BN\r\n",
        b"\xff\xfa\x18\x00xterm\xff\xf0BN\r\n",
        b"B\xff\xf1N\r\n",
        b"BX\x08N\r\n",
    ],
    ids=["lf", "crlf", "cr-nul", "blanks", "bom", "iac", "iac-sb", "iac-inside", "backspace"],
)
def test_one_command_is_understood_however_a_terminal_ends_and_decorates_it(
    node: Running, sent: bytes
) -> None:
    with node.wire() as wire:
        wire.send(sent)
        assert wire.line() == "BN 0"
        assert wire.is_silent(0.05)


def test_an_iac_sequence_cut_by_packets_is_still_no_text(node: Running) -> None:
    with node.wire() as wire:
        for part in (b"\xff", b"\xfd", b"\x03B", b"N\r\n"):
            wire.send(part)
            assert wire.is_silent(0.03) or part == b"N\r\n"
        assert wire.line() == "BN 0"


def test_line_feed_carriage_return_answers_each_line_once(node: Running) -> None:
    with node.wire() as wire:
        wire.send(b"BN\n\rBN\n\rBN\n\r")
        assert wire.lines(3) == ["BN 0"] * 3
        assert wire.is_silent(0.6)


def test_empty_lines_get_nothing(node: Running) -> None:
    with node.wire() as wire:
        wire.send(b"\r\n\n  \r\n\t\nBN\r\n")
        assert wire.line() == "BN 0"
        assert wire.is_silent(0.05)


@pytest.mark.parametrize(
    "sent",
    [b"\xc3\x28\r\n", b"BN\xfe\r\n", b"\x00\x01\x02\r\n", "AD 10001/127.0.0.1 ٣\r\n".encode()],
    ids=["bad-utf8", "latin", "control", "arabic-digit"],
)
def test_junk_is_one_error_and_the_connection_is_kept(node: Running, sent: bytes) -> None:
    with node.wire() as wire:
        wire.send(sent)
        assert wire.line().startswith("ER ")
        assert wire.ask("BN") == "BN 0"


@pytest.mark.parametrize("length", [1025, 100_000, 5_000_000])
def test_a_giant_line_is_one_error_drained_and_the_connection_is_kept(
    node: Running, length: int
) -> None:
    with node.wire() as wire:
        account = open_account(wire)
        wire.send(b"x" * length + f" AD {account} 5\r\nAB {account}\r\n".encode())
        first, second = wire.lines(2)
        assert first.startswith("ER ")
        assert "1024" in first
        assert second == "AB 0"


def test_the_longest_line_that_is_allowed_is_served(node: Running) -> None:
    with node.wire() as wire:
        wire.send(b"BN" + b" " * 1022 + b"\n")
        assert wire.line() == "BN 0"
