"""A store without a disk: the contract at its plainest, for tests and for scratch banks."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from bank_node.ledger import book
from bank_node.ledger.book import Account, FreeNumbers, State
from bank_node.ledger.entries import is_client, is_settlement
from bank_node.ledger.following import follow
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, check, head_of, records_at
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.operations import Operation, Result, touched
from bank_node.ledger.records import Record
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.ledger.transfers import Transfer


class MemoryStore:
    """Keeps blocks in a list. It is forgotten with the process."""

    reads_are_instant = True

    def __init__(self) -> None:
        self.head: Head = EMPTY_HEAD
        self._blocks: list[Block] = []
        self._state = State({}, FreeNumbers(()))

    def fork(self, operations: Sequence[Operation]) -> State:
        return self._state.fork(touched(operations), self._recall)

    def _recall(self, wanted: Mapping[str, int]) -> Iterable[Record]:
        places = {key: entry for key, entry in wanted.items() if entry}
        return records_at(places, self.block_of)

    def commit(self, state: State, block: Block) -> None:
        self._blocks.append(block)
        self._state.absorb(state)
        self.head = head_of(block)

    def take(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            check(block, self.head)
            follow(self._state, block)
            self._blocks.append(block)
            self.head = head_of(block)

    def confirm(self) -> None:
        pass

    def discard(self) -> None:
        self._state.free = FreeNumbers(self._state.accounts)

    def read(self, operation: Operation) -> Result:
        if isinstance(operation, ReadTransfer | ReadNote):
            return book.decide(self.fork((operation,)), operation)
        return book.decide(self._state, operation)

    def blocks(self, after_height: int = 0) -> Iterator[Block]:
        return iter(self._blocks[after_height:])

    def block_of(self, entry: int) -> Block | None:
        index = bisect_right(self._blocks, entry, key=lambda block: block.first_entry) - 1
        return block_holding(entry, self._blocks[index] if index >= 0 else None)

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

    def close(self) -> None:
        pass


def open_accounts(state: State) -> list[Account]:
    """The open client accounts by number; safe while another thread absorbs batches."""
    return _sorted(state, is_client)


def settlement_accounts(state: State) -> list[Account]:
    """The accounts of other banks by number; safe while another thread absorbs batches."""
    return _sorted(state, is_settlement)


def _sorted(state: State, belongs: Callable[[int], bool]) -> list[Account]:
    # Copying a dict is one step for the interpreter, iterating over it is not.
    accounts = dict(state.accounts)
    found = [account for number, account in accounts.items() if account and belongs(number)]
    # Comparing numbers alone is three times faster than comparing whole accounts.
    return sorted(found, key=itemgetter(0))


def block_holding(entry: int, block: Block | None) -> Block | None:
    """The block if it holds an entry."""
    return block if block and block.first_entry <= entry <= block.last_entry else None
