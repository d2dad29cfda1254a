"""Requests that wait for news, all of them on one thread that looks around ten times a second.

Whoever makes news does not learn that somebody waits: a busy bank pays nothing for a hundred
consoles, and news that come in a burst are told together.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import NamedTuple

from bank_node.errors import Reason, Refused

_log = logging.getLogger(__name__)

_LOOK_S = 0.1


class Wait(NamedTuple):
    """One request: it is over when there is news, when it is due, or when nobody listens."""

    is_over: Callable[[], bool]
    due_ns: int
    tell: Callable[[], object]
    """Answers the request; called once."""


class Waits:
    """The requests that wait, at most `waiting_max` of them."""

    def __init__(self, waiting_max: int, now_ns: Callable[[], int]) -> None:
        self._waiting_max = waiting_max
        self._now_ns = now_ns
        self._waits: list[Wait] = []
        self._lock = Lock()
        self._some = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="operator-waits", daemon=True)
        self._thread.start()

    def add(self, wait: Wait) -> None:
        """Has a request wait. Raises Refused(TOO_BUSY) when too many do, or STOPPING."""
        with self._lock:
            if self._stopping.is_set():
                raise Refused(Reason.STOPPING)
            if len(self._waits) >= self._waiting_max:
                raise Refused(Reason.TOO_BUSY)
            self._waits.append(wait)
        self._some.set()

    def close(self) -> None:
        """Answers everything that waits and ends the thread."""
        with self._lock:
            self._stopping.set()
        self._some.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._some.wait()
            self._look()
            self._stopping.wait(_LOOK_S)
        for wait in self._waits:
            self._tell(wait)
        self._waits.clear()

    def _look(self) -> None:
        now_ns = self._now_ns()
        # Cleared first: what is added from here on is seen in the next look at the latest.
        self._some.clear()
        for wait in list(self._waits):
            if now_ns >= wait.due_ns or wait.is_over():
                self._waits.remove(wait)
                self._tell(wait)
        if self._waits:
            self._some.set()

    def _tell(self, wait: Wait) -> None:
        try:
            wait.tell()
        except Exception:
            _log.exception("somebody who waited could not be told")
