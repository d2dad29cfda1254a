"""One connection, with a clock and a desk that are moved by hand."""

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
        self.end_round_soon = self.next_round = self.send = Mock()

    def now_ns(self):
        return self.now


@pytest.fixture
def rounds():
    return Rounds()


@pytest.fixture
def client(rounds):
    connection = Connection(rounds)
    transport = rounds.transport = Mock()
    transport.get_extra_info.return_value = ("127.0.0.1", 1)
    transport.is_closing.return_value = False
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


def test_no_more_requests_are_taken_in_than_may_be_in_flight(rounds, client):
    rounds.limits = rounds.limits._replace(requests_in_flight=3)
    taken = []

    def hold(line, session, now_ns):
        session.pending.append(Mock(replies=None, started_ns=now_ns))
        session.in_flight += 1
        taken.append(line)

    rounds.desk.answer.side_effect = hold
    rounds.desk.join.return_value = 0
    client.data_received(b"AC\nAD\nAW\nAB\nAR\n")
    assert taken == [b"AC", b"AD", b"AW"]
    client.pending[0].replies = [b"AC 10001/127.0.0.1\r\n"]
    client.flush()
    assert taken == [b"AC", b"AD", b"AW", b"AB"]
    client.data_received(b"BC\n")
    assert taken[4:] == []


def test_a_client_that_waits_for_a_reply_is_not_idle(rounds, client):
    client.pending.append(Mock(replies=None, started_ns=rounds.now))
    passes(rounds, client, 601.0)
    rounds.transport.close.assert_not_called()
    client.pending.clear()
    passes(rounds, client, 0.25)
    rounds.transport.close.assert_called_once()
