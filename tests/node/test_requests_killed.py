"""kill -9 of either bank between a request or a mandate and what comes of it: one end at both."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.nodes import bank_port, some_host
from support.polling import until
from support.processes import Served

_LIGHT = {"BANK_PAYMENTS_PIN_PROFILE": "light", "BANK_LOG_TRAFFIC": "false",
          "BANK_PAYMENTS_DISPUTE_ASK_S": "60", "BANK_NETWORK_SCAN_EVERY": "0.5",
          "BANK_NETWORK_TIMEOUT": "3", "BANK_PAYMENTS_MANDATE_NOTICE_S": "0",
          "BANK_PAYMENTS_MANDATE_RETRY_S": "1", "BANK_PAYMENTS_MANDATE_RETRIES": "100"}  # fmt: skip
_HANDLES = ("prague", "brno")
_PATIENCE_S = 60


class Pair:
    """Alice's bank in Prague and the shop's in Brno, as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = [some_host(), some_host()]
        self.ports = [bank_port(host) for host in self.hosts]
        self.served: dict[int, Served] = {}
        self.start(0, 1)

    def start(self, *numbers: int) -> None:
        subnets = json.dumps([f"{host}/32" for host in self.hosts])
        for n in numbers:
            variables = _LIGHT | {
                "BANK_PAYMENTS_HANDLE": _HANDLES[n], "BANK_NETWORK_SUBNETS": subnets
            }  # fmt: skip
            self.served[n] = Served(
                self.folder / _HANDLES[n], self.hosts[n], port=self.ports[n], **variables
            )

    def kill(self, *numbers: int) -> None:
        for n in numbers:
            served = self.served.pop(n)
            served.kill()
            served.process.communicate()

    def ask(self, n: int, line: str) -> str:
        return self.served[n].ask(line)

    def know_each_other(self) -> None:
        for n, vpa in ((0, "shop@brno"), (1, "alice@prague")):
            self.knows(n, vpa)

    def knows(self, n: int, vpa: str) -> None:
        until(lambda: self.ask(n, f"PR {vpa}").startswith("PR"), f"{vpa} is known", _PATIENCE_S)

    def state(self, n: int, paper: str) -> str:
        reply = self.ask(n, f"PS {paper}")
        return str(json.loads(reply[3:])["state"]) if reply.startswith("PS ") else reply

    def told(self, n: int, paper: str, name: str) -> object:
        reply = self.ask(n, f"PS {paper}")
        return json.loads(reply[3:]).get(name) if reply.startswith("PS ") else None

    def both_say(self, paper: str, wanted: str) -> None:
        for n in (0, 1):
            until(lambda: self.state(n, paper) == wanted, f"it is {wanted}", _PATIENCE_S)  # noqa: B023


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[Pair]:
    pair = Pair(tmp_path_factory.mktemp("banks"))
    try:
        yield pair
    finally:
        pair.kill(*pair.served)


def test_requests_come_to_one_end_however_often_either_bank_is_killed(
    pair: Pair,
) -> None:
    alice = pair.ask(0, "PU alice@prague Alice 420777123456 2580").split()[1]
    assert pair.ask(0, f"AD {alice} 5000") == "AD"
    shop = pair.ask(1, "PM shop@brno Shop 5411 420777123456 2580").split()[1]
    asking = sent(pair)

    first, second, third = (asking(reference) for reference in ("one", "two", "three"))
    assert [pair.state(0, each) for each in (first, second, third)] == ["pending"] * 3
    fourth = sent_while_away(pair)
    gone = pair.ask(1, "PC shop@brno boris@prague 5 five 2580")
    assert gone.startswith(("ER U28: The bank of the payer", "ER U17")), gone
    pair.kill(1)
    pair.start(0, 1)
    # The bank of the shop remembers that it has to ask, and asks once.
    pair.both_say(fourth, "pending")
    rows = json.loads(pair.ask(0, "PQ alice@prague 2580")[3:])["requests"]
    assert [row["id"] for row in rows] == [first, second, third, fourth]

    # Each answers while the other one is gone, and dies before it can tell.
    pair.kill(1)
    assert pair.ask(0, f"PD alice@prague {second} 2580") == "PD declined"
    pair.kill(0)
    pair.start(1)
    assert pair.ask(1, f"PD shop@brno {third} 2580") == "PD cancelled"
    pair.kill(1)
    pair.start(0, 1)
    pair.both_say(second, "declined")
    pair.both_say(third, "cancelled")
    assert pair.ask(0, f"PA alice@prague {third} 2580").startswith("ER The request is over")

    pair.know_each_other()
    told = pair.ask(0, f"PA alice@prague {first} 2580")
    assert told.startswith("PA "), told
    pair.kill(0, 1)
    pair.start(0, 1)
    pair.both_say(first, "paid")
    assert pair.ask(0, f"PA alice@prague {first} 2580") == told
    assert (pair.ask(0, f"AB {alice}"), pair.ask(1, f"AB {shop}")) == ("AB 4990", "AB 10")


def test_a_mandate_is_paid_once_in_its_time_however_often_either_bank_is_killed(pair: Pair) -> None:
    bohdan = pair.ask(0, "PU bohdan@prague Bohdan 420777123456 2580").split()[1]
    assert pair.ask(0, f"AD {bohdan} 5000") == "AD"
    shop = pair.ask(1, "PM kiosk@brno Kiosk 5411 420777123456 2580").split()[1]
    for n, vpa in ((0, "kiosk@brno"), (1, "bohdan@prague")):
        pair.knows(n, vpa)
    terms = "exact 100 yearly:after:1 2020-01-01 2099-12-31 m1"
    mandate = pair.ask(1, f"PH kiosk@brno bohdan@prague {terms} 2580").split()[1]
    pair.both_say(mandate, "pending")
    pair.kill(1)
    assert pair.ask(0, f"PO bohdan@prague {mandate} approve 2580") == "PO active"
    # It tries to pay a bank that is gone, and dies at it.
    until(lambda: pair.told(0, mandate, "tries"), "a payment has failed", _PATIENCE_S)
    pair.kill(0)
    pair.start(0, 1)
    until(lambda: pair.ask(1, f"AB {shop}") == "AB 100", "it is paid", _PATIENCE_S)
    # Whatever of it was not said or written down yet.
    pair.kill(0, 1)
    pair.start(0, 1)
    for n in (0, 1):
        until(lambda: pair.told(n, mandate, "paid") == 1, "both know", _PATIENCE_S)  # noqa: B023
    assert pair.ask(0, f"PO bohdan@prague {mandate} pause 2580") == "PO paused"
    pair.kill(0)
    pair.start(0)
    pair.both_say(mandate, "paused")
    assert (pair.ask(0, f"AB {bohdan}"), pair.ask(1, f"AB {shop}")) == ("AB 4900", "AB 100")


def sent_while_away(pair: Pair) -> str:
    """A request that Brno noted down although Prague was killed meanwhile; the request's id."""
    for number in range(5):
        # What was looked up a moment ago is not looked up again: nobody knows yet that it is gone.
        name = f"ally{number * 'x'}@prague"
        assert pair.ask(0, f"PV alice@prague {name} 2580") == f"PV {name}"
        until(lambda: pair.ask(1, f"PR {name}").startswith("PR"), "it is found", _PATIENCE_S)  # noqa: B023
        pair.kill(0)
        reply = pair.ask(1, f"PC shop@brno {name} 10 four{number} 2580")
        if reply.startswith("PC "):
            assert pair.state(1, reply.split()[1]) == "sent"
            return reply.split()[1]
        assert reply.startswith("ER U28"), reply
        pair.start(0)
    raise AssertionError("this machine is too slow for what is remembered for seconds")


def sent(pair: Pair) -> Callable[[str], str]:
    """Asks Alice for 10 by a reference; the request's id."""
    pair.know_each_other()

    def asking(reference: str) -> str:
        reply = pair.ask(1, f"PC shop@brno alice@prague 10 {reference} 2580")
        assert reply.startswith("PC "), reply
        return reply.split()[1]

    return asking
