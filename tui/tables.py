"""A table out of the console: to the clipboard of the terminal (OSC 52), or to a CSV file."""

import csv
import io
from typing import TYPE_CHECKING, Any

from bank_node.errors import BankError
from tui.model import formats
from tui.widgets.columns import plain
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from tui.app import BankConsole

# What terminals take at once; some drop a longer one without a word.
_CLIPBOARD_CHARACTERS_MAX = 70_000
_FORMULAS = ("=", "+", "@")


async def copy(app: "BankConsole") -> None:
    """Copies the focused table."""
    grid, text, count = await _table(app)
    if grid is None:
        return
    if len(text) > _CLIPBOARD_CHARACTERS_MAX:
        app.note(f"{formats.plural(count, 'row')} are too many to copy: w saves them.", "warning")
        return
    app.copy_to_clipboard(text)
    app.note(f"{formats.plural(count, 'row')} of {grid.name} copied, if the terminal allows it.")


async def save(app: "BankConsole") -> None:
    """Writes the focused table to a file of its own, which a browser downloads."""
    grid, text, count = await _table(app)
    if grid is None:
        return
    name = f"{grid.name}-{formats.stamp(app.clock.now_us())}.csv"
    if app.is_web:
        app.deliver_text(io.StringIO(text), save_filename=name, mime_type="text/csv")
        app.note(f"{formats.plural(count, 'row')} in {name}, if the browser allows the download.")
        return
    path = app.save_folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        app.note(f"{path} cannot be written: {error.strerror}", "error")
    else:
        app.note(f"{formats.plural(count, 'row')} written to {path}")


async def _table(app: "BankConsole") -> tuple[Grid | None, str, int]:
    """The focused table, or else the first one of the screen, as CSV."""
    screen: Any = app.screen_stack[0]
    grid = screen.focused if isinstance(screen.focused, Grid) else screen.query(Grid).first(Grid)
    try:
        rows = await screen.all_rows(grid)
    except BankError as error:
        app.note(f"The rows cannot be had: {error}", "error")
        return None, "", 0
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in grid.columns])
    writer.writerows([[_unformulated(plain(cell)) for cell in row.cells] for row in rows])
    return grid, out.getvalue(), len(rows)


def _unformulated(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
