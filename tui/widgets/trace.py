"""The protocol log: every line that the console sent, and what came back."""

from textual.app import ComposeResult

from tui.link import Said, Trace
from tui.model import formats
from tui.widgets.columns import Column, Row
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

MODES = ("", "actions", "everything")
"""Hidden; what the operator does; also what the console asks by itself."""


class TracePane(Panel):
    """The last lines, the newest at the bottom; hidden until it is asked for."""

    def __init__(self) -> None:
        super().__init__(
            "Protocol",
            id="trace",
            help="Every line that this console sends to the node, and the reply. "
            "F12 shows what you do, then everything, then nothing.",
            keys="f12 more/less",
        )
        self._mode = ""

    def compose(self) -> ComposeResult:
        grid = Grid(
            Column("time", "Time", 8, from_width=60),
            Column("us", "Took", 8, right=True),
            Column("request", "Request", 16, flex=2),
            Column("reply", "Reply", 16, flex=3),
            id="trace-grid",
            name="protocol",
            empty="Nothing was said yet. What you do from now on appears here, line by line.",
        )
        grid.following = True
        yield grid

    def display_as(self, mode: str) -> None:
        """Shows a part of what is said, or nothing."""
        self._mode = mode
        self.display = bool(mode)
        self.say(mode)

    def update(self, trace: Trace) -> None:
        """Draws what was said."""
        if self._mode:
            grid = self.query_one(Grid)
            grid.show([_row(said) for said in trace.said if self._shows(said)])

    def _shows(self, said: Said) -> bool:
        return self._mode == "everything" or not said.background


def _row(said: Said) -> Row:
    tone = "bad" if said.reply.upper().startswith("ER") else "good"
    return Row(
        (said.time_us, said.request),
        (
            (formats.clock(said.time_us), "dim"),
            (formats.duration(said.us), "dim"),
            said.request,
            (said.reply, tone),
        ),
    )
