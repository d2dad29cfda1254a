"""The state of a stored ledger at a start: rows that lag, and the blocks after them.

Pure over what a store hands in. It trusts what it is handed; proving it is the business of
`audit.py`.
"""

from collections.abc import Iterable, Mapping

from bank_node.ledger import book, moves
from bank_node.ledger.book import Account, FreeNumbers, State
from bank_node.ledger.entries import HELD, Kind, is_client, is_settlement
from bank_node.ledger.journal import Block
from bank_node.ledger.records import Record, decode
from bank_node.ledger.transfers import Transfer


class Recovery:
    """Rows, brought up to date block by block."""

    def __init__(
        self,
        accounts: dict[int, Account],
        records: Iterable[Record],
        anchored: int,
        up_to: Mapping[int, int],
    ) -> None:
        """The rows are complete up to entry `anchored`; `up_to` names those that are newer."""
        self._accounts = accounts
        self._records = {record.key: record for record in records}
        self._anchored = anchored
        self._up_to = up_to
        self.changed: dict[int | str, int] = {}
        """The accounts and transfers that the blocks changed, each with its last entry."""

    def replay(self, block: Block) -> None:
        """Raises CorruptLedger if the block does not fit the rows."""
        accounts, changed = self._accounts, self.changed
        for sequence, entry in block.entries():
            kind, debit, credit, amount, _, _ = entry
            if kind <= Kind.WITHDRAWN:
                number = credit or debit
                changed[number] = sequence
                if self._is_new(number, sequence):
                    book.apply(accounts, entry, sequence)
                continue
            for number, change in ((debit, -amount), (credit, amount)):
                if number > HELD:
                    changed[number] = sequence
                    if self._is_new(number, sequence):
                        moves.add(accounts, number, change, sequence)
        for sequence, payload in block.payloads().items():
            # Each payload is the whole record, so an older one than the row's does no harm.
            record = decode(payload, sequence)
            self._records[record.key] = record
            changed[record.key] = sequence

    def _is_new(self, number: int, sequence: int) -> bool:
        """Whether the row of an account does not hold this entry yet."""
        return sequence > max(self._anchored, self._up_to.get(number, 0))

    def state(self, sequence: int) -> State:
        """What it all comes to, as of the last entry that was replayed."""
        accounts = self._accounts
        state = State(dict(accounts), FreeNumbers(accounts))
        state.sequence = sequence
        state.clients = sum(map(is_client, accounts))
        state.settled = sum(a.balance for a in accounts.values() if is_settlement(a.number))
        for record in self._records.values():
            state.keep(record)
            if isinstance(record, Transfer):
                state.lay_claims(None, record)
        state.set_ceiling()
        state.cash = -sum(account.balance for account in accounts.values()) - state.held
        return state
