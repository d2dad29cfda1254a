"""The first rows of every screen: who the bank is, its pulse, and the names of the screens."""

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.renderables.sparkline import Sparkline
from textual.strip import Strip
from textual.widget import Widget

from tui import safe
from tui.actions import SCREENS, SHORT
from tui.hub import Hub
from tui.model import formats
from tui.themes import marked, tone

_WIDE = 98


class TopLine(Widget):
    """One line: bank code, state, peers, version; fitted to the width when it is drawn."""

    def __init__(self) -> None:
        super().__init__(id="top")
        self._hub: Hub | None = None
        self._read_only = False

    def show(self, hub: Hub, *, read_only: bool) -> None:
        """Draws what is known now."""
        self._hub = hub
        self._read_only = read_only
        self.refresh()

    def render(self) -> Content:
        if self._hub is None:
            return Content("")
        width = self.size.width
        start, end = self._left(self._hub, width), self._right(self._hub, width)
        start = start.truncate(max(0, width - end.cell_length - 1), ellipsis=True)
        gap = max(1, width - start.cell_length - end.cell_length)
        return Content.assemble(start, " " * gap, end)

    def _left(self, hub: Hub, width: int) -> Content:
        status = hub.status
        word, tone_name = marked("paused" if hub.paused else hub.state)
        parts: list[str | tuple[str, str]] = [
            ("⬢ ", "$accent"), (status.code or "bank", "bold $accent"), "  ",
            (word, tone(tone_name)),
        ]  # fmt: skip
        if hub.state in ("lost", "error", "connecting"):
            told = f" {hub.trouble}"
            if hub.seen_us:
                # The reason first: where the line is cut, it is what must be left.
                told += f", trying again for {formats.age(hub.seen_us, hub.now_us)}"
            parts.append((safe.line(told, max(10, width - 50)), "$bank-dim"))
        else:
            parts += ["  ", formats.amount(status.total), (" total", "$bank-dim")]
            if width >= _WIDE:
                noun = f" {formats.noun(status.clients, 'account')}"
                parts += ["  ", formats.amount(status.clients), (noun, "$bank-dim")]
        return safe.assemble(*parts)

    def _right(self, hub: Hub, width: int) -> Content:
        status, counts = hub.status, hub.metrics.peers
        parts: list[str | tuple[str, str]] = []
        if self._read_only:
            parts.append(("◑ read-only  ", "$warning"))
        if status.warnings:
            parts.append((f"▲ {formats.plural(len(status.warnings), 'warning')}  ", "$warning"))
        parts += [("● ", "$success"), f"{counts.verified}",
                  (f" {formats.noun(counts.verified, 'peer')}  ", "$bank-dim")]  # fmt: skip
        if counts.silent and width >= _WIDE:
            parts += [("○ ", "$warning"), f"{counts.silent}", (" silent  ", "$bank-dim")]
        parts.append((safe.line(f"v{status.version}" if status.version else "", 20), "$bank-dim"))
        return safe.assemble(*parts)


class Nav(Widget):
    """The names of the screens; a click or a digit goes there."""

    @dataclass
    class Chosen(Message):
        """A screen was chosen with the mouse."""

        screen: str

    def __init__(self, current: str) -> None:
        super().__init__(id="nav")
        self.current = current

    def render(self) -> Content:
        parts: list[Any] = []
        for digit, (screen, title) in enumerate(self._titles.items(), 1):
            is_here = screen == self.current
            parts += [
                (f"{digit % 10} ", "$accent" if is_here else "$bank-dim"),
                (title, "bold $accent underline" if is_here else ""),
                " " * self._gap,
            ]
        return Content.assemble(*parts)

    @property
    def _titles(self) -> dict[str, str]:
        """The names of the screens, the short ones where there is no room."""
        needed = sum(len(title) + 3 for title in SCREENS.values())
        return SCREENS if needed <= self.size.width + 1 else SCREENS | SHORT

    @property
    def _gap(self) -> int:
        titles = self._titles
        names = sum(len(title) + 2 for title in titles.values())
        return max(1, min(4, (self.size.width - names) // len(titles)))

    def places(self) -> dict[str, int]:
        """Where each name starts, in cells from the left."""
        left, found = 0, {}
        for screen, title in self._titles.items():
            found[screen] = left
            left += len(title) + 2 + self._gap
        return found

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            before = [screen for screen, left in self.places().items() if left <= offset.x]
            self.post_message(self.Chosen(before[-1]))


class Tile(Widget):
    """A figure with its name and its recent past, in one line or in three."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tile--name", "tile--figure", "tile--alarm",
                                             "tile--high", "tile--low"}  # fmt: skip

    def __init__(self, key: str, title: str, help: str) -> None:
        super().__init__(id=f"tile-{key}")
        self._title = title
        self._figure = ""
        self._alarm = False
        self._past: tuple[float, ...] = ()
        self._drawn: object = None
        self._lines: list[list[Segment]] = []
        self.tooltip = help

    def show(self, figure: str, past: tuple[float, ...], alarm: bool = False) -> None:
        """Draws the figure and its past."""
        if (figure, past, alarm) != (self._figure, self._past, self._alarm):
            self._figure, self._past, self._alarm = safe.line(figure, 20), past, alarm
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        label = self._label()
        taken = sum(segment.cell_length for segment in label)
        if y == 0 and height > 1:
            return Strip(label).adjust_cell_length(width, self.rich_style)
        if y == 0:
            return Strip([*label, *self._bars(width - taken, 1, 0)]).crop(0, width)
        return Strip(self._bars(width, height - 1, y - 1)).crop(0, width)

    def _label(self) -> list[Segment]:
        base = self.rich_style
        figure = "tile--alarm" if self._alarm else "tile--figure"
        return [
            Segment(f"{self._title} ", base + self._style("tile--name")),
            Segment(f"{self._figure} ", base + self._style(figure)),
        ]

    def _bars(self, width: int, height: int, line: int) -> list[Segment]:
        if width < 2:
            return []
        # One bar a look, the newest at the right; the zero in front is what the bars stand on.
        room = width - 1
        data = (0.0, *((0.0,) * (room - len(self._past))), *self._past[-room:])
        low, high = self._colour("tile--low"), self._colour("tile--high")
        wanted = (data, width, height, low, high)
        if wanted != self._drawn:
            drawn = Sparkline(data, width=width, height=height, min_color=low, max_color=high)
            self._drawn = wanted
            self._lines = list(Segment.split_lines(self.app.console.render(drawn)))
        if line >= len(self._lines):
            return []
        return list(Segment.apply_style(self._lines[line], self.rich_style))

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)

    def _colour(self, name: str) -> Color:
        paper = self.background_colors[1]
        return (paper + self.get_component_styles(name).color).rich_color


class Pulse(Horizontal):
    """The strip under the header: rates, latencies and load with their last two minutes."""

    def compose(self) -> ComposeResult:
        yield Tile("requests", "req/s", "Commands answered in a second")
        yield Tile("p99", "p99", "What 99 of 100 commands did not exceed, receipt to reply")
        yield Tile("commit", "commit", "p99 of making a block durable")
        yield Tile("batch", "batch", "Operations sealed into one block")
        yield Tile("connections", "conn", "Open connections")
        yield Tile("cpu", "cpu", "CPU of the node, of one core")

    def show(self, hub: Hub) -> None:
        """Draws what is known now."""
        rates, past = hub.rates, hub.past
        cpu = formats.share(rates.cpu_share, 1.0)
        figures = {
            "requests": (formats.short(rates.requests_per_s), past.requests, False),
            "p99": (formats.duration(rates.p99_us), past.p99_us, False),
            "commit": (formats.duration(rates.commit_p99_us), past.commit_us, False),
            "batch": (formats.short(rates.batch), past.batch, False),
            "connections": (formats.short(hub.metrics.connections), past.connections, False),
            "cpu": (cpu, past.cpu, rates.cpu_share > 0.95),
        }
        for key, (figure, series, alarm) in figures.items():
            self.query_one(f"#tile-{key}", Tile).show(figure, series, alarm)
