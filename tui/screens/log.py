"""Log: what the node does, line by line; held, filtered, and followed to its account or bank."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.widget import Widget

from tui import actions
from tui.model import formats
from tui.model.replies import Happening, Traffic
from tui.screens.filtering import Filtering
from tui.screens.overview import event_row
from tui.widgets.columns import Column, Row, plain
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel

SOURCES = ("log", "traffic", "events")
_LEVELS = ("debug", "info", "warning", "error")
_RANKS = {**{level: rank for rank, level in enumerate(_LEVELS)}, "critical": 3}
_ACCOUNT = re.compile(r"\b([1-9][0-9]{4})/((?:[0-9]{1,3}\.){3}[0-9]{1,3})\b")
_OF_TRANSFERS = {"PromiseLost", "PromiseRenewed", "RemindersEnded"}
"""Events after which the other bank is reminded, or was."""
_ADDRESS = re.compile(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b")


class Log(Filtering):
    """One table for the source that was chosen; it follows the newest line until it is held."""

    NAME = "log"
    BINDINGS: ClassVar[Any] = actions.bindings("log")

    def __init__(self) -> None:
        super().__init__()
        self._level = "info"

    def body(self) -> Iterable[Widget]:
        yield Panel(
            "Log",
            Typed(id="filter", classes="filter", placeholder="a part of a line"),
            _happenings_grid("log", "Source", "Nothing was logged yet. What the node does appears "
                             "here as it happens."),
            _traffic_grid(),
            _happenings_grid("events", "Event", "Nothing has happened yet."),
            id="log-panel",
            help="The newest line is at the bottom. s changes between the log, the traffic (every "
            "command and its reply) and the events. Space holds the tail; enter goes to the "
            "account or the bank of a line.",
        )  # fmt: skip

    def on_mount(self) -> None:
        for grid in self.query("#log-panel Grid").results(Grid):
            grid.following = True
        self._use(self._source)

    @property
    def _source(self) -> str:
        told = self.console_app.memory.now.log_source
        return told if told in SOURCES else SOURCES[0]

    @property
    def _grid(self) -> Grid:
        return self.query_one(f"#{self._source}-grid", Grid)

    def _use(self, source: str) -> None:
        self.console_app.memory.now.log_source = source
        for name in SOURCES:
            self.query_one(f"#{name}-grid", Grid).display = name == source
        self.query_one("#log-panel", Panel).title = source.title()
        self._grid.focus()
        self.hub.want(*self.streams())
        self._draw()

    def streams(self) -> tuple[str, ...]:
        # Only what is looked at is read: full traffic is more than anybody reads.
        return (self._source,)

    def show(self, topic: str) -> None:
        if topic in ("all", self._source):
            self._draw()

    def _draw(self) -> None:
        if self._source == "traffic":
            tail = self.hub.traffic
            rows = [_traffic_row(line) for line in tail.items]
        else:
            tail = self.hub.log if self._source == "log" else self.hub.events  # type: ignore[assignment]
            rank = _RANKS[self._level]
            rows = [event_row(h) for h in tail.items if _rank(h) >= rank]  # type: ignore[arg-type]
        rows = self.fitting(rows)
        self._grid.show(rows)
        held = "" if self._grid.following else ", held"
        missed = f", {tail.lost:,} missed" if tail.lost else ""
        level = "" if self._source == "traffic" else f", {self._level} and above"
        told = formats.count_of(len(rows), len(tail.items), "lines")
        self.query_one("#log-panel", Panel).say(
            f"{told}{level}{missed}{held}",
            keys=self.keys("log.source", "log.level", "log.filter", "log.hold", "log.jump"),
        )

    @on(Grid.Chosen)
    def _chosen(self) -> None:
        self.action_do("log.jump")

    @property
    def filtered_grid(self) -> Grid:
        return self._grid

    def show_filtered(self) -> None:
        self._draw()

    async def do_source(self) -> None:
        self._use(SOURCES[(SOURCES.index(self._source) + 1) % len(SOURCES)])

    async def do_level(self) -> None:
        self._level = _LEVELS[(_LEVELS.index(self._level) + 1) % len(_LEVELS)]
        self._draw()

    async def do_hold(self) -> None:
        self._grid.following = not self._grid.following
        self._draw()

    async def do_jump(self) -> None:
        row = self._grid.row
        text = " ".join(map(plain, row.cells)) if row is not None else ""
        own = self.hub.status.code
        address = next((a for a in _ADDRESS.findall(text) if a != own), None)
        if address and not _OF_TRANSFERS.isdisjoint(map(plain, row.cells if row else ())):
            await self._follow("transfers", "positions", address)
            return
        account = _ACCOUNT.search(text)
        if account is not None and account[2] == own:
            await self._follow("accounts", int(account[1]))
            return
        known = {peer.code for peer in self.hub.peers.peers}
        if address in known:
            await self._follow("network", address)
        else:
            self.warn("This line names no account of this bank, and no bank that it knows.")

    async def _follow(self, screen: str, *what: object) -> None:
        await self.app.switch_mode(screen)
        self.app.screen.choose(*what)  # type: ignore[attr-defined]


def _rank(happening: Happening) -> int:
    return _RANKS.get(happening.level, 1)


def _happenings_grid(name: str, who: str, empty: str) -> Grid:
    return Grid(
        Column("time", "Time", 8),
        Column("level", "Level", 9),
        Column("who", who, 14, flex=1, from_width=70),
        Column("text", "What happened", 20, flex=5),
        id=f"{name}-grid",
        name=name,
        empty=empty,
    )


def _traffic_grid() -> Grid:
    return Grid(
        Column("time", "Time", 8),
        Column("dir", "", 1),
        Column("peer", "Client or bank", 14, flex=1),
        Column("request", "Request", 14, flex=2),
        Column("reply", "Reply", 8, flex=1),
        Column("us", "Took", 8, right=True, from_width=70),
        Column("id", "Id", 8, right=True, from_width=110),
        id="traffic-grid",
        name="traffic",
        empty="Nobody has sent a command yet. Every line and its reply appear here.",
    )


def _traffic_row(line: Traffic) -> Row:
    arrow = ("→", "warn") if line.dir == "out" else ("←", "dim")
    tone = "bad" if line.reply.upper().startswith("ER") else "good"
    return Row(
        line.seq,
        (
            (formats.clock(line.time_us), "dim"),
            arrow,
            (line.peer, "accent"),
            line.request,
            (line.reply, tone),
            (formats.duration(line.us), "dim"),
            ("" if line.id is None else str(line.id), "dim"),
        ),
    )
