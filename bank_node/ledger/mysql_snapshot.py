"""The account rows of a MySQL ledger, which lag behind its journal, and who carries them forward.

Every node on a bank knows which accounts changed since the rows were last complete, and any of
them may bring the rows up to date; rows only ever get newer, so they may do it at the same time.
"""

from collections.abc import Iterable

from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.book import CASH, State
from bank_node.ledger.journal import Head
from bank_node.ledger.mysql_link import Link
from bank_node.ledger.mysql_schema import SELECT_ANCHOR, move_anchor, write_rows, write_transfers

# How many entries may lie between the rows and the head before they are carried forward: as many
# as a start replays in about a quarter of a second.
SNAPSHOT_ENTRIES = 131_072
# Rows written after one block: few enough that its neighbours do not wait for them.
_PORTION_ROWS = 1024
# Rows written at once when nobody waits.
_LARGE_PORTION_ROWS = 8192


class Snapshot:
    """Which rows are to be written, up to which block they will be complete then."""

    def __init__(self, sequence: int) -> None:
        """`sequence` is the entry up to which the stored rows are complete."""
        self.sequence = sequence
        self._changed: dict[int | str, int] = {}
        self._portions: list[int | str] = []
        self._goal = Anchor(0, 0, b"")

    def note(self, names: Iterable[int | str], sequence: int) -> None:
        """Remembers which accounts and transfers a block changed that ends with this entry."""
        self._changed.update(dict.fromkeys(names, sequence))

    def is_due(self, head: Head) -> bool:
        return not self._portions and head.sequence - self.sequence >= SNAPSHOT_ENTRIES

    @property
    def is_under_way(self) -> bool:
        return bool(self._portions)

    def start_round(self, link: Link, head: Head) -> None:
        """Plans to write everything that changed up to `head`, unless another node has done it."""
        stored = Anchor._make(link.rows(SELECT_ANCHOR)[0])
        self.sequence = max(self.sequence, stored.sequence)
        due = {name for name, entry in self._changed.items() if entry > self.sequence}
        if not due:
            self._changed = {}
            return
        keys = sorted([name for name in due if isinstance(name, str)], reverse=True)
        numbers = [name for name in due if isinstance(name, int)]
        self._portions = [*keys, *sorted([*numbers, CASH], reverse=True)]
        self._changed = {}
        self._goal = Anchor(head.sequence, head.height, head.hash)

    def write_portion(self, link: Link, state: State, *, large: bool = False) -> None:
        """Writes the next rows as they are in `state`, which must be durable."""
        size = _LARGE_PORTION_ROWS if large else _PORTION_ROWS
        portion = self._portions[: -size - 1 : -1]
        rows = [_row(state, name) for name in portion if isinstance(name, int)]
        transfers = state.transfer_rows([name for name in portion if isinstance(name, str)])
        if rows:
            link.execute(write_rows(rows))
        if transfers:
            link.execute(write_transfers(TransferRow._make(row) for row in transfers))
        if len(portion) == len(self._portions):
            link.execute(move_anchor(self._goal))
            self.sequence = self._goal.sequence
        del self._portions[-len(portion) :]


def _row(state: State, number: int) -> Row:
    if number == CASH:
        return Row(CASH, state.cash, state.sequence, 1)
    account = state.accounts.get(number)
    if account is None:
        # A closed account leaves a row that says up to which entry it is closed.
        return Row(number, 0, state.sequence, 0)
    return Row(number, account.balance, account.last_entry, 1)
