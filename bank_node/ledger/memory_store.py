"""A store without a disk: the contract at its plainest, for tests and for scratch banks."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bank_node.ledger import book
from bank_node.ledger.book import FreeNumbers, State
from bank_node.ledger.following import follow
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, check, head_of, records_at
from bank_node.ledger.notes import ReadNote
from bank_node.ledger.operations import Operation, Result, touched
from bank_node.ledger.records import Record
from bank_node.ledger.state_reads import StateReads, block_holding
from bank_node.ledger.transfer_operations import ReadTransfer


class MemoryStore(StateReads):
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

    @property
    def is_sound(self) -> bool:
        return True

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

    def close(self) -> None:
        pass
