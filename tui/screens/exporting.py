"""The export of accounts, of the journal, or of one account's operations log, by the node."""

from tui import safe
from tui.model import formats
from tui.model.replies import Exported
from tui.screens.base import HouseScreen
from tui.widgets.dialogs import Field, Form, Values
from tui.widgets.panel import Panel

_LOOK_S = 0.3


async def export(screen: HouseScreen, panel: Panel, account: str = "") -> None:
    """Asks what to export, has the node write it, and tells how far that is in a pane."""
    form = Form(
        "Export to a file in the data folder of the node",
        [
            Field("what", "What: journal or accounts", value="journal",
                  problem=_one_of("journal", "accounts")),
            Field("account", "Only of this account, with its balance; empty for the whole bank",
                  value=account, problem=_account_problem),
            Field("format", "Format: csv or json", value="csv", problem=_one_of("csv", "json")),
        ],
        button="Export",
        effect=lambda values: safe.assemble(
            ("protocol  ", "$bank-dim"), (_line(values), "$accent")
        ),
    )  # fmt: skip
    values = await screen.app.push_screen_wait(form)
    if not values:
        return
    main = screen.hub.link.main
    made = await main.ask(_line(values), Exported)
    while made.running:
        panel.say(f"… {formats.plural(made.rows, 'row')} exported")
        await screen.hub.breathe(_LOOK_S)
        made = await main.ask("OZ", Exported, background=True)
    panel.say("")
    if made.problem:
        screen.fail(f"Nothing was exported: {made.problem}")
    else:
        screen.done(f"{formats.plural(made.rows, 'row')} written to {made.path}")


def _line(values: Values) -> str:
    line = f"OZ format={values['format']} what={values['what']}"
    if values["account"] and values["what"] == "journal":
        line += f" account={values['account']}"
    return line


def _one_of(*words: str):  # type: ignore[no-untyped-def] # noqa: ANN202
    return lambda text: "" if text in words else f"Type {' or '.join(words)}."


def _account_problem(text: str) -> str:
    is_right = text.isascii() and text.isdigit() and 10_000 <= int(text[:9]) <= 99_999
    return "" if not text or is_right else "An account number is 10000 to 99999, or nothing."
