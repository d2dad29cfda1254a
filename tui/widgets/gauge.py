"""A position between two banks as a picture: who owes whom, how much, and how much more may be."""

from typing import Any

from textual.content import Content
from textual.widget import Widget

from tui import safe
from tui.model import formats
from tui.model.money import Position

# Where the cap is further away than this, a bar against it would always be empty.
_CAP_SHOWN_MAX = 10**15


class Gauge(Widget):
    """Three lines: the two names, a bar from the middle, and the ends of its scale."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._position: Position | None = None

    def show(self, position: Position | None) -> None:
        """Draws a position; None clears."""
        if position != self._position:
            self._position = position
            self.refresh()

    def get_content_height(self, *_: Any) -> int:
        return 3

    def render(self) -> Content:
        position = self._position
        if position is None:
            return Content("")
        half = max(4, (self.size.width - 3) // 2)
        highest = max(position.nostro, position.vostro)
        is_capped = 0 < position.cap <= _CAP_SHOWN_MAX
        scale = max(1, position.cap if is_capped else highest)
        ours = _cells(position.vostro, scale, half)
        theirs = _cells(position.nostro, scale, half)
        # What is on its way will add to what is owed.
        leaving = min(half - ours, _cells(position.leaving, scale, half))
        coming = min(half - theirs, _cells(position.coming, scale, half))
        left = "this bank owes"
        right = f"{position.bank} owes"
        end = formats.short(scale) if is_capped else "no cap"
        gap = max(1, 2 * half + 1 - len(left) - len(right))
        tail = max(1, 2 * half - 2 * len(end))
        return safe.lines(
            safe.assemble((left, "$warning" if ours else "$bank-dim"), " " * gap,
                          (right, "$success" if theirs else "$bank-dim")),
            safe.assemble(("─" * (half - ours - leaving), "$bank-dim"), ("▒" * leaving, "$warning"),
                          ("█" * ours, "$warning"), ("┼", "bold $accent"),
                          ("█" * theirs, "$success"), ("▒" * coming, "$success"),
                          ("─" * (half - theirs - coming), "$bank-dim")),
            safe.assemble((end, "$bank-dim"), (f"{'0':^{tail + 1}}", "$bank-dim"),
                          (end, "$bank-dim")),
        )  # fmt: skip


def _cells(amount: int, scale: int, room: int) -> int:
    """How many cells an amount takes; at least one if there is any."""
    return min(room, max(1, round(room * amount / scale))) if amount else 0
