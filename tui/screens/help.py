"""`?`: what the focused pane shows, and the keys that work here, as they are now."""

from textwrap import wrap
from typing import TYPE_CHECKING

from textual.content import Content

from tui import actions, safe
from tui.widgets.dialogs import TextDialog

if TYPE_CHECKING:
    from tui.app import BankConsole

_KEYS_WIDTH = 18
_HELP_WIDTH = 51
_TABLE = (
    ("↑ ↓ pgup pgdn", "move in a table; home and end go to its first and last row"),
    ("enter", "choose a row; so does a second click"),
    ("tab shift+tab", "the next and the previous pane"),
    ("click on a title", "sort by a column, go to a screen"),
)


def help_of(app: "BankConsole") -> TextDialog:
    """The help of what has the focus."""
    screen = app.screen_stack[0]
    pane = screen.pane_of(screen.focused) if hasattr(screen, "pane_of") else None
    name = getattr(screen, "NAME", "")
    rows: list[Content | str] = []
    if pane is not None:
        rows += [safe.content(pane.title, "bold $accent"), safe.content(pane.pane_help), ""]
    for title, where in ((actions.SCREENS.get(name, ""), name), ("Everywhere", actions.ANYWHERE)):
        rows.append(safe.content(title, "bold $accent"))
        rows += [_row(action, app) for action in actions.of(where)]
        rows.append("")
    rows.append(safe.content("Tables", "bold $accent"))
    rows += [_line(keys, told) for keys, told in _TABLE]
    return TextDialog("Help", safe.lines(*rows))


def _row(action: actions.Action, app: "BankConsole") -> Content:
    keys = actions.keys_of(action, app.memory.now.keymap)
    is_off = action.writes and app.read_only
    return _line(keys, f"{action.help}{' (read-only)' if is_off else ''}", action.line)


def _line(keys: str, told: str, line: str = "") -> Content:
    """A row of help; what does not fit goes on below its own column."""
    first, *more = wrap(told, _HELP_WIDTH)
    rows = [safe.assemble((f"  {keys:<{_KEYS_WIDTH}}", "$accent"), first)]
    indent = " " * (_KEYS_WIDTH + 2)
    rows += [safe.content(indent + text) for text in more]
    if line:
        rows.append(safe.content(indent + line, "$bank-dim"))
    return safe.lines(*rows)
