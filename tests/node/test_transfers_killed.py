"""kill -9 of either bank in the middle of transfers: every unit is somewhere, and all ends."""

import json
import random
import threading
from pathlib import Path

import pytest
from support.nodes import bank_port, some_host
from support.polling import until
from support.processes import Served
from support.wire import open_account

from bank_node.errors import BankError
from bank_node.ledger.audit import Report
from bank_node.ledger.sqlite_files import verify_file

_START = 1_000_000


class Payer(threading.Thread):
    """Keeps a pipeline of transfers full until its bank is gone or it has been told to stop."""

    def __init__(self, served: Served, source: str, target: str) -> None:
        super().__init__()
        self._wire = served.wire(deadline_s=30)
        self._lines = "".join(f"TR {source} {target} 1\r\n" for _ in range(32)).encode()
        self.committed = 0
        self.stopping = False

    def run(self) -> None:
        try:
            while not self.stopping:
                self._wire.send(self._lines)
                for _ in range(32):
                    self.committed += self._wire.line().endswith(" committed")
        except (ConnectionError, AssertionError):
            pass
        finally:
            self._wire.close()


class Bank:
    """A bank process that can be killed and comes back to the same place."""

    def __init__(self, data: Path, host: str, hosts: list[str]) -> None:
        self.data, self.host, self.port = data, host, bank_port(host)
        self._subnets = json.dumps([f"{other}/32" for other in hosts])
        self.served = self.start()

    def start(self) -> Served:
        self.served = Served(
            self.data, self.host, port=self.port, BANK_NETWORK_SUBNETS=self._subnets
        )
        return self.served

    def report(self) -> Report | None:
        try:
            return verify_file(self.data / "bank.db")
        except BankError:
            return None


def has_ended(banks: list[Bank]) -> bool:
    return all(report and not report.open_transfers for report in (b.report() for b in banks))


@pytest.mark.parametrize("victim", ["payer", "payee"])
@pytest.mark.parametrize("seed", range(2))
def test_a_bank_killed_under_load_loses_no_unit(tmp_path, victim, seed):
    draws = random.Random(seed)
    hosts = [some_host(), some_host()]
    banks = [Bank(tmp_path / host, host, hosts) for host in hosts]
    try:
        with banks[0].served.wire() as wire:
            source = open_account(wire)
            wire.ask(f"AD {source} {_START}")
        with banks[1].served.wire() as wire:
            target = open_account(wire)
        until(
            lambda: banks[0].served.ask(f"TR {source} {target} 1").startswith("TR "),
            "the banks know each other",
        )
        payer = Payer(banks[0].served, source, target)
        payer.start()
        goal = draws.randrange(20, 400)
        until(lambda: payer.committed >= goal, "the load is under way")
        killed = banks[("payer", "payee").index(victim)]
        killed.served.kill()
        payer.stopping = True
        killed.start()
        payer.join(60)
        until(lambda: has_ended(banks), "every transfer has come to its end", 40)
        left, arrived = (bank.report() for bank in banks)
        assert left is not None
        assert arrived is not None
        assert left.total + arrived.total == _START
        assert arrived.total >= payer.committed + 1, "who was told yes has paid"
        assert banks[1].served.ask(f"AB {target}") == f"AB {arrived.total}"
    finally:
        for bank in banks:
            bank.served.kill()
