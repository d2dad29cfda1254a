"""What all screens have in common: the frame, the actions, and what happens when one goes wrong."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget

from bank_node.errors import BankError
from tui import actions, safe
from tui.hub import Hub
from tui.link import Lost, Rejected
from tui.widgets.columns import Row
from tui.widgets.grid import Grid
from tui.widgets.keybar import KeyBar
from tui.widgets.panel import Panel
from tui.widgets.topline import Nav, Pulse, TopLine
from tui.widgets.trace import TracePane

if TYPE_CHECKING:
    from tui.app import BankConsole


class HouseScreen(Screen[None]):
    """One of the ten screens. A subclass gives `NAME`, `body`, `show` and `do_<action>`."""

    NAME: ClassVar[str] = ""
    AUTO_FOCUS = "Grid"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        # A screen that does not exist yet has no old styles; without this Textual would parse
        # every sheet and style every widget twice when a screen is shown for the first time.
        self._css_update_count = self.app._css_update_count
        # For the same reason its sheet is read here and not named in CSS_PATH.
        sheet = Path(__file__).with_name(f"{self.NAME}.tcss")
        if not self.app.stylesheet.has_source(str(sheet), ""):
            css = sheet.read_text(encoding="utf-8")
            self.app.stylesheet.add_source(css, (str(sheet), ""))

    @property
    def console_app(self) -> "BankConsole":
        return cast("BankConsole", self.app)

    @property
    def hub(self) -> Hub:
        return self.console_app.hub

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Pulse(id="pulse")
        yield Nav(self.NAME)
        with Container(id="body"):
            yield from self.body()
        yield TracePane()
        yield KeyBar(self.NAME)

    def body(self) -> Iterable[Widget]:
        """The panes of this screen."""
        return ()

    def show(self, topic: str) -> None:
        """Draws what has changed: `status`, `peers`, `events`, `log`, `traffic`, or `all`."""

    def streams(self) -> tuple[str, ...]:
        """The streams of the hub that it shows, beside the events."""
        return ()

    def on_screen_resume(self) -> None:
        self.hub.want(*self.streams())
        self.query_one(TracePane).display_as(self.console_app.trace_mode)
        self.call_after_refresh(self.update, "all")

    def on_resize(self) -> None:
        self.call_after_refresh(self.update, "status")

    def update(self, topic: str) -> None:
        """Draws the frame and what the screen shows of a topic."""
        if not self.is_mounted or (not self.is_current and self.app.screen_stack[0] is not self):
            return
        with self.app.batch_update():
            self.query_one(TopLine).show(self.hub, read_only=self.console_app.read_only)
            if topic in ("all", "status"):
                self.query_one(Pulse).show(self.hub)
            self.show(topic)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Greys out what a read-only console does not do."""
        if action == "do" and parameters:
            row = actions.ACTIONS.get(str(parameters[0]))
            if row is not None and row.writes and self.console_app.read_only:
                return None
        return True

    def action_do(self, id: str) -> None:
        """Carries an action of the registry out."""
        action = actions.ACTIONS[id]
        if action.writes and self.console_app.read_only:
            self.warn(self.console_app.read_only_told)
            return
        method: Callable[[], Awaitable[None]] = getattr(self, f"do_{action.name}")
        self.attempt(method())

    def attempt(self, doing: Awaitable[None]) -> None:
        """Runs something that talks to the node, and tells how it went wrong."""

        async def carefully() -> None:
            try:
                await doing
            except BankError as error:
                self.tell_error(error)

        self.run_worker(carefully(), exit_on_error=False, group="attempt")

    def tell_error(self, error: BankError) -> None:
        """Says what went wrong, and whether anything may have happened."""
        if isinstance(error, Rejected):
            self.warn(f"The node refuses: {error}")
        elif isinstance(error, Lost) and error.unknown:
            self.fail(f"Nobody knows whether this was done: {error}. Look before you repeat it.")
        elif isinstance(error, Lost):
            self.fail(f"The node is lost, nothing was done: {error}")
        else:
            self.fail(str(error))

    def done(self, text: str) -> None:
        """A short note that something worked."""
        self.notify(safe.line(text, 400), markup=False, title="✓ done", timeout=4)

    def warn(self, text: str) -> None:
        """A note that something was refused."""
        self.notify(safe.line(text, 400), severity="warning", markup=False, title="▲ refused")

    def fail(self, text: str) -> None:
        """A note that something broke."""
        self.notify(safe.line(text, 400), severity="error", markup=False, title="✗ failed")

    # Tables

    async def all_rows(self, grid: Grid) -> list[Row]:
        """Every row of a table, also of one that is fetched page by page."""
        return grid.rows

    def keys(self, *ids: str) -> str:
        """Keys and titles of actions for the edge of a pane."""
        return actions.hints(ids, self.console_app.memory.now.keymap)

    def pane_of(self, widget: Widget | None) -> Panel | None:
        """The pane that a widget is in."""
        nodes = widget.ancestors_with_self if widget is not None else ()
        return next((node for node in nodes if isinstance(node, Panel)), None)

    def jump_targets(self) -> dict[str, Offset]:
        """Everything that can have the focus, and where it is."""
        found = {}
        for widget in self.focus_chain:
            region = widget.region
            if region.area and widget.id:
                found[widget.id] = Offset(region.x, max(0, region.y))
        nav = self.query_one(Nav)
        for screen, left in nav.places().items():
            if screen != self.NAME:
                found[f"screen:{screen}"] = Offset(nav.region.x + left, nav.region.y)
        return found

    @on(Nav.Chosen)
    def _go(self, event: Nav.Chosen) -> None:
        self.console_app.go(event.screen)
