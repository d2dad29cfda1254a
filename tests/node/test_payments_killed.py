"""kill -9 of a bank while clients pay: no payment is lost or done twice, no wrong PIN forgotten."""

import random
import threading
from collections.abc import Callable

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
            each.join(20)
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


def test_a_wrong_pin_is_counted_across_kill_9(serve: Callable[..., Served]) -> None:
    served = serve(**_LIGHT)
    join(served, "alice")
    told = []
    for _ in range(3):
        told.append(served.ask("PB alice@brno 1470")[:5])
        served.kill()
        served = serve(**_LIGHT)
    assert told == ["ER ZM", "ER ZM", "ER Z6"]
    assert served.ask("PB alice@brno 2580").startswith("ER Z6")
