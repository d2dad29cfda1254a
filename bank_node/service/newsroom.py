"""Tells those who listen what becomes of payments: a thread between the ledger and who waits.

The ledger thread only leaves records here; nobody who listens slowly costs it anything.
What is no longer in memory is looked up in the journal, on a worker.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from bank_node.banking.payments.abroad import record_key
from bank_node.banking.payments.news import PAGE_MAX, Board, Done, News, Page
from bank_node.banking.payments.records import Payment, read
from bank_node.errors import Refused
from bank_node.ledger.entries import Account
from bank_node.ledger.journal import Block, Head
from bank_node.ledger.lookback import Cursor, steps
from bank_node.ledger.notes import Note, ReadNote
from bank_node.ledger.operations import Operation, ReadLastEntry, Result
from bank_node.service.workers import Workers
from bank_node.telemetry.clock import Clock
from bank_node.values import AccountNumber

_log = logging.getLogger(__name__)

_LOOK_S = 0.2
# How many entries of an account a look into the journal reads.
_STEPS_MAX = 1000
# A payment can be closed a while after its money was moved; between the two are so many entries.
_MARGIN = 10_000


class Source(Protocol):
    """What is needed of the store."""

    reads_are_instant: bool

    @property
    def head(self) -> Head: ...
    def account(self, number: int) -> Account | None: ...
    def block_of(self, entry: int) -> Block | None: ...


class Newsroom:
    """See the module."""

    def __init__(
        self,
        store: Source,
        read_note: Callable[[Operation], Result],
        clock: Clock,
        writes: Callable[[], bool],
    ) -> None:
        """`read_note` may block.

        `writes` says whether this node writes to the ledger now: of the rest it does not hear.
        """
        self._writes = writes
        self._store = store
        self._read = read_note
        self._now_ns = clock.monotonic_ns
        self._workers: Workers | None = None
        self._queue: SimpleQueue[Callable[[], Sequence[tuple[Done, Page]]] | None] = SimpleQueue()
        self._heard: deque[Sequence[Note]] = deque()
        self._is_awaited = False
        self._board = Board(store.head.sequence)
        self._thread = Thread(target=self._run, name="payment-news", daemon=True)

    def start(self, workers: Workers) -> None:
        """`workers` look into the journal."""
        self._workers = workers
        self._thread.start()

    def hush(self) -> None:
        """Lets nobody wait any more: the node stops, and is not to wait for them."""
        self._queue.put(self._board.end)

    def stop(self) -> None:
        """Tells nobody anything any more."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def begin(self) -> None:
        """Hears of all that is written from now on; what was before is in the journal alone."""
        self._queue.put(partial(self._board.begin, self._store.head.sequence))

    @property
    def now(self) -> int:
        """The cursor of whoever wants to hear what happens from now on."""
        return self._store.head.sequence

    def heard(self, notes: Sequence[Note]) -> None:
        """Takes in records of payments that are durable; called on the ledger thread."""
        # All of a block at once, and while nobody waits, they lie until the thread looks around:
        # waking it costs more than all that it does for a payment.
        self._heard.append(notes)
        if self._is_awaited:
            self._queue.put(tuple)

    def _take_in(self) -> None:
        """Tells those who wait of all that was heard."""
        while self._heard:
            for note in self._heard.popleft():
                self._tell(self._board.heard(note))

    def listen(self, account: int, cursor: int, within_s: float, done: Done) -> None:
        """News of an account after an entry; waits for some, if need be. Raises Refused(TOO_BUSY).

        `done` hears them on another thread.
        """
        due_s = self._now_s() + within_s

        def wait(after: int) -> None:
            self._queue.put(partial(self._board.wait, account, after, due_s, done))

        # Where others write to the ledger as well, memory here does not hear of everything.
        hears_all = self._writes() and self._store.reads_are_instant
        if cursor >= self._board.floor and hears_all:
            wait(cursor)
            return
        found: list[Page] = []

        def work() -> str:
            found.append(self._look_back(account, cursor))
            return ""

        def looked(answer: str | bytes | Refused) -> None:
            if found and not found[0].news and not found[0].lost:
                wait(max(cursor, self._board.floor))
            else:
                done(found[0] if found else Page((), cursor))

        assert self._workers is not None
        self._workers.run(work, looked)

    def _look_back(self, account: int, cursor: int) -> Page:
        """What the journal says of an account after an entry."""
        if not self._store.reads_are_instant:
            # Nobody may have asked this node for anything since another one has written.
            self._read(ReadLastEntry(AccountNumber(account)))
        known = self._store.account(account)
        if known is None:
            return Page((), cursor)
        found: dict[str, News] = {}
        last = known.last_entry
        start = Cursor(known.last_entry, known.balance)
        for step in islice(steps(self._store, account, start), _STEPS_MAX):
            last = step.line.number
            if last <= cursor - _MARGIN:
                lost = False
                break
            transfer = step.line.transfer
            key = record_key(transfer.key) if transfer else ""
            if not key or key in found:
                continue
            note = self._read(ReadNote(key))
            if isinstance(note, Note) and note.entry > cursor and not note.is_open:
                found[key] = News(note.entry, read(Payment, note))
        else:
            lost = _is_older(self._store, account, last)
        news = tuple(sorted(found.values(), key=lambda each: each.entry))[:PAGE_MAX]
        return Page(news, news[-1].entry if news else self.now if lost else cursor, lost)

    def _now_s(self) -> float:
        return self._now_ns() / 1e9

    def _run(self) -> None:
        overdue_at = 0.0
        while True:
            try:
                work = self._queue.get(timeout=_LOOK_S)
            except Empty:
                work = tuple
            if work is None:
                return
            try:
                self._take_in()
                self._tell(work())
                # Raised before the look at what was heard, so that nobody is left waiting.
                self._is_awaited = self._board.is_awaited
                self._take_in()
                if self._now_s() >= overdue_at:
                    overdue_at = self._now_s() + _LOOK_S
                    self._tell(self._board.overdue(self._now_s()))
            except Exception:
                _log.exception("news could not be told")

    def _tell(self, told: Sequence[tuple[Done, Page]]) -> None:
        for done, page in told:
            try:
                done(page)
            except Exception:
                # Whoever listened is gone, and its loop with it.
                _log.debug("nobody listens any more", exc_info=True)


def _is_older(store: Source, account: int, entry: int) -> bool:
    """Whether an account has entries before this one."""
    block = store.block_of(entry)
    if block is None:
        return False
    found = block.entry(entry)
    return bool(found.credit_previous if found.credit == account else found.debit_previous)
