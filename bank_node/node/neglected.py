"""Finds what is open in the ledger and nobody sees to any more.

Who begins a transfer sees to its end, and goes by what the ledger answers. If that answer was lost,
or another node of the bank began it and died, nobody would. So what was open at two looks in a row,
and has not changed between them, is taken up as it is after a new start.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bank_node.banking.payments.records import PAYMENTS
from bank_node.ledger.notes import Note
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import Transfer

_LOOK_S = 15.0
# Longer than anybody who sees to something waits for a word about it.
_REPLY_TIMES = 2


class Keepers(NamedTuple):
    """Who sees to transfers and to the records of payments."""

    is_seen_to: Callable[[str], object]
    """By the key of a transfer."""
    take_up: Callable[[Sequence[Transfer]], object]
    close: Callable[[Sequence[Note]], object]


class Neglected:
    """Belongs to one thread."""

    def __init__(self, store: Store, keepers: Keepers, timeout_s: float) -> None:
        """`timeout_s` is the node's time to a reply."""
        self._every_s = max(_LOOK_S, _REPLY_TIMES * timeout_s)
        self._store = store
        self._keepers = keepers
        self._seen: set[int] = set()
        self._look_at = 0.0

    def look(self, now_s: float) -> None:
        """Hands over what nobody sees to, if it is time to look again."""
        if now_s < self._look_at:
            return
        self._look_at = now_s + self._every_s
        is_seen_to, take_up, close = self._keepers
        transfers = [t for t in self._store.open_transfers() if not is_seen_to(t.key)]
        notes = [note for kind in PAYMENTS for note in self._store.open_notes(kind)]
        seen = self._seen
        self._seen = {each.entry for each in transfers} | {note.entry for note in notes}
        left = [each for each in transfers if each.entry in seen]
        if left:
            take_up(left)
        close([note for note in notes if note.entry in seen])
