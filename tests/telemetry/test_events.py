"""Events and the tail of the log: the last of them in memory, safe to show."""

import logging

import pytest

from bank_node.telemetry.events import Events
from bank_node.telemetry.logs import LogTail


def test_an_event_has_its_moment_kind_and_fields():
    events = Events(lambda: 17)
    events.tell("PeerFound", "10.1.2.3 answers", address="10.1.2.3", port=65525)
    ((number, event),) = events.ring.read(None, 10).items
    assert number == 1
    assert event == (
        17,
        "PeerFound",
        "info",
        "10.1.2.3 answers",
        {"address": "10.1.2.3", "port": 65525},
    )


def test_no_text_of_an_event_reaches_a_terminal_raw():
    events = Events(lambda: 0)
    events.tell("PeerFound", "\x1b[2J" + "x" * 10_000, name="\u202eevil\r\n")
    ((_, event),) = events.ring.read(None, 10).items
    assert event.text.startswith("?[2Jxxx")
    assert len(event.text) == 500
    assert event.fields["name"] == "?evil??"


@pytest.fixture
def log():
    """A logger of its own with a tail, and the tail."""
    logger, tail = logging.Logger("bank_node.somewhere"), LogTail()
    logger.addHandler(tail)
    return logger, tail


def lines(tail):
    return [line for _, line in tail.ring.read(None, 100).items]


def test_the_tail_has_the_lines_of_the_log(log):
    logger, tail = log
    logger.warning("the disk is %d %% full", 97)
    ((time_us, *line),) = lines(tail)
    assert line == ["warning", "bank_node.somewhere", "the disk is 97 % full"]
    assert time_us > 1_600_000_000_000_000


def test_a_traceback_and_hostile_text_are_one_safe_line(log):
    logger, tail = log
    try:
        raise ValueError("\x1b[31mred\nnext")
    except ValueError:
        logger.exception("a request failed")
    (line,) = lines(tail)
    assert line.text.startswith("a request failed | Traceback")
    assert line.text.isprintable()


def test_a_line_is_cut(log):
    logger, tail = log
    logger.info("x" * 100_000)
    assert len(lines(tail)[0].text) == 2000


def test_a_line_that_cannot_be_formatted_harms_nobody(log, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger, tail = log
    logger.info("%d", "x")
    assert lines(tail) == []
