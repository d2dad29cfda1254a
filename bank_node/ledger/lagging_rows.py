"""Which rows of a stored ledger are to be rewritten, in portions that no client waits for.

The rows lag behind the journal: they are a snapshot, complete up to one entry, which is carried
forward in rounds. Knows names of rows and nothing of their contents, and writes none itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby, islice

from bank_node.ledger.entries import CASH, Account
from bank_node.ledger.journal import EMPTY_HEAD, Head
from bank_node.values import ACCOUNT_MAX, ACCOUNT_MIN

# How many entries may lie between the snapshot and the head before it is carried forward.
# Twice as many are about the most that a start can meet. Replaying them takes a third of a second,
# and about three where all of them have records.
SNAPSHOT_ENTRIES = 131_072
# Account numbers looked at for one block. An account that lies cold in memory takes most of a
# microsecond, and what is written next should find it warm.
_LOOK_NUMBERS = 512
# Rows that a block carries for each record that it changes.
_ROWS_FOR_A_RECORD = 2
# Keys are sorted so many at a time as they come: all of a round at once would be felt.
_RUN_KEYS = 1024

Name = int | str
"""The number of an account or the key of a record."""


class Snapshot:
    """The rows as they lag behind the journal, and the round that carries them forward.

    A round has a goal, a block: once its last portion is durable, the rows are complete up to
    there. What a block changes while the round is under way is later than the goal, so it does
    not matter whether the round still comes across it.
    """

    def __init__(self, sequence: int) -> None:
        """`sequence` is the entry up to which the stored rows are complete."""
        self.sequence = sequence
        self._numbers: set[int] = set()
        self._keys: set[str] = set()
        self._runs: list[tuple[int, list[str]]] = []
        """Sorted keys, each list with the entry that all of them were changed by."""
        self._goal = EMPTY_HEAD
        self._round: Iterator[list[Name]] | None = None
        self._round_keys: Iterator[str] = iter(())
        self._rows = 1
        """How many a portion usually has."""
        self._times = 1
        """How many times the usual rows the next block carries."""
        self._portion: list[Name] = []

    def note(self, names: Iterable[Name], sequence: int) -> None:
        """Remembers rows that a block changed, but for those of open accounts of clients.

        Such an account tells its last entry itself; remembering it would cost each deposit more
        than looking at all accounts costs each round. `sequence` is the last entry of the block.
        """
        for name in names:
            if isinstance(name, str):
                self._keys.add(name)
            else:
                self._numbers.add(name)
        if len(self._keys) >= _RUN_KEYS:
            self._runs.append((sequence, sorted(self._keys)))
            self._keys = set()

    def written_elsewhere(self, sequence: int) -> None:
        """Another node has written all rows up to an entry: this one need not."""
        if sequence > self.sequence:
            self.sequence = sequence
            self._runs = [run for run in self._runs if run[0] > sequence]

    def is_due(self, head: Head) -> bool:
        """Whether enough has gathered for another round."""
        return not self.is_under_way and head.sequence - self.sequence >= SNAPSHOT_ENTRIES

    @property
    def is_under_way(self) -> bool:
        return self._round is not None

    def start_round(self, head: Head, accounts: Mapping[int, Account | None], rows: int) -> None:
        """Has everything written that changed up to `head`, so many rows at a time.

        `accounts` is looked at while the round goes on. A round that was under way is given up,
        and what it had still to write belongs to this one.
        """
        left = [name for name in self._portion if isinstance(name, str)]
        runs = [left, self._round_keys, *(keys for _, keys in self._runs), sorted(self._keys)]
        self._runs, self._keys, self._portion = [], set(), []
        self._round_keys = (key for key, _ in groupby(merge(*runs)))
        self._goal, self._rows = head, rows
        self._round = self._walk(accounts)

    def _walk(self, accounts: Mapping[int, Account | None]) -> Iterator[list[Name]]:
        """Portions; an empty one is a pause in which nothing was found."""
        rows = self._rows
        noted, since, account_of = self._numbers, self.sequence, accounts.get
        others = sorted(number for number in noted if number > ACCOUNT_MAX)
        while keys := list(islice(self._round_keys, rows * self._times)):
            yield [*keys]
        found: list[Name] = []
        looks = self._times
        for first in range(ACCOUNT_MIN, ACCOUNT_MAX + 1, _LOOK_NUMBERS):
            found += [
                number
                for number in range(first, first + _LOOK_NUMBERS)
                if ((account := account_of(number)) and account.last_entry > since)
                or number in noted
            ]
            looks -= 1
            while len(found) >= (size := rows * self._times):
                yield found[:size]
                looks = self._times
                del found[:size]
            if not looks:
                yield []
                looks = self._times
        # The goal is reached with cash, so that there is a last portion in any case.
        found += [*others, CASH]
        for start in range(0, len(found), rows):
            yield found[start : start + rows]

    def next_portion(self, records: int = 0) -> list[Name]:
        """The rows to write along with the next block: the same ones until they are `done`.

        Empty when no round is under way, or when this block need not carry any. A block that
        changes many `records` carries even more rows, a few times as many as others do: else more
        would be left to write, and to keep in memory, after each round than after the one before.
        """
        if not self._portion and self._round is not None:
            self._times = 1 + _ROWS_FOR_A_RECORD * records // self._rows
            self._portion = next(self._round)
        return self._portion

    def goal_reached_by(self, portion: list[Name]) -> Head | None:
        """The head that the rows are complete up to once this portion is written, if any."""
        return self._goal if portion[-1] == CASH else None

    def done(self) -> None:
        """Called once the portion is durable."""
        if self.goal_reached_by(self._portion):
            self.sequence = self._goal.sequence
            self._round = None
        # Whatever changes one of these rows from now on notes it again.
        self._numbers.difference_update([n for n in self._portion if isinstance(n, int)])
        self._portion = []
