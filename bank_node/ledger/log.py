"""The log of a ledger: signed heads and proofs, from the blocks as they are stored.

It runs beside the ledger thread and costs it nothing: whoever asks for a head or a proof first
takes in the blocks that came since the last time. Knows no wire.
"""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Protocol

from bank_node.errors import Reason, Refused
from bank_node.ledger.entries import Kind
from bank_node.ledger.journal import Block
from bank_node.ledger.merkle import Tree, leaf_hash
from bank_node.ledger.proofs import (
    Consistency,
    Inclusion,
    SignedHead,
    header_document,
    path_document,
    sign_head,
)
from bank_node.security.identity import Identity


class Blocks(Protocol):
    """Where the durable blocks are; `Store` has these."""

    def blocks(self, after_height: int = 0) -> Iterator[Block]: ...
    def block_of(self, entry: int) -> Block | None: ...


class Log:
    """The Merkle log over the blocks of one bank. From any thread but the ledger's."""

    def __init__(
        self,
        blocks: Blocks,
        bank: str,
        identity: Identity,
        now_us: Callable[[], int],
        epoch: Callable[[], int] = lambda: 1,
    ) -> None:
        self._blocks = blocks
        self._bank = bank
        self._identity = identity
        self._now_us = now_us
        self._epoch = epoch
        self._tree = Tree()
        self._lock = Lock()

    def head(self, within_s: float = -1) -> SignedHead:
        """What the ledger holds now, signed.

        The first call reads the whole ledger. Raises Refused(TOO_BUSY) when that is being done by
        somebody else for longer than `within_s` seconds; -1 waits to the end.
        """
        return self._signed(self._size_now(within_s))

    def inclusion(self, entry: int, within_s: float = -1) -> Inclusion:
        """The proof that an entry is in the ledger. Raises Refused(NO_SUCH_ENTRY)."""
        block = self._blocks.block_of(entry)
        # What is noted down of clients is nobody else's business; the money that moved is proven.
        if block is None or block.entry(entry).kind == Kind.NOTED:
            raise Refused(Reason.NO_SUCH_ENTRY)
        size = self._size_now(within_s)
        place = entry - block.first_entry
        leaves = block.leaves()
        in_block = Tree(map(leaf_hash, leaves))
        return Inclusion(
            head=self._signed(size),
            block=header_document(block.header),
            block_path=path_document(self._tree.inclusion(block.height - 1, size)),
            entry=entry,
            record=leaves[place].hex(),
            entry_path=path_document(in_block.inclusion(place, len(leaves))),
        )

    def consistency(self, first: int, second: int | None, within_s: float = -1) -> Consistency:
        """The proof that the ledger of `second` blocks, or of all, begins with that of `first`.

        Raises Refused(NO_SUCH_SIZE).
        """
        size = self._size_now(within_s)
        second = size if second is None else second
        if not first <= second <= size:
            raise Refused(Reason.NO_SUCH_SIZE, blocks=size)
        return Consistency(
            first=self._signed(first),
            second=self._signed(second),
            path=path_document(self._tree.consistency(first, second)),
        )

    def _signed(self, size: int) -> SignedHead:
        root = self._tree.root(size)
        return sign_head(self._identity, self._bank, self._epoch(), size, root, self._now_us())

    def _size_now(self, within_s: float) -> int:
        """Takes in the blocks that are new; returns how many there are."""
        if not self._lock.acquire(timeout=within_s):
            raise Refused(Reason.TOO_BUSY)
        try:
            for block in self._blocks.blocks(self._tree.size):
                self._tree.append(leaf_hash(block.header.packed()))
            return self._tree.size
        finally:
            self._lock.release()
