"""The way of a transfer or a payment as a picture: its stations, their times, the line between."""

from typing import Any

from textual.content import Content
from textual.widget import Widget

from tui import safe
from tui.model import formats
from tui.model.ways import Station, Way

_HEIGHT = 4
_COLUMN_MIN, _COLUMN_MAX = 11, 26
_MARKS = {
    "done": ("●", "$success"),
    "here": ("◉", "bold $accent"),
    "ahead": ("○", "$bank-dim"),
    "failed": ("✗", "bold $error"),
    "doubt": ("?", "bold $warning"),
    "back": ("↺", "bold $warning"),
}
_LINES = {
    "done": ("━", "$success"),
    "here": ("━", "$success"),
    "ahead": ("╌", "$bank-dim"),
    "failed": ("━", "$error"),
    "doubt": ("╌", "$warning"),
    "back": ("━", "$warning"),
}

_EMPTY = "The way of what is chosen above is drawn here."

Part = str | tuple[str, str]


class Timeline(Widget):
    """Payer and payee, and four lines: who, the line of stations, their names, their times."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._way: Way | None = None

    def show(self, way: Way | None) -> None:
        """Draws a way; None says that nothing is chosen."""
        if way != self._way:
            self._way = way
            self.refresh()

    def get_content_height(self, *_: Any) -> int:
        return _HEIGHT

    def render(self) -> Content:
        if self._way is None:
            return safe.content(_EMPTY, "$bank-dim")
        stops = self._way.stops
        width = self.size.width
        column = max(_COLUMN_MIN, min(_COLUMN_MAX, width // max(1, len(stops))))
        return safe.lines(
            self._who(self._way, width),
            safe.assemble(*self._line(stops, column)),
            safe.assemble(*self._names(stops, column)),
            safe.assemble(*self._times(stops, column)),
        )

    def _who(self, way: Way, width: int) -> Content:
        amount = f" {formats.amount(way.amount)} "
        payer, payee = safe.line(way.payer, 80), safe.line(way.payee, 80)
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
