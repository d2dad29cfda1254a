"""A chart with axes. The library that draws it is loaded when the first chart is shown."""

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from tui import safe

Draw = Callable[[Any, tuple[int, int, int]], None]
"""Draws on a figure of plotext with the accent colour."""


class Chart(Container):
    """Space for a chart; until there is something to draw, a sentence says what would be here."""

    def __init__(self, *, id: str, empty: str) -> None:
        super().__init__(id=id)
        self._empty = empty
        self._plot: Widget | None = None
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        yield Static(safe.content(self._empty, "$bank-dim"), classes="empty")

    async def draw(self, what: object, paint: Draw | None) -> None:
        """Draws, unless `what` (anything comparable) is what is drawn already; None clears."""
        if what == self._drawn:
            return
        self._drawn = what
        self.query_one(".empty").display = paint is None
        if paint is None:
            if self._plot is not None:
                self._plot.display = False
            return
        if self._plot is None:
            # Half of a second start would be this import.
            from tui.widgets.plot import Plot

            self._plot = Plot()
            await self.mount(self._plot)
        self._plot.display = True
        plt: Any = self._plot.plt  # type: ignore[attr-defined]
        plt.clear_data()
        plt.clear_figure()
        plt.xfrequency(5)
        plt.yfrequency(4)
        variables = self.app.theme_variables
        paint(plt, _rgb(variables.get("accent", "")))
        self._plot.refresh()


def _rgb(text: str) -> tuple[int, int, int]:
    from textual.color import Color, ColorParseError

    try:
        return Color.parse(text).rgb
    except ColorParseError:
        return (0, 160, 200)


def once(labels: Sequence[str]) -> list[str]:
    """Labels of an axis, each only where it is nearest to the truth: a short axis rounds to few."""
    told = list(labels)
    for n in range(len(told) - 2, -1, -1):
        if labels[n] == labels[n + 1]:
            # The ends of an axis are exact.
            told[n + 1 if labels[n] == labels[0] else n] = ""
    return told


def line(
    xs: Sequence[float],
    ys: Sequence[float],
    *,
    x_ticks: Callable[[float], str],
    y_ticks: Callable[[float], str],
    from_zero: bool = True,
    points: Sequence[tuple[float, float]] = (),
) -> Draw:
    """A line through points, with ticks that people read, and marked points on it."""

    def paint(plt: Any, accent: tuple[int, int, int]) -> None:
        low, high = min(ys), max(ys)
        if from_zero:
            low = min(0, low)
        high = high if high > low else low + 1
        plt.plot(list(xs), list(ys), marker="braille", color=accent)
        for x, y in points:
            plt.scatter([x], [y], marker="◆", color=(242, 184, 75))
        plt.ylim(low, high)
        y_at = [low + (high - low) * i / 3 for i in range(4)]
        plt.yticks(y_at, once([y_ticks(y) for y in y_at]))
        first, last = min(xs), max(xs)
        x_at = [first + (last - first) * i / 4 for i in range(5)] if last > first else [first]
        plt.xticks(x_at, once([x_ticks(x) for x in x_at]))
        plt.grid(False, False)

    return paint
