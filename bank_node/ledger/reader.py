"""The thread that answers reads of a shared ledger, so that they do not wait behind commits.

Whatever reads have gathered are proved by one question to the database: is the state in memory
the latest? If it is, they are answered from memory; if another node was writing, they go to the
ledger thread, which follows it.
"""

import logging
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from bank_node.errors import Reason, StoreError
from bank_node.ledger.operations import Done, Operation, Submit
from bank_node.ledger.store import SharedStore

_log = logging.getLogger(__name__)


class Reader:
    """Group reads over a shared store."""

    def __init__(self, store: SharedStore, submit: Submit) -> None:
        """`submit` has operations decided by the ledger thread."""
        self._store = store
        self._submit = submit
        self._queue: SimpleQueue[tuple[Sequence[Operation], Done] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_up(self, operations: Sequence[Operation], done: Done) -> None:
        """Has reads answered; `done` hears their results on some thread of the ledger's."""
        self._queue.put((operations, done))

    def stop(self, deadline_s: float | None) -> bool:
        """Answers what was asked before and ends; False if it has not ended by the deadline."""
        self._queue.put(None)
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            gathered = [first]
            while (more := self._more()) is not None:
                gathered.append(more)
            self._serve(gathered)

    def _more(self) -> tuple[Sequence[Operation], Done] | None:
        try:
            item = self._queue.get_nowait()
        except Empty:
            return None
        if item is None:
            # Put back for the loop, which ends once what came before it is served.
            self._queue.put(None)
        return item

    def _serve(self, gathered: list[tuple[Sequence[Operation], Done]]) -> None:
        reason = None
        is_current = True
        try:
            is_current = self._store.is_current()
        except StoreError as error:
            reason = error.reason
        except Exception:
            _log.exception("reads could not be answered")
            reason = Reason.INTERNAL
        for operations, done in gathered:
            try:
                if not is_current:
                    self._submit(operations, done)
                else:
                    done([reason or self._store.peek(each) for each in operations])
            except Exception:
                # Whoever asked is gone; the others still want their replies.
                _log.exception("results could not be delivered")
