"""The shared store: a ledger in a MySQL-protocol database that several nodes may serve at once.

The chain of blocks is what the nodes agree on. Each keeps the whole state in memory and follows
the blocks of the others; a batch is decided on that state and added as the next block, and the
primary key lets only one node add a block of each height. Who was slower takes over what the
other one did and decides again.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock

from bank_node.errors import (
    Conflict,
    CorruptLedger,
    OutcomeUnknown,
    Reason,
    StartupError,
    StoreError,
)
from bank_node.ledger import book
from bank_node.ledger.book import State
from bank_node.ledger.entries import is_client
from bank_node.ledger.following import follow
from bank_node.ledger.journal import Block, Head, check, head_of
from bank_node.ledger.lagging_rows import Snapshot
from bank_node.ledger.mysql_address import Address
from bank_node.ledger.mysql_link import Beaten, Link, Lost, Row
from bank_node.ledger.mysql_reading import read_blocks, read_news, recall, restore
from bank_node.ledger.mysql_schema import (
    SELECT_HEIGHT,
    block_of,
    insert_after_last,
    insert_blocks,
    is_unfinished,
    migrate,
    select_block_of,
    select_offer,
)
from bank_node.ledger.mysql_snapshot import start_round, write_all, write_portion
from bank_node.ledger.notes import ReadNote
from bank_node.ledger.operations import Operation, Result, is_read, touched
from bank_node.ledger.records import Record
from bank_node.ledger.state_reads import StateReads, block_holding
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.telemetry.clock import Clock

_log = logging.getLogger(__name__)

# The share of the time to a reply in which a lost COMMIT may be looked up.
_SETTLE_SHARE = 0.3
_SETTLE_PAUSE_S = 0.05
_OFFERS = 2**63
# How long a node does without turns after it has waited for one in vain.
_NO_TURNS_S = 5.0
# How many turns without news from other nodes it takes to believe that they have stopped writing.
_TURNS_DUE = 8
# A writer that lost a race it did not wait for lets the others finish, at first and at most.
_YIELD_MIN_S, _YIELD_MAX_S = 0.001, 0.064


class MysqlStore(StateReads):
    """See the module. Opening creates or migrates the tables and reads the ledger into memory."""

    reads_are_instant = False

    def __init__(
        self, address: Address, clock: Clock, draw: Callable[[], int], timeout_s: float
    ) -> None:
        """`timeout_s` is the node's time to a reply; `draw` returns random integers.

        Raises StartupError (unreachable, not to be served) or CorruptLedger.
        """
        self._address = address
        self._clock = clock
        self._draw = draw
        self._timeout_s = timeout_s
        self._link = Link(address, clock, timeout_s)
        self._reader = Link(address, clock, timeout_s)
        self._looking_up = Lock()
        self._batch: State | None = None
        # The random number by which the block of this batch is told from those of other nodes.
        self._offer = 0
        self._in_turn = False
        # How many batches had better wait for their turn, because other nodes are writing.
        self._turns_due = 0
        self._turns_from_ns = 0
        self._races_lost = 0
        try:
            self._open()
        except BaseException:
            self._link.close()
            raise

    def _open(self) -> None:
        try:
            migrate(self._link)
            if is_unfinished(self._link):
                raise StartupError(
                    f"{self._address} holds half of a ledger; finish the same `bank migrate` first"
                )
            self._state, self._head, anchored, changed = restore(self._link)
        except (StoreError, Lost, Beaten) as error:
            raise StartupError(f"the database cannot be used: {error}") from None
        self._snapshot = Snapshot(anchored)
        self._snapshot.note(changed, self._head.sequence)
        if self._link.flush_at_commit != "1":
            _log.warning(
                "innodb_flush_log_at_trx_commit of %s is %s: a crash of the database can lose "
                "what was acknowledged; 1 prevents that",
                self._address,
                self._link.flush_at_commit,
            )

    @property
    def head(self) -> Head:
        return self._head

    def fork(self, operations: Sequence[Operation]) -> State:
        if all(map(is_read, operations)):
            self._catch_up()
        elif self._turns_due and self._takes_turns:
            self._take_turn()
        elif self._turns_due:
            self._catch_up()
        self._batch = self._state.fork(touched(operations), self._recall)
        return self._batch

    def _recall(self, wanted: Mapping[str, int]) -> list[Record]:
        try:
            return list(recall(self._link.rows, wanted))
        except (Beaten, Lost) as error:
            raise Conflict(str(error)) from error

    def commit(self, state: State, block: Block) -> None:
        self._offer = self._draw() % _OFFERS
        try:
            if self._in_turn:
                self._link.execute(insert_blocks((block,), self._offer))
                self._link.execute(b"COMMIT")
            elif not self._link.execute(
                insert_after_last(block, self._offer, in_turn=self._takes_turns)
            ):
                raise self._history_lost()
        except Beaten as error:
            self._lose_race(block, error)
        except Lost as error:
            _log.warning("looking block %d up: %s", block.height, error)
            self._settle(block)
        self._absorb(state, block)

    def confirm(self) -> None:
        if self._in_turn:
            self._end_turn()
        elif self._catch_up():
            raise Conflict("a batch was decided on an old state")
        self._batch = None

    def discard(self) -> None:
        if self._in_turn:
            self._end_turn()
        if self._batch is not None:
            self._state.release(self._batch)
            self._batch = None

    def read(self, operation: Operation) -> Result:
        self._catch_up()
        if isinstance(operation, ReadTransfer | ReadNote):
            return book.decide(self._state.fork(touched((operation,)), self._recall), operation)
        return book.decide(self._state, operation)

    def is_current(self) -> bool:
        return bool(self._look_up(SELECT_HEIGHT)[0][0] <= self._head.height)

    def peek(self, operation: Operation) -> Result:
        if isinstance(operation, ReadTransfer | ReadNote):
            found = self._state.fork(
                touched((operation,)), lambda wanted: recall(self._look_up, wanted)
            )
            return book.decide(found, operation)
        return book.decide(self._state, operation)

    def block_of(self, entry: int) -> Block | None:
        found = [block_of(row) for row in self._look_up(select_block_of(entry))]
        return block_holding(entry, found[0] if found else None)

    def _look_up(self, sql: bytes) -> list[Row]:
        """The rows of a query of another thread than the ledger thread. Raises StoreError."""
        with self._looking_up:
            try:
                return self._reader.rows(sql)
            except (Beaten, Lost):
                # A connection may have died while nobody used it; asking again changes nothing.
                pass
            try:
                return self._reader.rows(sql)
            except (Beaten, Lost) as error:
                raise StoreError(str(error), reason=Reason.STORE_AWAY, final=False) from None

    def blocks(self, after_height: int = 0) -> Iterator[Block]:
        link = Link(self._address, self._clock, self._timeout_s)
        try:
            yield from read_blocks(link, after_height)
        except (Beaten, Lost) as error:
            raise StoreError(str(error), reason=Reason.STORE_AWAY, final=False) from None
        finally:
            link.close()

    def close(self) -> None:
        """Brings the account rows up to date, so that the next start has little to replay."""
        try:
            if self._link.is_open and self._head.sequence > self._snapshot.sequence:
                write_all(self._snapshot, self._link, self._head, self._state)
        except (StoreError, Beaten, Lost) as error:
            _log.warning("the account rows stay behind the journal: %s", error)
        finally:
            self._link.close()
            self._reader.close()

    def _catch_up(self) -> bool:
        """Follows what other nodes have added; whether there was anything."""
        try:
            return self._follow()
        except (Beaten, Lost) as error:
            raise Conflict(str(error)) from error

    def _follow(self, *, in_turn: bool = False) -> bool:
        known = self._head
        is_all = False
        while not is_all:
            # The block that memory ends with is asked for too: a database that no longer has it
            # has lost what was acknowledged, and nothing may be built on top of that.
            news = read_news(self._link, self._head, in_turn=in_turn)
            if news is None:
                raise self._history_lost()
            for block in news.blocks:
                self._take_over(block)
            is_all = news.is_all
        return self._head is not known

    def _take_over(self, block: Block) -> None:
        try:
            check(block, self._head)
            touched = follow(self._state, block)
        except CorruptLedger as error:
            raise StoreError(
                f"another node added a block that does not fit: {error}",
                reason=Reason.STORE_FAILED,
                final=True,
            ) from error
        self._head = head_of(block)
        accounts = self._state.accounts
        # An open account of a client tells by itself when it was changed last.
        beside = [n for n in touched if isinstance(n, str) or not is_client(n) or n not in accounts]
        self._snapshot.note(beside, self._head.sequence)

    @property
    def _takes_turns(self) -> bool:
        return self._clock.monotonic_ns() >= self._turns_from_ns

    def _note_wait(self, error: Exception) -> None:
        """Turns are a courtesy: a node that stopped in the middle of its own keeps nobody out."""
        if isinstance(error, Beaten) and error.by_waiting:
            self._turns_from_ns = self._clock.monotonic_ns() + int(_NO_TURNS_S * 1e9)

    def _take_turn(self) -> None:
        """Waits until no other node is in the middle of a batch, and follows what they did."""
        try:
            self._link.execute(b"START TRANSACTION")
            self._in_turn = True
            found_news = self._follow(in_turn=True)
            self._turns_due = _TURNS_DUE if found_news else self._turns_due - 1
        except (Beaten, Lost) as error:
            self._note_wait(error)
            self._yield()
            raise Conflict(str(error)) from error

    def _end_turn(self) -> None:
        self._in_turn = False
        if not self._link.is_open:
            return
        try:
            self._link.execute(b"ROLLBACK")
        except (StoreError, Beaten, Lost):
            # A connection that is gone has rolled back by itself.
            self._link.close()

    def _lose_race(self, block: Block, error: Beaten) -> None:
        """Another block may have the height. Raises Conflict unless it is this very block."""
        self._end_turn()
        try:
            found = self._link.rows(select_offer(block.height))
        except (StoreError, Beaten, Lost):
            found = []
        if found == [(self._offer,)]:
            return
        self._turns_due = _TURNS_DUE
        self._note_wait(error)
        if not found:
            self._yield()
        raise Conflict(str(error)) from error

    def _yield(self) -> None:
        """Lets the others finish, longer each time: two that collide must not collide for ever."""
        self._races_lost += 1
        longest_s = min(_YIELD_MAX_S, _YIELD_MIN_S * 2**self._races_lost)
        time.sleep(longest_s * (self._draw() % 1024) / 1024)

    def _settle(self, block: Block) -> None:
        """Finds out what became of a block whose COMMIT was lost.

        Whoever holds the height decides. If nobody does, the very same block is offered again:
        the primary key admits it once, however many copies of the statement are still on their
        way, and any other block in its place keeps it out for good. Raises Conflict if it is not
        in the ledger, and OutcomeUnknown if that cannot be found out in time.
        """
        self._in_turn = False
        give_up_ns = self._clock.monotonic_ns() + int(self._timeout_s * _SETTLE_SHARE * 1e9)
        while True:
            try:
                if not self._link.is_open:
                    self._link.open(at_once=True)
                found = self._link.rows(select_offer(block.height))
                if found == [(self._offer,)]:
                    return
                if found:
                    self._turns_due = _TURNS_DUE
                    raise Conflict("another block took the place of one whose commit was lost")
                if self._link.execute(insert_after_last(block, self._offer, in_turn=False)):
                    return
                raise self._history_lost()
            except Beaten:
                continue
            except (Lost, StoreError) as error:
                if isinstance(error, StoreError) and error.final:
                    raise
                if self._clock.monotonic_ns() >= give_up_ns:
                    raise OutcomeUnknown(f"block {block.height}: {error}", final=False) from error
            time.sleep(_SETTLE_PAUSE_S)

    def _history_lost(self) -> StoreError:
        return StoreError(
            f"the database {self._address} no longer has block {self._head.height}, which was "
            "durable; see what `bank verify` says before a restart accepts that",
            reason=Reason.STORE_FAILED,
            final=True,
        )

    def _absorb(self, state: State, block: Block) -> None:
        self._in_turn = False
        self._batch = None
        self._races_lost = 0
        changed = state.changed_beside_accounts(self._head.sequence)
        self._state.absorb(state)
        # Last, because whoever finds this height in the database reads the state without a lock.
        self._head = head_of(block)
        self._snapshot.note(changed, self._head.sequence)
        if self._snapshot.is_under_way or self._snapshot.is_due(self._head):
            self._carry_snapshot(len(changed))

    def _carry_snapshot(self, records: int) -> None:
        try:
            if not self._snapshot.is_under_way:
                start_round(self._snapshot, self._link, self._head, self._state)
            if self._snapshot.is_under_way:
                write_portion(self._snapshot, self._link, self._state, records)
        except (StoreError, Beaten, Lost) as error:
            # The block is durable; rows that lag cost nothing but a longer start.
            _log.warning("account rows were not written, they will be: %s", error)
