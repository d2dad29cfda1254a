"""Long polls: told at once, held by nobody's thread, and no burden whatever the readers do."""

import json
import threading
import time

import pytest
from support.polling import until
from support.wire import open_account

from bank_node.node.operator import CONNECTIONS_MAX


def tell(house, text="something happened"):
    house.node.events.tell("SomethingHappened", text)


def document(line):
    return json.loads(line.partition(" ")[2])


def test_a_reader_reads_on_where_it_was(house, console):
    start = console.document("OE")["next"]
    for number in range(5):
        tell(house, f"event {number}")
    page = console.document(f"OE after={start} count=2")
    assert [event["text"] for event in page["events"]] == ["event 0", "event 1"]
    page = console.document(f"OE after={page['next']}")
    assert [event["text"] for event in page["events"]] == ["event 2", "event 3", "event 4"]
    assert (page["lost"], page["next"]) == (0, start + 5)


def test_a_slow_reader_is_told_how_much_it_lost(house, console):
    start = console.document("OE")["next"]
    for _ in range(2048 + 100):
        tell(house)
    page = console.document(f"OE after={start} count=10")
    assert page["lost"] == 100
    assert page["next"] == start + 110


def test_who_waits_is_told_as_soon_as_something_happens(house, console):
    after = console.document("OE")["next"]
    console.wire.send(f"OE after={after} wait=20\n".encode())
    assert console.wire.is_silent(0.3)
    tell(house)
    began = time.monotonic()
    assert document(console.wire.line())["events"][0]["text"] == "something happened"
    assert time.monotonic() - began < 15


def test_a_wait_without_news_ends_when_it_is_due(house, console):
    after = console.document("OE")["next"]
    began = time.monotonic()
    assert console.document(f"OE after={after} wait=0.8")["events"] == []
    assert 0.7 < time.monotonic() - began < 20
    assert house.running.figures()["commands"]["OE"]["max_us"] < 700_000, "a wait is no latency"


def test_lines_of_the_log_can_be_waited_for_and_sifted(house, console):
    after = console.document("OL")["next"]
    console.wire.send(f"OL after={after} wait=20 level=warning\n".encode())
    house.stranger().ask("OA wrong")
    lines = document(console.wire.line())["lines"]
    assert [line["level"] for line in lines] == ["warning"]
    assert "wrong operator's token" in lines[0]["text"]


def test_a_hundred_consoles_wait_and_the_bank_goes_on(house):
    consoles = [house.console() for _ in range(100)]
    after = consoles[0].document("OE")["next"]
    threads = threading.active_count()
    for console in consoles:
        console.wire.send(f"OE after={after} wait=20\n".encode())
    until(lambda: len(house.office.waits._waits) == 100, "all of them wait")
    assert threading.active_count() == threads, "nobody's wait holds a thread"
    account = open_account(house.client(), 5)
    other = house.console()
    assert other.document("OC")["total"] == 1
    assert other.ask(f"AB {account}") == "AB 5"
    began = time.monotonic()
    tell(house)
    for console in consoles:
        assert document(console.wire.line())["events"]
    assert time.monotonic() - began < 15


def test_who_hangs_up_waits_no_longer(house):
    console = house.console()
    console.wire.send(b"OE after=1 wait=20\n")
    until(lambda: len(house.office.waits._waits) == 1, "it waits")
    console.wire.reset()
    until(lambda: not house.office.waits._waits, "it waits no longer")


def test_there_are_so_many_consoles_and_no_more(house):
    consoles = [house.console() for _ in range(CONNECTIONS_MAX)]
    assert house.stranger().rest() == "ER The bank has too many connections.\r\n"
    consoles[0].wire.close()
    until(lambda: house.node.metrics.operators < CONNECTIONS_MAX, "one has gone")
    assert house.console().document("OS")["state"] == "serving"
    assert house.node.metrics.connections == 0, "operators are no clients"


def test_a_console_that_does_not_read_costs_nobody_else_anything(start):
    house = start(limits__write_buffer_bytes=4096)
    client, console = house.client(), house.console()
    account = open_account(client, 1)
    wire = house.stranger()
    wire.send(f"OA {house.token}\n".encode())
    wire.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        wire.socket.sendall(b"OG\n" * 10_000_000)
    for _ in range(20):
        assert client.ask(f"AD {account} 1") == "AD"
    assert console.document("OC")["sum_matching"] == 21
    wire.reset()


def test_stopping_answers_those_who_wait(house):
    console = house.console()
    after = console.document("OE")["next"]
    console.wire.send(f"OE after={after} wait=20\n".encode())
    until(lambda: len(house.office.waits._waits) == 1, "it waits")
    began = time.monotonic()
    house.node.stop()
    assert document(console.wire.line())["events"][0]["kind"] == "NodeStopping"
    assert time.monotonic() - began < 15
