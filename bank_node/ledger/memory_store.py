"""A store without a disk: the contract at its plainest, for tests and for scratch banks."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter

from bank_node.ledger import book
from bank_node.ledger.book import Account, FreeNumbers, State
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, head_of
from bank_node.ledger.operations import Operation, Result, touched


class MemoryStore:
    """Keeps blocks in a list. It is forgotten with the process."""

    reads_are_instant = True

    def __init__(self) -> None:
        self.head: Head = EMPTY_HEAD
        self._blocks: list[Block] = []
        self._state = State({}, FreeNumbers(()))

    def fork(self, operations: Sequence[Operation]) -> State:
        return self._state.fork(touched(operations))

    def commit(self, state: State, block: Block) -> None:
        self._blocks.append(block)
        self.head = head_of(block)
        self._state.absorb(state)

    def confirm(self) -> None:
        pass

    def discard(self) -> None:
        self._state.free = FreeNumbers(self._state.accounts)

    def read(self, operation: Operation) -> Result:
        return book.decide(self._state, operation)

    def blocks(self, after_height: int = 0) -> Iterator[Block]:
        return iter(self._blocks[after_height:])

    def block_of(self, entry: int) -> Block | None:
        index = bisect_right(self._blocks, entry, key=lambda block: block.first_entry) - 1
        return block_holding(entry, self._blocks[index] if index >= 0 else None)

    def accounts(self) -> list[Account]:
        return open_accounts(self._state)

    def close(self) -> None:
        pass


def open_accounts(state: State) -> list[Account]:
    """The open accounts of a state by number; safe while another thread absorbs batches."""
    # Copying a dict is one step for the interpreter, iterating over it is not.
    accounts = dict(state.accounts)
    # Comparing numbers alone is three times faster than comparing whole accounts.
    return sorted(filter(None, accounts.values()), key=itemgetter(0))


def block_holding(entry: int, block: Block | None) -> Block | None:
    """The block if it holds an entry."""
    return block if block and block.first_entry <= entry <= block.last_entry else None
