"""Worker threads for what takes longer than a moment: surveys of the network, robbery plans.

Bounded in threads and in work that waits, so that a flood of costly requests is refused at once and
costs the cheap ones nothing but the processor.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from bank_node.errors import Reason, Refused
from bank_node.service.calls import Answer

_log = logging.getLogger(__name__)


class Workers:
    """A pool of threads with a bounded queue."""

    def __init__(self, threads: int, waiting_max: int) -> None:
        """`waiting_max` is how much work may wait for a thread."""
        self._pool = ThreadPoolExecutor(threads, "worker")
        self._lock = Lock()
        self._room = threads + waiting_max

    def run(self, work: Callable[[], str], done: Callable[[Answer], object]) -> None:
        """Has `work` done; `done` hears its result, on the worker's thread.

        Raises Refused(TOO_BUSY), or Refused(STOPPING) after `close`.
        """
        with self._lock:
            if not self._room:
                raise Refused(Reason.TOO_BUSY)
            self._room -= 1
        try:
            self._pool.submit(self._do, work, done)
        except RuntimeError:
            self._leave()
            raise Refused(Reason.STOPPING) from None

    def close(self) -> None:
        """Takes no more work; what is being done is left to its own deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _do(self, work: Callable[[], str], done: Callable[[Answer], object]) -> None:
        answer: Answer
        try:
            answer = work()
        except Refused as refused:
            answer = refused
        except Exception:
            _log.exception("a request failed")
            answer = Refused(Reason.INTERNAL)
        finally:
            self._leave()
        try:
            done(answer)
        except RuntimeError:
            # The loop that asked has ended meanwhile, and its clients with it.
            _log.debug("nobody waits for an answer any more")

    def _leave(self) -> None:
        with self._lock:
            self._room += 1
