"""Acknowledgements that wait for followers: released once enough of them have a block on disk.

Knows heights and names of followers, neither blocks nor sockets. An answer that was held for too
long is told as unknown: the block is on this disk, and nobody knows what a new leader will have.
"""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import NamedTuple

Release = Callable[[bool], object]
"""Lets an answer go; True if enough followers have what it is about. Called on some thread."""

_FOLLOWERS_MAX = 1024


class _Held(NamedTuple):
    height: int
    deadline_ns: int
    release: Release


class Quorum:
    """What waits for followers, in the order of the blocks."""

    def __init__(self, wait_for: int, patience_s: float, monotonic_ns: Callable[[], int]) -> None:
        """Answers wait for `wait_for` followers, at least one, for `patience_s` seconds."""
        self._wait_for = wait_for
        self._patience_ns = int(patience_s * 1e9)
        self._monotonic_ns = monotonic_ns
        self._held: deque[_Held] = deque()
        self._heights: dict[str, int] = {}
        self._reached = 0
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._run, name="quorum", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hold(self, height: int, release: Release) -> None:
        """Keeps an answer about a block until it is confirmed; called in the order of heights."""
        with self._changed:
            if not self._closed and height > self._reached:
                deadline_ns = self._monotonic_ns() + self._patience_ns
                self._held.append(_Held(height, deadline_ns, release))
                if len(self._held) == 1:
                    self._changed.notify()
                return
            confirmed = height <= self._reached
        release(confirmed)

    def confirmed(self, follower: str, height: int) -> None:
        """A follower has everything up to a block on its disk."""
        with self._changed:
            if follower not in self._heights and len(self._heights) >= _FOLLOWERS_MAX:
                return
            self._heights[follower] = max(height, self._heights.get(follower, 0))
            heights = sorted(self._heights.values(), reverse=True)
            if len(heights) < self._wait_for:
                return
            self._reached = max(self._reached, heights[self._wait_for - 1])
            released = []
            while self._held and self._held[0].height <= self._reached:
                released.append(self._held.popleft())
        for each in released:
            each.release(True)

    def close(self) -> None:
        """Tells everything that waits as unknown, and so what comes later."""
        with self._changed:
            self._closed = True
            left, self._held = self._held, deque()
            self._changed.notify()
        for each in left:
            each.release(False)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                if not self._held:
                    self._changed.wait()
                    continue
                left_ns = self._held[0].deadline_ns - self._monotonic_ns()
                if left_ns > 0:
                    self._changed.wait(left_ns / 1e9)
                    continue
                late = self._held.popleft()
            late.release(False)
