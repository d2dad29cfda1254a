"""Codes without a line end: taken for whole when they lie still, and not a moment earlier."""

from unittest.mock import Mock

import pytest

from bank_node.network.connection import Connection, Limits

S = 1_000_000_000


class Rounds:
    """An I/O thread that stands still, with a clock that is moved by hand."""

    def __init__(self):
        self.limits = Limits(5.0, 600.0, 60.0, 1024, 1 << 20, 10)
        self.outbox = []
        self.now = S
        self.desk = Mock()
        self.desk.answer.side_effect = lambda line, _session, _now: b"answered " + line
        self.admit = Mock(return_value=None)
        self.end_round_soon = self.send = Mock()

    def now_ns(self):
        return self.now


@pytest.fixture
def rounds():
    return Rounds()


@pytest.fixture
def client(rounds):
    connection = Connection(rounds)
    transport = Mock()
    transport.get_extra_info.return_value = ("127.0.0.1", 1)
    connection.connection_made(transport)
    return connection


def passes(rounds, client, seconds):
    """Time goes by; what has been answered since."""
    rounds.now += int(seconds * S)
    client.sweep(rounds.now)
    told = [reply for _, reply in rounds.outbox]
    rounds.outbox.clear()
    return told


@pytest.mark.parametrize("code", [b"BC", b"BA", b"bn ", b" BC"])
def test_a_code_that_lies_still_is_answered_once(rounds, client, code):
    client.data_received(code)
    assert passes(rounds, client, 0.3) == []
    assert passes(rounds, client, 0.2) == [b"answered " + code.strip()]
    assert passes(rounds, client, 1.0) == []


def test_somebody_who_types_slowly_is_not_interrupted(rounds, client):
    for letter in (b"B", b"C", b"X"):
        client.data_received(letter)
        assert passes(rounds, client, 0.35) == []
    client.data_received(b"\n")
    assert passes(rounds, client, 0) == [b"answered BCX"]


@pytest.mark.parametrize("text", [b"AC", b"AD 10001/127.0.0.1 10", b"RP 1", b"QU", b"B"])
def test_nothing_else_is_carried_out_without_its_end(rounds, client, text):
    client.data_received(text)
    assert passes(rounds, client, 5.0) == []
    client.eof_received()
    assert passes(rounds, client, 5.0) == []
