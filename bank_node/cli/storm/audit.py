"""The count at the end: the ledgers of all banks against each other and against what was told.

Reads nothing but the ledgers, after their banks have stopped.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bank_node.cli.around import environment
from bank_node.cli.program import program
from bank_node.cli.storm.traffic import Asked
from bank_node.config import load
from bank_node.ledger.entries import bank_of
from bank_node.ledger.positions import outcomes, positions
from bank_node.ledger.transfers import Phase, Transfer
from bank_node.node import open_archive

_VERIFY_S = 600.0


class Verified(NamedTuple):
    """What `bank verify` says of one ledger."""

    fits: bool
    total: int
    transfers: int
    open_transfers: int
    told: str


class Books:
    """The ledger of one bank, read from its folder."""

    def __init__(self, host: str, folder: Path) -> None:
        """Raises StartupError and CorruptLedger."""
        self.host = host
        self.verified = verify(folder)
        archive = open_archive(load(None, {}, {"data": str(folder)}).settings)
        self.positions = {str(bank): owed for bank, owed in positions(archive.journal()).items()}
        self.outcomes = outcomes(archive.journal())

    def committed(self, key: str) -> Transfer | None:
        """The record of a transfer that is carried out here."""
        record = self.outcomes.get(key)
        return record if record and record.phase is Phase.ENDED else None


def verify(folder: Path) -> Verified:
    """What `bank verify` says, as a process of its own."""
    command = [*program(), "verify", "--data", str(folder), "--json"]
    ended = subprocess.run(  # noqa: S603 - our own program
        command, env=environment(), capture_output=True, text=True, timeout=_VERIFY_S, check=False
    )
    try:
        found = json.loads(ended.stdout)
    except ValueError:
        found = {"fits": False, "problem": ended.stderr.strip()}
    if ended.returncode or not found["fits"]:
        return Verified(False, 0, 0, 0, f"does not fit: {found.get('problem', '')}")
    told = f"{found['blocks']} blocks, {found['entries']} entries, head {found['head_hash'][:16]}"
    return Verified(True, found["total"], found["transfers"], found["open_transfers"], told)


class Audit:
    """Everything that has to be true when all has ended."""

    def __init__(
        self, books: Sequence[Books], money: int, asked: dict[str, Asked], yes: set[str],
        no: dict[str, str],
    ) -> None:  # fmt: skip
        """`money` is what the banks held together before the first transfer."""
        self._books: dict[str, Books] = {each.host: each for each in books}
        self._money = money
        self._asked, self._yes, self._no = asked, yes, no
        self.late = [0, 0]
        """Of what nobody was told: how much was carried out, how much was not."""
        self.problems = [
            *self._ledgers(),
            *self._sum(),
            *self._pairs(),
            *(each for name in asked for each in self._told(name)),
        ]
        """One sentence for each thing that is not as it has to be."""

    @property
    def total(self) -> int:
        return sum(each.verified.total for each in self._books.values())

    def _ledgers(self) -> Iterator[str]:
        for each in self._books.values():
            if not each.verified.fits:
                yield f"the ledger of {each.host} {each.verified.told}"
            if each.verified.open_transfers:
                yield f"{each.verified.open_transfers} transfers of {each.host} have no end"

    def _sum(self) -> Iterator[str]:
        if self.total != self._money:
            yield f"there were {self._money} units, there are {self.total}"

    def _pairs(self) -> Iterator[str]:
        for one in self._books.values():
            for other in self._books.values():
                owes, is_owed = (
                    one.positions.get(other.host, 0), -other.positions.get(one.host, 0)
                )  # fmt: skip
                if one.host < other.host and owes != is_owed:
                    yield f"{one.host} owes {other.host} {owes}, which knows of {is_owed}"

    def _told(self, name: str) -> Iterator[str]:
        asked = self._asked[name]
        left = self._books[asked.payer].committed(name)
        arrived = self._books[asked.payee].committed(f"{asked.payer}/{name}")
        for record, other in ((left, asked.payee), (arrived, asked.payer)):
            if record and (record.amount != asked.amount or bank_of(record.bank) != other):
                yield f"the transfer {name} is booked as another one"
        if (left is None) is not (arrived is None):
            yield f"the transfer {name} is carried out at one bank only"
        if name in self._yes and not left:
            yield f"the transfer {name} was told to be carried out, and is not"
        elif name in self._no and left:
            yield f"the transfer {name} was told to be refused, and is carried out"
        elif name not in self._yes and name not in self._no:
            self.late[0 if left else 1] += 1
