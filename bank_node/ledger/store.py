"""The contract between the writer and a store: everything a store must do, on one page.

A store keeps blocks and the state that they add up to. Only the ledger thread calls `fork`,
`commit`, `confirm`, `discard` and, unless reads are instant, `read`; the rest may be called from
any thread.

A ledger may have several writers. Then the state that a batch was decided on can turn out to be
old: `fork`, `commit` and `confirm` raise Conflict, nothing is booked, and after a `discard` the
batch is decided again on a newer state.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from bank_node.ledger.book import Account, State
from bank_node.ledger.journal import Block, Head
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfers import Transfer


class Store(Protocol):
    """Durable blocks and the state that they add up to."""

    reads_are_instant: bool
    """Whether `read` answers from memory, so that an I/O thread, or any other, may call it."""

    @property
    def head(self) -> Head:
        """The last durable block. What `read` and `accounts` tell is never older."""

    def fork(self, operations: Sequence[Operation]) -> State:
        """A working state that holds what these operations touch, for one batch."""

    def commit(self, state: State, block: Block) -> None:
        """Makes a block and the state behind it durable, then visible to readers.

        Raises StoreError; unless it is OutcomeUnknown, the block is certainly not in the ledger
        then. After an error, and after a batch that was neither committed nor confirmed,
        `discard` must follow.
        """

    def confirm(self) -> None:
        """Proves that a batch without entries was decided on the latest state; ends the batch."""

    def discard(self) -> None:
        """Forgets the working state of a batch that will not be committed."""

    def read(self, operation: Operation) -> Result:
        """Decides an operation that changes nothing, on durable state only."""

    def blocks(self, after_height: int = 0) -> Iterator[Block]:
        """The durable blocks above a height, in order."""

    def block_of(self, entry: int) -> Block | None:
        """The durable block that holds the entry with this sequence number; None without one.

        Costs about as much in a long journal as in a short one.
        """

    def account(self, number: int) -> Account | None:
        """An account as of the last durable block."""

    def accounts(self) -> list[Account]:
        """The open accounts by number, as of one moment."""

    def positions(self) -> list[Account]:
        """The settlement accounts by number, one for each bank that money went to or came from."""

    def open_transfers(self) -> list[Transfer]:
        """The transfers to which something is still to happen, as of one moment."""

    def open_notes(self, kind: str) -> list[Note]:
        """The open notes whose keys begin like this, as of one moment."""

    def close(self) -> None:
        """Writes out what may be written lazily and lets go of the files."""


class SharedStore(Store, Protocol):
    """A store that other nodes write to as well: `reads_are_instant` is False.

    Both methods may be called from any thread.
    """

    def is_current(self) -> bool:
        """Whether the state in memory holds everything that is durable at this moment.

        Raises StoreError if that cannot be found out.
        """

    def peek(self, operation: Operation) -> Result:
        """Decides an operation that changes nothing on the state in memory, as it is."""


class FollowingStore(Store, Protocol):
    """A store of one node, which can be a copy of another node's."""

    @property
    def is_sound(self) -> bool:
        """Whether it may be written to; if not, its next opening finds out what it holds."""

    def take(self, blocks: Sequence[Block]) -> None:
        """Makes blocks durable that another node decided, in one step, then visible to readers.

        Only the ledger thread calls it. Raises CorruptLedger unless the blocks are whole,
        continue the head and keep every rule, and StoreError when they cannot be written; the
        store must not be written to again after either.
        """
