"""The one thread that changes the ledger: batches, blocks, and replies only after the disk.

I/O threads submit lists of operations with a callback. Whatever has gathered becomes one batch,
is decided in order, sealed into one block and committed by one fsync; then every submission
hears its results. Nothing here waits for a batch to grow.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple, cast

from bank_node.errors import Conflict, Reason, StoreError
from bank_node.ledger.book import decide, decide_all
from bank_node.ledger.journal import Block, seal
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Done, Operation, Result, is_read, is_yes
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.reader import Reader
from bank_node.ledger.store import SharedStore, Store
from bank_node.ledger.transfers import Transfer
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

_RECORDS = frozenset((Transfer, Note))


class Submission(NamedTuple):
    """Operations to be decided in this order, and who hears what became of them."""

    operations: Sequence[Operation]
    done: Done


class Writer:
    """Group commit over a store."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        batch_operations: int,
        patience_s: float = 4.0,
    ) -> None:
        """A batch holds at most `batch_operations` unless one submission alone holds more.

        `patience_s` bounds how long a batch is decided again and again because other nodes of
        the same bank are faster.
        """
        self._store = store
        self.reads_are_instant = store.reads_are_instant
        """Whether `read` answers from memory, without waiting."""
        self._metrics = metrics
        self._clock = clock
        self._batch_operations = batch_operations
        self._patience_ns = int(patience_s * 1e9)
        self._queue: SimpleQueue[Submission | None] = SimpleQueue()
        self._held: Submission | None = None
        self._failed: Reason | None = None
        self._barred = False
        self._quorum: Quorum | None = None
        self._published: Callable[[Block], object] = _nobody
        self._heard: Callable[[Sequence[Transfer | Note]], object] | None = None
        self._beside: list[Note] = []
        self._stopping = False
        self._has_ended = False
        self.read: Callable[[Operation], Result]
        """What an operation that changes nothing comes to on durable state. From any thread.

        At once where reads are instant; else it waits for the ledger thread, so an I/O thread
        must not call it.
        """
        self.read = store.read if store.reads_are_instant else self.call
        self._thread = Thread(target=self._run, name="ledger", daemon=True)
        self._reader = (
            None if store.reads_are_instant else Reader(cast("SharedStore", store), self.submit)
        )

    def look_up(self, operations: Sequence[Operation], done: Done) -> None:
        """Answers reads of a store whose reads are not instant, ahead of what is being written.

        `done` is called as that of `submit` is, perhaps on another thread.
        """
        assert self._reader is not None, "instant reads need no thread"
        if self._has_ended:
            self._tell(done, [Reason.STOPPING] * len(operations))
        else:
            self._reader.look_up(operations, done)

    def start(self) -> None:
        self._thread.start()
        if self._reader is not None:
            self._reader.start()

    @property
    def failure(self) -> Reason | None:
        """Why writes are refused for good, or None while they are served."""
        return self._failed

    def ship(self, published: Callable[[Block], object], quorum: Quorum | None) -> None:
        """Before `start`: who hears of each durable block, and what acknowledgements wait for."""
        self._published = published
        self._quorum = quorum

    def tell(self, heard: Callable[[Sequence[Transfer | Note]], object]) -> None:
        """Before `start`: who hears of the records of transfers and the notes that were written.

        On the ledger thread, after those who asked for them, and of each step of a record once.
        Of what could not be made durable, or is not acknowledged in the end, nobody hears.
        """
        self._heard = heard

    def bar(self, barred: bool) -> None:
        """Whether changes are refused because another node leads; reads go on.

        From any thread; it holds from the next batch on.
        """
        self._barred = barred

    def between(self, work: Callable[[], object]) -> None:
        """Has something done on the ledger thread between two batches, and waits for it.

        Raises what `work` raises, and StoreError when the thread has ended or ends first.
        """
        ended: list[BaseException | None] = []
        ready = Event()

        def done(_results: Sequence[Result]) -> None:
            try:
                if self._has_ended:
                    raise StoreError("the ledger is closed", reason=Reason.STOPPING, final=False)
                work()
                ended.append(None)
            except BaseException as error:
                ended.append(error)
            finally:
                ready.set()

        # A batch without operations decides nothing, and its end lies between two batches.
        self.submit((), done)
        ready.wait()
        if ended[0] is not None:
            raise ended[0]

    def submit(self, operations: Sequence[Operation], done: Done) -> None:
        """Queues operations; `done` is called on the ledger thread, once, with their results.

        After the end of that thread it is called at once: every result is STOPPING then.
        """
        self._queue.put(Submission(operations, done))
        if self._has_ended:
            self._turn_away()

    def call(self, operation: Operation) -> Result:
        """Submits one operation and waits for its result."""
        results: list[Result] = []
        ready = Event()

        def done(outcome: Sequence[Result]) -> None:
            results.extend(outcome)
            ready.set()

        self.submit((operation,), done)
        ready.wait()
        return results[0]

    def stop(self, deadline_s: float | None = None) -> bool:
        """Finishes everything that was submitted before, then ends the thread.

        False if it has not ended by the deadline, because the disk does not return: then the
        store must be left alone, and its next opening finds out what it holds.
        """
        reader = self._reader
        if reader is not None and self._thread.is_alive() and not reader.stop(deadline_s):
            return False
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(deadline_s)
        else:
            self._turn_away()
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            self._serve(self._gather())
        self._turn_away()

    def _turn_away(self) -> None:
        """Answers what came too late.

        The flag is up before the queue is emptied, and `submit` looks at it after it has put
        something in: so whoever comes last, nobody is left waiting.
        """
        self._has_ended = True
        with suppress(Empty):
            while True:
                late = self._queue.get_nowait()
                if late is not None:
                    self._tell(late.done, [Reason.STOPPING] * len(late.operations))

    def _gather(self) -> list[Submission]:
        """Waits for one submission and takes along what else has gathered meanwhile."""
        first = self._held or self._queue.get()
        self._held = None
        batch: list[Submission] = []
        size = 0
        while first is not None:
            size += len(first.operations)
            if batch and size > self._batch_operations:
                self._held = first
                return batch
            batch.append(first)
            try:
                first = self._queue.get_nowait()
            except Empty:
                return batch
        self._stopping = True
        return batch

    def _serve(self, batch: list[Submission]) -> None:
        if not batch:
            return
        if len(batch) == 1:
            operations = batch[0].operations
        else:
            operations = [operation for submission in batch for operation in submission.operations]
        before = self._store.head
        self._beside = []
        results = self._process(operations)
        has_block = self._store.head.height > before.height
        # What says yes without a block is about an earlier one, which may still wait for followers.
        if self._quorum is not None and (has_block or any(map(is_yes, operations, results))):
            self._hold(self._quorum, batch, operations, results, before.sequence)
        else:
            self._tell_all(batch, results, self._beside, before.sequence)

    def _hold(
        self,
        quorum: Quorum,
        batch: list[Submission],
        operations: Sequence[Operation],
        results: Sequence[Result],
        before: int,
    ) -> None:
        """Keeps the answers of a batch until enough followers have its block."""
        beside = self._beside

        def release(confirmed: bool) -> None:
            # The batch is on this disk, and not known to be on enough others.
            told = (
                results
                if confirmed
                else [
                    Reason.OUTCOME_UNKNOWN if is_yes(operation, result) else result
                    for operation, result in zip(operations, results, strict=True)
                ]
            )
            self._tell_all(batch, told, beside if confirmed else (), before)

        quorum.hold(self._store.head.height, release)

    def _tell_all(
        self,
        batch: list[Submission],
        results: Sequence[Result],
        beside: Sequence[Note],
        before: int,
    ) -> None:
        """Tells all results; entries after `before` are new."""
        first = 0
        for submission in batch:
            last = first + len(submission.operations)
            self._tell(submission.done, results[first:last])
            first = last
        if self._heard is not None and (beside or not _RECORDS.isdisjoint(map(type, results))):
            news: list[Any] = [result for result in results if type(result) in _RECORDS]
            news = [*(record for record in news if record.entry > before), *beside]
            if news:
                self._tell(self._heard, news)

    def _process(self, operations: Sequence[Operation]) -> Sequence[Result]:
        """Decides a batch and makes it durable; every error becomes a result."""
        if self._barred:
            return self._refuse(operations, Reason.NOT_LEADER)
        before = self._store.head
        try:
            return self._decide_until_it_fits(operations)
        except StoreError as error:
            # While a database is away every batch fails; the store logs when it goes and returns.
            if error.reason is not Reason.STORE_AWAY:
                _log.error("a batch of %d was not booked: %s", len(operations), error)
            self._metrics.store_errors += 1
            self._give_up_batch()
            if error.final:
                self._failed = Reason.STORE_FAILED
            return self._refuse(operations, error.reason)
        except Exception:
            # A defect must not end the thread that all clients depend on; nothing is booked.
            _log.exception("a batch of %d was not booked", len(operations))
            self._give_up_batch()
            sound = self._sound(operations) if self._store.head == before else []
            left = [each for each, is_sound in zip(operations, sound, strict=False) if is_sound]
            if not left or len(left) == len(operations):
                return [Reason.INTERNAL] * len(operations)
            # Whose own rule fails must not cost the others theirs.
            results = iter(self._process(left))
            return [next(results) if is_sound else Reason.INTERNAL for is_sound in sound]

    def _sound(self, operations: Sequence[Operation]) -> list[bool]:
        """Of each operation of a batch that failed, whether its rule comes to a result."""
        sound = [False] * len(operations)
        with suppress(Exception):
            state = self._store.fork(operations)
            for place, operation in enumerate(operations):
                with suppress(Exception):
                    decide(state, operation)
                    sound[place] = True
        self._give_up_batch()
        return sound

    def _decide_until_it_fits(self, operations: Sequence[Operation]) -> Sequence[Result]:
        """Decides a batch again each time another node of the bank was faster."""
        try:
            return self._decide_and_commit(operations)
        except Conflict:
            give_up_ns = self._clock.monotonic_ns() + self._patience_ns
        while True:
            self._metrics.store_conflicts += 1
            self._store.discard()
            try:
                return self._decide_and_commit(operations)
            except Conflict as error:
                if self._clock.monotonic_ns() >= give_up_ns:
                    raise StoreError(str(error), reason=Reason.TOO_BUSY, final=False) from None

    def _decide_and_commit(self, operations: Sequence[Operation]) -> Sequence[Result]:
        store = self._store
        state = store.fork(operations)
        results = decide_all(state, operations)
        if not state.entries:
            store.confirm()
            return results
        if self._failed is not None:
            self._give_up_batch()
            return self._refuse(operations, self._failed)
        started = self._clock.monotonic_ns()
        block = seal(store.head, state.entries, self._clock.now_us())
        store.commit(state, block)
        self._metrics.committed(len(state.entries), (self._clock.monotonic_ns() - started) // 1000)
        self._beside = state.beside
        self._published(block)
        return results

    def _refuse(self, operations: Sequence[Operation], reason: Reason) -> Sequence[Result]:
        """The results of a batch whose writes failed: reads are still answered, from the disk."""
        return [
            self._read_or(reason, operation) if is_read(operation) else reason
            for operation in operations
        ]

    def _read_or(self, reason: Reason, operation: Operation) -> Result:
        try:
            return self._store.read(operation)
        except (StoreError, Conflict):
            return reason
        except Exception:
            _log.exception("a read could not be answered")
            return Reason.INTERNAL

    def _give_up_batch(self) -> None:
        try:
            self._store.discard()
        except Exception:
            _log.exception("the store cannot discard a batch, writing ends")
            self._failed = Reason.STORE_FAILED

    def _tell(self, done: Callable[[Any], object], results: Sequence[Any]) -> None:
        try:
            done(results)
        except Exception:
            # Whoever asked is gone (its loop is closed); the others still want their replies.
            _log.exception("a result could not be delivered")


def _nobody(_block: Block) -> None:
    """Who hears of blocks while nobody wants to."""
