"""kill -9 of a bank while clients pay: no payment is lost or done twice, no wrong PIN forgotten."""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

from support.nodes import bank_port, some_host
from support.polling import until
from support.processes import Served

from bank_node.ledger.sqlite_files import verify_file

_MONEY = 100_000
_LIGHT = {"BANK_PAYMENTS_PIN_PROFILE": "light", "BANK_PAYMENTS_HANDLE": "brno",
          "BANK_PAYMENTS_PER_MINUTE": "1000000", "BANK_LOG_TRAFFIC": "false"}  # fmt: skip


class Payer(threading.Thread):
    """Pays one unit after the other, under references that it counts, until the node is gone."""

    def __init__(self, served: Served, vpa: str, first: int) -> None:
        super().__init__()
        self._wire = served.wire()
        self.vpa, self.first, self.asked = vpa, first, first
        self.told: dict[int, str] = {}

    def run(self) -> None:
        try:
            while True:
                self.asked += 1
                self.told[self.asked] = self._wire.ask(pay(self.vpa, self.asked))
        except (ConnectionError, AssertionError):
            pass
        finally:
            self._wire.close()


def pay(vpa: str, reference: int) -> str:
    return f"PP {vpa} shop@brno 1 r{reference} 2580"


def join(served: Served, name: str) -> str:
    with served.wire() as wire:
        words = wire.ask(f"PU {name}@brno {name} 420777123456 2580").split()
        assert words[0] == "PU", words
        assert wire.ask(f"AD {words[1]} {_MONEY}") == "AD"
    return words[1]


def test_a_payment_is_done_once_however_often_the_bank_is_killed(
    serve: Callable[..., Served],
) -> None:
    served = serve(**_LIGHT)
    names = ("alice", "bohdan", "cyril")
    accounts = [join(served, name) for name in (*names, "shop")]
    paid = dict.fromkeys(names, 0)
    random_ = random.Random(7)
    for _ in range(3):
        payers = [Payer(served, f"{name}@brno", paid[name]) for name in names]
        goal = random_.randrange(20, 300)
        for each in payers:
            each.start()
        until(lambda: sum(len(p.told) for p in payers) >= goal, "clients pay")  # noqa: B023
        served.kill()
        for each in payers:
            each.join(60)
        verify_file(served.data / "bank.db")
        served = serve(**_LIGHT)
        with served.wire() as wire:
            for name, each in zip(names, payers, strict=True):
                # What was answered has the same answer again, what was not is asked once more.
                for reference, told in each.told.items():
                    assert told.startswith("PP "), told
                    assert wire.ask(pay(each.vpa, reference)) == told
                assert wire.ask(pay(each.vpa, each.asked)).startswith("PP ")
                paid[name] = each.asked
    with served.wire() as wire:
        left = [int(wire.ask(f"AB {account}").split()[1]) for account in accounts]
    done = list(paid.values())
    assert left == [*(_MONEY - each for each in done), _MONEY + sum(done)]
    served.terminate()
    served.ended()
    assert verify_file(served.data / "bank.db").total == 4 * _MONEY


def test_pins_guessed_at_once_are_counted_across_kill_9(serve: Callable[..., Served]) -> None:
    served = serve(**_LIGHT)
    join(served, "alice")
    told = []
    for _ in range(3):
        with served.wire() as wire:
            wire.send(b"".join(b"PB alice@brno %d\r\n" % pin for pin in range(1470, 1475)))
            # It dies with the other guesses on their way; those that are decided stay counted.
            told.append(wire.line()[:5])
            served.kill()
        served = serve(**_LIGHT)
    assert told[0] == "ER ZM"
    assert set(told) <= {"ER ZM", "ER Z6"}
    assert told.count("ER ZM") <= 2
    assert served.ask("PB alice@brno 2580").startswith("ER Z6")


def test_payments_between_banks_survive_kill_9_of_either(tmp_path: Path) -> None:
    hosts = [some_host(), some_host()]
    ports = {host: bank_port(host) for host in hosts}
    subnets = json.dumps([f"{host}/32" for host in hosts])

    def start(number: int) -> Served:
        host, handle = hosts[number], ("prague", "brno")[number]
        variables = _LIGHT | {
            "BANK_PAYMENTS_HANDLE": handle, "BANK_NETWORK_SUBNETS": subnets,
            "BANK_NETWORK_SCAN_EVERY": "0.5", "BANK_NETWORK_TIMEOUT": "3",
        }  # fmt: skip
        return Served(tmp_path / handle, host, port=ports[host], **variables)

    served = [start(0), start(1)]
    try:
        told = served[0].ask("PU alice@prague Alice 420777123456 2580").split()
        assert served[0].ask(f"AD {told[1]} {_MONEY}") == "AD"
        shop = served[1].ask("PU shop@brno Shop 420777123456 2580").split()[1]
        until(lambda: served[0].ask("PR shop@brno").startswith("PR"), "banks know each other", 20)
        random_, asked, told_before = random.Random(3), 0, {}
        for victim in (1, 0, 1, 0):
            payer = Payer(served[0], "alice@prague", asked)
            payer.start()
            goal = random_.randrange(5, 60)
            until(lambda: len(payer.told) >= goal, "the client pays", 20)  # noqa: B023
            served[victim].kill()
            served[victim].process.communicate()
            served[victim] = start(victim)
            if victim == 1:
                served[0].kill()
                payer.join(60)
                served[0].process.communicate()
                served[0] = start(0)
            payer.join(60)
            asked, told_before = payer.asked, told_before | payer.told
        until(lambda: served[0].ask("PR shop@brno").startswith("PR"), "banks know each other", 20)
        until(lambda: not _undecided(served[0], asked), "all is decided", 30)
        paid = sum(_answer(served[0], n).startswith("PP") for n in range(1, asked + 1))
        for number, reply in told_before.items():
            # A yes stays one for ever.
            assert not reply.startswith("PP") or _answer(served[0], number) == reply
        left = int(served[0].ask(f"AB {told[1]}").split()[1])
        until(lambda: served[1].ask(f"AB {shop}") == f"AB {paid}", "all is credited", 30)
        assert (left, paid > 0) == (_MONEY - paid, True)
    finally:
        for each in served:
            each.kill()
            each.process.communicate()


def _answer(served: Served, number: int) -> str:
    return served.ask(pay("alice@prague", number))


def _undecided(served: Served, asked: int) -> list[int]:
    return [n for n in range(1, asked + 1) if _answer(served, n).startswith(("ER 01", "ER U17"))]
