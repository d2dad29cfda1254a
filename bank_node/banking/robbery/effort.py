"""How long a search may go on: a deadline on a clock that is handed in, and a work budget.

Knows when to stop. Never knows what is searched, and never reads a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable

# One unit is one state looked at, about a third of a microsecond; the default is a few seconds.
WORK_MAX = 12_000_000


class Effort:
    """Counts the work done and says when the search is over."""

    __slots__ = ("_deadline_s", "_now", "_whole", "_work_max", "spent")

    def __init__(
        self,
        work_max: int = WORK_MAX,
        now: Callable[[], float] | None = None,
        deadline_s: float | None = None,
        whole: Effort | None = None,
    ) -> None:
        if (now is None) != (deadline_s is None):
            raise ValueError("a deadline needs a clock, and a clock needs a deadline")
        self._work_max = work_max
        self._now = now
        self._deadline_s = deadline_s
        self._whole = whole
        self.spent = 0

    def part(self, work_max: int) -> Effort:
        """A share of this effort: what the share spends, the whole spends."""
        return Effort(work_max, whole=self)

    def spend(self, work: int) -> None:
        """Books work that is about to be done."""
        self.spent += work
        if self._whole is not None:
            self._whole.spend(work)

    def left(self) -> int:
        """How much work may still be spent."""
        return max(0, self._work_max - self.spent)

    def over(self) -> bool:
        """True once the work is used up or the clock has reached the deadline."""
        if self.spent >= self._work_max or (self._whole is not None and self._whole.over()):
            return True
        if self._now is None or self._deadline_s is None:
            return False
        return self._now() >= self._deadline_s
