"""A ledger copied from one kind of store to another, block by block, and proved on both sides.

Knows neither kind: it is handed an archive to read and a target to fill. The blocks are copied
as they are, so the head of the copy is the head of the original.
"""

from collections.abc import Sequence
from typing import Protocol

from bank_node.errors import StartupError
from bank_node.ledger.archive import Archive, Progress
from bank_node.ledger.audit import Anchor, Report, Row, TransferRow
from bank_node.ledger.book import CASH
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, check, head_of
from bank_node.ledger.recovery import Recovery

# What is made durable at once: large enough that syncs do not matter, small enough for a packet.
_CHUNK_BLOCKS = 1000
_CHUNK_BYTES = 1_000_000


class Target(Protocol):
    """A store that a ledger is copied into. No node serves it before `publish`.

    Everything raises StartupError; after one, another run goes on where this one stopped.
    """

    def begin(self) -> Head:
        """Where an earlier run stopped; an empty head in an empty store.

        Raises StartupError if the store holds a ledger that no migration left there.
        """

    def add(self, blocks: Sequence[Block]) -> None:
        """Makes blocks durable that continue the chain."""

    def finish(self, rows: Sequence[Row], transfers: Sequence[TransferRow], anchor: Anchor) -> None:
        """Writes the rows of accounts and transfers as of the last block."""

    def copied(self) -> Archive:
        """What is there so far, for verification."""

    def publish(self) -> None:
        """Lets nodes serve it."""

    def close(self) -> None: ...


class Watch(Protocol):
    """Is told how far a migration is."""

    def step(self, what: str, entries: int) -> Progress:
        """A step begins that has so many entries to go through."""


def migrate(source: Archive, target: Target, watch: Watch) -> Report:
    """Copies a ledger. Raises CorruptLedger or StartupError; nothing is published then."""
    entries = source.count_entries()
    original = source.verify(watch.step(f"verifying {source}", entries))
    _copy(source, target, watch.step("copying", entries))
    copy = target.copied().verify(watch.step("verifying the copy", entries))
    if copy != original:
        raise StartupError(
            f"{source} has grown meanwhile; stop its nodes and run the same migration again"
        )
    target.publish()
    return copy


def _copy(source: Archive, target: Target, progress: Progress) -> None:
    there = target.begin()
    copying = _Copy(target, there)
    for block in source.journal():
        copying.take(block)
        progress(block.entry_count)
    copying.end()


class _Copy:
    """The blocks on their way, and the accounts that they add up to."""

    def __init__(self, target: Target, there: Head) -> None:
        self._target = target
        self._there = there
        self._head = EMPTY_HEAD
        self._state = Recovery({}, (), 0, {})
        self._chunk: list[Block] = []
        self._bytes = 0

    def take(self, block: Block) -> None:
        check(block, self._head)
        self._state.replay(block)
        self._head = head_of(block)
        if block.height < self._there.height:
            return
        if block.height == self._there.height:
            self._compare()
            return
        self._chunk.append(block)
        self._bytes += len(block.body) + len(block.attached)
        if len(self._chunk) >= _CHUNK_BLOCKS or self._bytes >= _CHUNK_BYTES:
            self._flush()

    def _compare(self) -> None:
        if self._head != self._there:
            raise StartupError("the target holds half of another ledger")

    def _flush(self) -> None:
        if self._chunk:
            self._target.add(self._chunk)
            self._chunk, self._bytes = [], 0

    def end(self) -> None:
        if self._head.height < self._there.height:
            raise StartupError("the target holds half of another ledger, a longer one")
        self._flush()
        state = self._state.state(self._head.sequence)
        rows = [Row(CASH, state.cash, self._head.sequence, 1)]
        rows += [Row.of(account) for account in sorted(filter(None, state.accounts.values()))]
        transfers = state.transfer_rows(sorted({*state.transfers, *state.finished}))
        anchor = Anchor(self._head.sequence, self._head.height, self._head.hash)
        self._target.finish(rows, [TransferRow._make(row) for row in transfers], anchor)
