"""A stored ledger seen from outside its node: the contract of what can be read and proved of it."""

from collections.abc import Callable, Iterator
from typing import Protocol

from bank_node.ledger.audit import Report
from bank_node.ledger.book import Account
from bank_node.ledger.journal import Block
from bank_node.ledger.notes import Note

Progress = Callable[[int], object]
"""Hears how many entries more are done."""
CheckNote = Callable[[Note], object]
"""Raises CorruptLedger for a note that says what nobody writes."""


def any_note(_note: Note) -> None:
    """Lets every note pass."""


class Archive(Protocol):
    """Works on a ledger that is being served, too. `str` of it says where it is, no password.

    Everything raises StartupError when there is no ledger or it cannot be reached, and
    CorruptLedger when it contradicts itself.
    """

    def count_entries(self) -> int:
        """How many entries the ledger claims to have, for a progress bar."""

    def verify(self, progress: Progress) -> Report:
        """Replays everything."""

    def accounts(self) -> list[Account]:
        """The open accounts by number, as of the last block."""

    def journal(self, after_height: int = 0) -> Iterator[Block]:
        """The blocks above a height in order, as of one moment."""
