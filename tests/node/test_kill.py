"""kill -9 under load: what was acknowledged is there, and nothing is there that nobody sent."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.polling import until
from support.processes import Served
from support.wire import Wire, open_account

from bank_node.ledger.sqlite_files import verify_file

_CLIENTS = 4
_PIPELINE = 32


class Depositor(threading.Thread):
    """Keeps a pipeline of deposits to its own account full until the node is gone."""

    def __init__(self, served: Served, account: str) -> None:
        super().__init__()
        self._wire = served.wire()
        self._deposit = f"AD {account} 1\r\n".encode()
        self.account = account
        self.sent = 0
        self.acknowledged = 0
        self.refused: list[str] = []

    def run(self) -> None:
        try:
            while True:
                self.sent += _PIPELINE
                self._wire.send(self._deposit * _PIPELINE)
                for _ in range(_PIPELINE):
                    reply = self._wire.line()
                    if reply != "AD":
                        self.refused.append(reply)
                    self.acknowledged += 1
        except (ConnectionError, AssertionError):
            pass
        finally:
            self._wire.close()


def balance(wire: Wire, account: str) -> int:
    code, amount = wire.ask(f"AB {account}").split()
    assert code == "AB"
    return int(amount)


def kill_under_load(served: Served, accounts: list[str], random_: random.Random) -> list[Depositor]:
    """Kills the node somewhere in the middle of a stream of deposits."""
    depositors = [Depositor(served, account) for account in accounts]
    for depositor in depositors:
        depositor.start()
    goal = random_.randrange(20, 4000)
    until(lambda: sum(each.acknowledged for each in depositors) >= goal, "the load is under way")
    served.kill()
    for depositor in depositors:
        depositor.join(60)
        assert not depositor.is_alive()
    return depositors


def play(serve: Callable[..., Served], rounds: int, seed: int) -> None:
    random_ = random.Random(seed)
    served = serve()
    with served.wire() as wire:
        balances = {open_account(wire): 0 for _ in range(_CLIENTS)}
    for _ in range(rounds):
        depositors = kill_under_load(served, list(balances), random_)
        report = verify_file(served.data / "bank.db")
        served = serve()
        with served.wire() as wire:
            for each in depositors:
                found = balance(wire, each.account) - balances[each.account]
                assert each.refused == []
                assert each.acknowledged <= found <= each.sent
                balances[each.account] += found
            assert wire.ask("BA") == f"BA {sum(balances.values())}"
            assert wire.ask("BN") == f"BN {_CLIENTS}"
        assert report.total == sum(balances.values())
    served.stop()
    assert verify_file(served.data / "bank.db").total == sum(balances.values())


def test_no_acknowledged_deposit_is_lost_by_kill_9(serve: Callable[..., Served]) -> None:
    play(serve, rounds=8, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_no_acknowledged_deposit_is_lost_by_many_kills(
    serve: Callable[..., Served], seed: int
) -> None:
    play(serve, rounds=20, seed=seed)


def test_a_restart_finds_accounts_balances_and_closed_accounts(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve()
    with served.wire() as wire:
        rich, poor, gone = (open_account(wire, amount) for amount in (2**63 - 101, 100, 0))
        assert wire.ask(f"AR {gone}") == "AR"
        assert wire.ask(f"AW {poor} 30") == "AW"
    served.stop()
    for end in (Served.kill, Served.stop):
        served = serve()
        with served.wire() as wire:
            assert wire.ask(f"AB {rich}") == f"AB {2**63 - 101}"
            assert wire.ask(f"AB {poor}") == "AB 70"
            assert wire.ask(f"AB {gone}").startswith("ER ")
            assert wire.ask("BA") == f"BA {2**63 - 31}"
            assert wire.ask("BN") == "BN 2"
        end(served)
