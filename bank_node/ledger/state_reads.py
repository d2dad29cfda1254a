"""What every store answers from the state that it keeps in memory, whatever is under that.

Any thread may ask while the ledger thread absorbs batches: the interpreter copies a dictionary in
one step, which iterating over it is not.
"""

from collections.abc import Callable
from operator import attrgetter

from bank_node.ledger.book import Account, State
from bank_node.ledger.entries import is_client, is_settlement
from bank_node.ledger.journal import Block
from bank_node.ledger.notes import Note
from bank_node.ledger.transfers import Transfer


class StateReads:
    """A part of the contract in `store.py`, for stores that keep the state as `_state`."""

    _state: State

    def account(self, number: int) -> Account | None:
        return self._state.accounts.get(number)

    def accounts(self) -> list[Account]:
        return open_accounts(self._state)

    def positions(self) -> list[Account]:
        return settlement_accounts(self._state)

    def open_transfers(self) -> list[Transfer]:
        return list(self._state.transfers.copy().values())

    def open_notes(self, kind: str) -> list[Note]:
        notes = self._state.notes.copy().values()
        return [note for note in notes if note.key.startswith(kind)]


def open_accounts(state: State) -> list[Account]:
    """The open client accounts by number."""
    return _sorted(state, is_client)


def settlement_accounts(state: State) -> list[Account]:
    """The accounts of other banks by number."""
    return _sorted(state, is_settlement)


def _sorted(state: State, belongs: Callable[[int], bool]) -> list[Account]:
    accounts = dict(state.accounts)
    found = [account for number, account in accounts.items() if account and belongs(number)]
    # Comparing numbers alone is three times faster than comparing whole accounts.
    return sorted(found, key=attrgetter("number"))


def block_holding(entry: int, block: Block | None) -> Block | None:
    """The block if it holds an entry."""
    return block if block and block.first_entry <= entry <= block.last_entry else None
