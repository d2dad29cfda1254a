"""Attends to what has a time of its own: mandates to be paid, requests that expire, disputes.

Every few seconds it looks through what is open in the ledger and does what is due. It remembers
nothing: a restart, a second node of the bank, or two looks at once change nothing, because the
ledger decides each case again and knows each payment by its name.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread

from bank_node.banking.payments import disputes
from bank_node.banking.payments.collects import ExpireCollect, is_due
from bank_node.banking.payments.dues import Todo, due
from bank_node.banking.payments.papers import (
    COLLECTS,
    DISPUTES,
    MANDATES,
    REQUESTS,
    Collect,
    Dispute,
    Mandate,
)
from bank_node.banking.payments.records import read
from bank_node.banking.payments.refunds import OnItsWay
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Operation, ReadClients
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.node.correspondence import Correspondence
from bank_node.node.inquiries import Inquiries
from bank_node.node.neglected import Neglected
from bank_node.service.counter import Counter
from bank_node.service.disputes import carry_back, settling
from bank_node.service.mandates import attending

_log = logging.getLogger(__name__)

EVERY_S = 2.0
# As many as fit well into one batch beside what clients ask for.
_AT_ONCE = 256


class Attendant:
    """The attendant with its thread."""

    def __init__(
        self,
        store: Store,
        ledger: Writer,
        counter: Counter,
        bank: str,
        leads: Callable[[], bool],
        inquiries: Inquiries,
        correspondence: Correspondence,
        neglected: Neglected,
        every_s: float = EVERY_S,
    ) -> None:
        """Only a node that leads its bank attends to anything."""
        self._store = store
        self._ledger = ledger
        self._counter = counter
        self._bank = bank
        self._leads = leads
        self._inquiries = inquiries
        self._correspondence = correspondence
        self._neglected = neglected
        self._every_s = every_s
        self._stopping = Event()
        self._heard: SimpleQueue[Sequence[Note]] = SimpleQueue()
        self._thread = Thread(target=self._run, name="attendant", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begins nothing more; what is with the ledger comes to its end there."""
        self._stopping.set()
        self._heard.put(())

    def heard(self, papers: Sequence[Note]) -> None:
        """Takes in requests that became durable: another bank may have to hear of them."""
        self._heard.put(papers)

    def _run(self) -> None:
        round_at = self._now_s() + self._every_s
        while not self._stopping.is_set():
            try:
                papers = self._next(round_at)
                if papers and self._leads():
                    self._correspondence.heard(papers)
                    for operation in self._due_of(papers):
                        self._do(operation)
                if self._now_s() >= round_at:
                    round_at = self._now_s() + self._every_s
                    if self._leads():
                        self._look()
            except Exception:
                _log.exception("a round of the attendant failed")

    def _now_s(self) -> float:
        return self._counter.clock.monotonic_ns() / 1e9

    def _next(self, round_at: float) -> Sequence[Note]:
        """What was heard, or nothing when it is time for a round."""
        try:
            return self._heard.get(timeout=max(0.0, round_at - self._now_s()))
        except Empty:
            return ()

    def _look(self) -> None:
        if not self._store.reads_are_instant:
            # What other nodes wrote is seen only when something is asked for.
            self._ledger.call(ReadClients())
        self._neglected.look(self._now_s())
        self.make_round()
        self._inquiries.make_round(self._store.open_notes(DISPUTES))
        for kind in REQUESTS:
            self._correspondence.make_round(self._store.open_notes(kind))

    def make_round(self) -> int:
        """Does what is due now; returns how much that was. Waits for the ledger."""
        count = 0
        for operation in self._due():
            if self._stopping.is_set():
                break
            self._do(operation)
            count += 1
            if count >= _AT_ONCE:
                break
        return count

    def _do(self, operation: Operation) -> None:
        result = self._ledger.call(operation)
        if isinstance(result, OnItsWay):
            carry_back(self._counter, result)

    def _due_of(self, notes: Iterable[Note]) -> Iterator[Operation]:
        """What is due about mandates; one that has just changed may need something at once."""
        terms = self._counter.terms()
        for note in notes:
            if not note.key.startswith(MANDATES):
                continue
            mandate = read(Mandate, note)
            if due(mandate, terms.now, terms.rules) is not Todo.NOTHING:
                yield attending(self._counter, mandate, self._bank, terms)

    def _due(self) -> Iterator[Operation]:
        terms = self._counter.terms()
        for note in self._store.open_notes(COLLECTS):
            collect = read(Collect, note)
            if is_due(collect, terms.now.us):
                yield ExpireCollect(collect.id, collect.payer_account, terms.now.us)
        yield from self._due_of(self._store.open_notes(MANDATES))
        for note in self._store.open_notes(DISPUTES):
            dispute = read(Dispute, note)
            if disputes.due(dispute, terms.now) is not None:
                yield settling(self._counter, dispute, self._bank, terms)
