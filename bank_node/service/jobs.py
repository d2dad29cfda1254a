"""Long work in the background, one piece at a time, at a fraction of the processor.

Knows pacing and cancelling; never what the work is.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread

from bank_node.errors import BankError, Reason, Refused

_log = logging.getLogger(__name__)

# How much of the time a job works. The interpreter serves one thread at a time, and clients are
# to have most of it.
_SHARE = 0.25
# After so much work a job pauses; shorter pauses than the interpreter's turns would be no pauses.
_TURN_NS = 5_000_000


class Cancelled(BankError):
    """The job is to end before it is done."""


class Job:
    """A thread that works while somebody has started it."""

    def __init__(self, name: str, now_ns: Callable[[], int]) -> None:
        self._name = name
        self._now_ns = now_ns
        self._lock = Lock()
        self._thread: Thread | None = None
        self._cancel = Event()
        self._turn_ns = 0
        self._started_ns = 0
        self._ended_ns = 0

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """How long the job has been running, or ran."""
        end_ns = self._now_ns() if self.is_running else self._ended_ns
        return max(0, end_ns - self._started_ns) / 1e9

    def start(self, work: Callable[[], object]) -> None:
        """Begins `work`, which calls `breathe` often. Raises Refused(ALREADY_RUNNING)."""
        with self._lock:
            if self.is_running:
                raise Refused(Reason.ALREADY_RUNNING)
            self._cancel.clear()
            self._started_ns = self._turn_ns = self._now_ns()
            self._thread = Thread(target=self._run, args=(work,), name=self._name, daemon=True)
            self._thread.start()

    def breathe(self) -> None:
        """Pauses the job when it has had its turn. Raises Cancelled."""
        worked_ns = self._now_ns() - self._turn_ns
        if worked_ns >= _TURN_NS:
            self._cancel.wait(worked_ns / 1e9 * (1 - _SHARE) / _SHARE)
            self._turn_ns = self._now_ns()
        if self._cancel.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Has the job end soon."""
        self._cancel.set()

    def join(self, deadline_s: float) -> bool:
        """Cancels and waits; whether the job has ended."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(deadline_s)
        return not self.is_running

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Cancelled:
            _log.info("%s was cancelled", self._name)
        except Exception:
            _log.exception("%s failed", self._name)
        finally:
            self._ended_ns = self._now_ns()
