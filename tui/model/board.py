"""The lists of the screen Transfers: what was told of each tab, put together. Pure."""

from collections.abc import Iterable

from tui.model import ways
from tui.model.money import (
    Keys,
    PinnedKey,
    Position,
    Positions,
    Reminders,
    TransferRow,
    Transfers,
)
from tui.model.ways import Going

DONE_MAX = 5_000
"""Ended transfers that are kept at hand; the journal has all."""


class Board:
    """What is known; a screen asks and shows."""

    def __init__(self) -> None:
        self.open = Transfers()
        self.lists: dict[str, list[Going]] = {"flight": [], "doubt": [], "done": []}
        self.older: int | None = None
        """Where the list of those that have ended goes on."""
        self.positions = Positions()
        self.reminders = Reminders()
        self.keys = Keys()

    def put_open(self, page: Transfers) -> bool:
        """Those under way, or only those in doubt; whether reminders have ended since."""
        has_ended = self.reminders.running and not page.reminders.running
        self.open, self.reminders = page, page.reminders
        if page.show == "doubt":
            self.lists["doubt"] = [ways.of_row(row) for row in page.rows]
        return has_ended

    def put_stages(self, stages: Iterable[TransferRow]) -> None:
        """What happens, the newest first, and below it what waits for longer already."""
        told = ways.gathered(stages)
        seen = {going.row.transfer: index for index, going in enumerate(told)}
        for row in self.open.rows if self.open.show == "open" else ():
            index = seen.get(row.transfer)
            if index is None:
                told.append(ways.of_row(row))
            elif told[index].is_open:
                # The stream tells what happened, the list what it waits for.
                told[index] = Going(row, told[index].reached)
        self.lists["flight"] = told

    def put_newest(self, page: Transfers) -> None:
        """The newest that have ended, above those that were fetched further down before."""
        newest = [ways.of_row(row) for row in page.rows]
        oldest = newest[-1].row.entry if newest else 0
        below = [going for going in self.lists["done"] if going.row.entry < oldest]
        if not below:
            self.older = page.next
        self.lists["done"] = (newest + below)[:DONE_MAX]

    def put_older(self, page: Transfers) -> None:
        """The next ones that have ended, below what is there."""
        older = [ways.of_row(row) for row in page.rows]
        self.lists["done"] = (self.lists["done"] + older)[:DONE_MAX]
        self.older = page.next if len(self.lists["done"]) < DONE_MAX else None

    def going(self, tab: str, key: object) -> Going | None:
        """A transfer of a tab."""
        found = self.lists.get(tab, ())
        return next((going for going in found if going.row.transfer == key), None)

    def position(self, bank: object) -> Position | None:
        """How the bank stands with another one."""
        return next((each for each in self.positions.rows if each.bank == bank), None)

    def key(self, bank: object) -> PinnedKey | None:
        """The key of a bank."""
        return next((each for each in self.keys.rows if each.bank == bank), None)
