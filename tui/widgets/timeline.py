"""The way of a transfer as a picture: its stations with their times, and the line between them."""

from typing import Any

from textual.content import Content
from textual.widget import Widget

from tui import safe
from tui.model import formats
from tui.model.ways import Going, Station, stations

_HEIGHT = 4
_COLUMN_MIN, _COLUMN_MAX = 11, 26
_MARKS = {
    "done": ("●", "$success"),
    "here": ("◉", "bold $accent"),
    "ahead": ("○", "$bank-dim"),
    "failed": ("✗", "bold $error"),
    "doubt": ("?", "bold $warning"),
}
_LINES = {
    "done": ("━", "$success"),
    "here": ("━", "$success"),
    "ahead": ("╌", "$bank-dim"),
    "failed": ("━", "$error"),
    "doubt": ("╌", "$warning"),
}

Part = str | tuple[str, str]


class Timeline(Widget):
    """Payer and payee, and four lines: who, the line of stations, their names, their times."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._going: Going | None = None

    def show(self, going: Going | None) -> None:
        """Draws the way of a transfer; None clears."""
        if going != self._going:
            self._going = going
            self.refresh()

    def get_content_height(self, *_: Any) -> int:
        return _HEIGHT

    def render(self) -> Content:
        if self._going is None:
            return Content("")
        stops = stations(self._going)
        width = self.size.width
        column = max(_COLUMN_MIN, min(_COLUMN_MAX, width // max(1, len(stops))))
        return safe.lines(
            self._who(self._going, width),
            safe.assemble(*self._line(stops, column)),
            safe.assemble(*self._names(stops, column)),
            safe.assemble(*self._times(stops, column)),
        )

    def _who(self, going: Going, width: int) -> Content:
        row = going.row
        amount = f" {formats.amount(row.amount)} "
        payer, payee = row.payer or "?", row.payee or "?"
        room = max(2, min(12, (width - len(payer) - len(payee) - len(amount) - 4) // 2))
        return safe.assemble(
            (payer, "bold"), (f" {'─' * room}", "$bank-dim"), (amount, "bold $accent"),
            (f"{'─' * room}▶ ", "$bank-dim"), (payee, "bold"),
        ).truncate(max(1, width), ellipsis=True)  # fmt: skip

    def _line(self, stops: tuple[Station, ...], column: int) -> list[Part]:
        parts: list[Part] = []
        for index, stop in enumerate(stops):
            parts.append(_MARKS[stop.mark])
            if index + 1 < len(stops):
                glyph, style = _LINES[stops[index + 1].mark]
                parts.append((glyph * (column - 1), style))
        return parts

    def _names(self, stops: tuple[Station, ...], column: int) -> list[Part]:
        return [(stop.label[: column - 1].ljust(column), _MARKS[stop.mark][1]) for stop in stops]

    def _times(self, stops: tuple[Station, ...], column: int) -> list[Part]:
        parts: list[Part] = []
        before: int | None = None
        for stop in stops:
            if stop.time_us is None:
                told = ""
            elif before is None:
                told = formats.clock(stop.time_us)
            else:
                told = f"+{formats.duration(max(0, stop.time_us - before))}"
            before = stop.time_us if stop.time_us is not None else before
            parts.append((told[: column - 1].ljust(column), "$bank-dim"))
        return parts
