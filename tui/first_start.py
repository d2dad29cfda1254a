"""The first start: which address to serve and which subnet to search, written to `config.json`."""

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from tui import safe, themes
from tui.model.interfaces import (
    PORTS,
    Interface,
    address_problem,
    port_problem,
    settings,
    subnet_problem,
)
from tui.widgets.columns import Column, Row
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_FIELDS = {
    "address": ("Address, which is the name of your bank", address_problem),
    "port": ("Port", port_problem),
    "subnet": ("Subnet to search for other banks, or nothing", subnet_problem),
}


class FirstStart(App[bool]):
    """One screen: the interfaces, three lines, what would be written, and two buttons."""

    CSS_PATH: ClassVar[Any] = ["house.tcss", "first_start.tcss"]
    TITLE = "bank"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = "Grid"
    BINDINGS: ClassVar[Any] = [
        Binding("escape,ctrl+q", "leave", "Leave"),
    ]

    def __init__(
        self,
        interfaces: Sequence[Interface],
        write: Callable[[dict[str, Any]], None],
        obstacle: Callable[[str, int], str] = lambda _address, _port: "",
    ) -> None:
        super().__init__()
        self._obstacle = obstacle
        self._interfaces = interfaces
        self._write = write
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = "bank-dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.FALLBACK

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield Static(safe.lines(
                safe.content("⬢ Welcome to your bank", "bold $accent"),
                safe.content("It is named by an address of this machine, and other banks find it "
                             "there. Choose one.", "$bank-dim"),
            ), id="welcome")  # fmt: skip
            yield Panel(
                "This machine",
                _interfaces_grid(),
                id="interfaces",
                help="The networks that this machine is in.",
                keys="enter choose",
            )
            with Panel("Your bank", id="answer", help="What is written to config.json."):
                for key, (label, _) in _FIELDS.items():
                    yield Label(safe.content(label, "$bank-dim"))
                    yield Typed(id=key)
                    yield Words(id=f"problem-{key}", classes="field-problem")
                yield Words(id="preview")
            with Horizontal(classes="buttons"):
                yield Button("Leave", id="leave")
                yield Button("Write config.json and start", id="accept", variant="primary")

    def on_mount(self) -> None:
        self.query_one(Grid).show([
            Row(index, (i.name, (i.address, "accent"), (i.subnet, "dim")))
            for index, i in enumerate(self._interfaces)
        ])  # fmt: skip
        self.query_one("#port", Typed).value = str(PORTS[0])
        self._choose(0)

    def _choose(self, index: int) -> None:
        if index < len(self._interfaces):
            chosen = self._interfaces[index]
            self.query_one("#address", Typed).value = chosen.address
            self.query_one("#subnet", Typed).value = chosen.subnet
        self._check()

    @on(Grid.Moved)
    def _moved(self, event: Grid.Moved) -> None:
        if event.row is not None:
            self._choose(int(str(event.row.key)))

    @on(Grid.Chosen)
    def _chosen(self) -> None:
        self.query_one("#accept").focus()

    @property
    def _values(self) -> dict[str, str]:
        return {key: self.query_one(f"#{key}", Typed).value.strip() for key in _FIELDS}

    @on(Input.Changed)
    def _check(self) -> None:
        values = self._values
        problems = {key: check(values[key]) for key, (_, check) in _FIELDS.items()}
        if not (problems["address"] or problems["port"]):
            problems["port"] = self._obstacle(values["address"], int(values["port"]))
        for key, problem in problems.items():
            self.query_one(f"#problem-{key}", Words).say(safe.content(problem, "$error"))
        is_right = not any(problems.values())
        self.query_one("#accept", Button).disabled = not is_right
        preview = Content("")
        if is_right:
            told = json.dumps(settings(**values))
            preview = safe.assemble(("config.json  ", "$bank-dim"), (told, "$accent"))
        self.query_one("#preview", Words).say(preview)

    @on(Button.Pressed, "#accept")
    @on(Input.Submitted)
    def _accept(self) -> None:
        if self.query_one("#accept", Button).disabled:
            return
        try:
            self._write(settings(**self._values))
        except (OSError, ValueError) as error:
            self.notify(safe.line(error, 300), severity="error", markup=False, title="✗ failed")
        else:
            self.exit(True)

    @on(Button.Pressed, "#leave")
    def action_leave(self) -> None:
        self.exit(False)


def _interfaces_grid() -> Grid:
    return Grid(
        Column("name", "Interface", 18, flex=1),
        Column("address", "Address", 15, flex=1),
        Column("subnet", "Subnet", 18, flex=1),
        id="interfaces-grid",
        name="interfaces",
        empty="No network was found; type the address below. 127.0.0.1 serves this machine alone.",
    )
