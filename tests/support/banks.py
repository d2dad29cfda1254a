"""Banks as processes that are killed and come back to the same place, and their audit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bank_node.errors import BankError
from bank_node.ledger.audit import Report
from bank_node.ledger.positions import positions
from bank_node.ledger.sqlite_files import read_journal, verify_file
from support.nodes import bank_port
from support.polling import until
from support.processes import Served
from support.wire import Wire


class BankProcess:
    """A bank process on an address of its own."""

    def __init__(
        self,
        data: Path,
        host: str,
        hosts: Sequence[str],
        *,
        port: int = 0,
        prefix: Sequence[str] = (),
        **variables: str,
    ) -> None:
        """Does not start it. `hosts` are all addresses at which it may look for banks."""
        self.data, self.host = data, host
        self.port = port or bank_port(host)
        self._prefix = prefix
        self._variables = {
            "BANK_NETWORK_SUBNETS": json.dumps([f"{other}/32" for other in hosts]),
            "BANK_OPERATOR_ENABLED": "false",
            **variables,
        }
        self.served: Served | None = None

    def start(self, **variables: str) -> "BankProcess":
        """Starts it, with these settings for this life only; returns when it serves."""
        given = self._variables | variables
        self.served = Served(self.data, self.host, port=self.port, prefix=self._prefix, **given)
        return self

    def wire(self, *, deadline_s: float = 10.0) -> Wire:
        assert self.served is not None
        return self.served.wire(deadline_s=deadline_s)

    def ask(self, line: str) -> str:
        assert self.served is not None
        return self.served.ask(line)

    def kill(self) -> None:
        if self.served is not None and self.served.process.poll() is None:
            self.served.kill()

    def has_died(self) -> bool:
        return self.served is not None and self.served.process.poll() is not None

    def bury(self, deadline_s: float = 10.0) -> str:
        """Waits for the end that it brings on itself; what it wrote to stderr."""
        assert self.served is not None
        return self.served.ended(deadline_s)[1]

    def start_and_die(self, **variables: str) -> None:
        """Starts it with settings that let it kill itself, perhaps before it serves."""
        try:
            self.start(**variables)
        except AssertionError as error:
            if "crashing on purpose" not in str(error):
                raise
        else:
            self.bury()

    @property
    def ledger(self) -> Path:
        return self.data / "bank.db"

    def report(self) -> Report | None:
        """The audit of its ledger; None while the file is being opened."""
        try:
            return verify_file(self.ledger)
        except BankError:
            return None

    def positions(self) -> dict[Any, int]:
        return positions(read_journal(self.ledger))


def has_ended(banks: Sequence[BankProcess]) -> bool:
    """Whether no transfer is open at any of them."""
    return all(report and not report.open_transfers for report in (b.report() for b in banks))


def assert_nothing_is_missing(
    banks: Sequence[BankProcess], money: int, within_s: float = 20.0
) -> list[Report]:
    """Waits until all transfers have ended, then counts everything; the audits of the banks."""
    until(lambda: has_ended(banks), "every transfer has come to its end", within_s)
    reports = [verify_file(bank.ledger) for bank in banks]
    assert sum(report.total for report in reports) == money
    owed = {bank.host: bank.positions() for bank in banks}
    for one in owed:
        for other in owed:
            assert owed[one].get(other, 0) == -owed[other].get(one, 0), owed
    return reports
