"""A code to scan, over the whole screen: dark on white whatever the theme, the quiet zone kept."""

from pathlib import Path
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from bank_node.banking.payments import qr
from tui import safe
from tui.model.payments import Code
from tui.widgets.dialogs import Dialog

# By their values: a theme may make anything of "black" and "white", and an inverted code does
# not scan.
_INK = Style(color="#000000", bgcolor="#ffffff")
_FRAME_ROWS = 4
_NAME_LETTERS = 40


class Blocks(Widget):
    """The modules, two in a cell."""

    def __init__(self, rows: list[str]) -> None:
        super().__init__(id="blocks")
        self._rows = rows

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return len(self._rows[0])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width)
        return Strip([Segment(self._rows[y], _INK)])


class CodeScreen(Dialog):
    """The code of a client; `s` writes it as PNG and SVG."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("enter,q,v", "cancel", "Close"),
        Binding("s", "save", "Save"),
    ]

    def __init__(self, code: Code, folder: Path) -> None:
        """`folder` takes the files."""
        super().__init__()
        self._code = code
        self._folder = folder
        self._rows = qr.terminal(code.uri)

    def compose(self) -> ComposeResult:
        with Vertical(id="code"):
            yield Static(self._title, id="code-name")
            yield Blocks(self._rows)
            yield Static(id="too-small")
            yield Static(Content("esc close · s save as PNG and SVG"), id="code-keys")

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    @property
    def _title(self) -> Content:
        return safe.assemble(
            (safe.line(self._code.name, _NAME_LETTERS), "bold"),
            (f"  {safe.line(self._code.vpa, _NAME_LETTERS)}", "$accent"),
        )

    def _fit(self) -> None:
        """A part of a code is worth nothing: where it does not fit, that is said instead."""
        width, height = len(self._rows[0]), len(self._rows)
        size = self.app.size
        fits = size.width >= width and size.height >= height
        self.query_one("#blocks").display = fits
        bare = size.height < height + _FRAME_ROWS
        self.query_one("#code-name").display = not (fits and bare)
        self.query_one("#code-keys").display = not (fits and bare)
        said = self.query_one("#too-small", Static)
        said.display = not fits
        said.update(safe.lines(
            safe.content(f"The code is {width} cells wide and {height} high, and this terminal "
                         f"{size.width} by {size.height}."),
            "Enlarge the window, make the letters smaller, or press s for a picture of it.",
        ))  # fmt: skip

    def action_save(self) -> None:
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in self._code.vpa)[:60]
        paths = [self._folder / f"code-{name}.{kind}" for kind in ("png", "svg")]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path, draw in zip(paths, (qr.png, qr.svg), strict=True):
                path.write_bytes(draw(self._code.uri))
        except OSError as error:
            told, severity = f"{paths[0]} cannot be written: {error.strerror}", "error"
        else:
            told, severity = f"Written to {paths[0]} and {paths[1].name}", "information"
        self.app.notify(safe.line(told, 400), markup=False, severity=severity)  # type: ignore[arg-type]
