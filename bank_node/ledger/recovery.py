"""The state of a stored ledger at a start: rows that lag, and the blocks after them.

Pure over what a store hands in. It trusts what it is handed; proving it is the business of
`audit.py`.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from bank_node.ledger import book, moves
from bank_node.ledger.book import Account, FreeNumbers, State
from bank_node.ledger.entries import ENTRY, HELD, Entry, Kind, is_settlement
from bank_node.ledger.journal import Block
from bank_node.ledger.records import Record, decode
from bank_node.ledger.transfers import Transfer
from bank_node.values import ACCOUNT_MAX, AMOUNT_MAX

_DEPOSITED = int(Kind.DEPOSITED)
_WITHDRAWN = int(Kind.WITHDRAWN)
_new = tuple.__new__


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
        self._has_replayed = False
        # Records, and accounts that the blocks closed: what is open tells its last entry itself.
        self._also_changed: dict[int | str, int] = {}

    def replay(self, block: Block) -> None:
        """Raises CorruptLedger if the block does not fit the rows."""
        accounts, anchored, up_to = self._accounts, self._anchored, self._up_to
        self._has_replayed = True
        sequence = block.first_entry - 1
        for entry in ENTRY.iter_unpack(block.body):
            sequence += 1
            kind, debit, number, amount, debit_previous, previous = entry
            # Most of all entries are deposits, and a start waits for each of them: one that fits
            # is applied on the spot, and whatever else by the rules of the book.
            if kind == _DEPOSITED and not debit and not debit_previous:
                if up_to.get(number, anchored) >= sequence:
                    continue
                account = accounts.get(number)
                if account is not None and account.last_entry == previous:
                    balance = account.balance + amount
                    if balance <= AMOUNT_MAX:
                        accounts[number] = Account(number, balance, sequence)
                        continue
            self._replay(_new(Entry, entry), sequence)
        for sequence, payload in block.payloads().items():
            # Each payload is the whole record, so an older one than the row's does no harm.
            record = decode(payload, sequence)
            self._records[record.key] = record
            self._also_changed[record.key] = sequence

    def changed(self) -> dict[int | str, int]:
        """The accounts and transfers that the blocks changed, each with its last entry."""
        changed, anchored = self._also_changed.copy(), self._anchored
        if self._has_replayed:
            changed.update(
                (n, account.last_entry)
                for n, account in self._accounts.items()
                if account.last_entry > anchored
            )
        return changed

    def _replay(self, entry: Entry, sequence: int) -> None:
        kind, debit, credit, amount, _, _ = entry
        if kind <= _WITHDRAWN:
            number = credit or debit
            if self._is_new(number, sequence):
                book.apply(self._accounts, entry, sequence)
            if kind == Kind.CLOSED:
                self._also_changed[number] = sequence
            return
        for number, change in ((debit, -amount), (credit, amount)):
            if number > HELD and self._is_new(number, sequence):
                moves.add(self._accounts, number, change, sequence)

    def _is_new(self, number: int, sequence: int) -> bool:
        """Whether the row of an account does not hold this entry yet."""
        return sequence > max(self._anchored, self._up_to.get(number, 0))

    def state(self, sequence: int) -> State:
        """What it all comes to, as of the last entry that was replayed."""
        accounts = self._accounts
        state = State(dict(accounts), FreeNumbers(accounts))
        state.sequence = sequence
        others = [number for number in accounts if not HELD < number <= ACCOUNT_MAX]
        state.clients = len(accounts) - len(others)
        state.settled = sum(accounts[n].balance for n in others if is_settlement(n))
        for record in self._records.values():
            state.keep(record)
            if isinstance(record, Transfer):
                state.lay_claims(None, record)
        state.set_ceiling()
        state.cash = -sum(map(attrgetter("balance"), accounts.values())) - state.held
        return state
