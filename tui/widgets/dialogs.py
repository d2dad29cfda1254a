"""Dialogs over a screen: a form that checks while it is typed into, a question, a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from tui import safe
from tui.widgets.inputs import Typed
from tui.widgets.words import Words

Values = dict[str, str]


@dataclass(frozen=True)
class Field:
    """One line of a form."""

    key: str
    label: str
    value: str = ""
    placeholder: str = ""
    problem: Callable[[str], str] = lambda text: ""
    """What is wrong with a text; empty if nothing is."""


class Dialog(ModalScreen[Any]):
    """A frame in the middle of a dimmed screen; escape closes it without an effect."""

    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "cancel", "Cancel")]

    def action_cancel(self) -> None:
        self.dismiss(None)

    def title_as(self, title: str) -> None:
        """Names the frame."""
        frame = self.query_one("#dialog")
        frame.border_title = safe.content(title, limit=120)
        frame.border_subtitle = Content("esc cancel")


class Form(Dialog):
    """Lines to type into, with what is wrong and what would happen shown as they are typed."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        button: str,
        effect: Callable[[Values], Content],
    ) -> None:
        """`effect` draws what the values would do; it is called with checked values only."""
        super().__init__()
        self._title = title
        self._fields = fields
        self._button = button
        self._effect = effect

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            for field in self._fields:
                yield Label(safe.content(field.label), classes="field-label")
                yield Typed(
                    id=f"field-{field.key}", value=field.value, placeholder=field.placeholder
                )
                yield Words(classes="field-problem", id=f"problem-{field.key}")
            yield Words(id="effect")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Content(self._button), id="accept", variant="primary", disabled=True)

    def on_mount(self) -> None:
        self.title_as(self._title)
        self._check()

    @property
    def values(self) -> Values:
        return {f.key: self.query_one(f"#field-{f.key}", Typed).value.strip() for f in self._fields}

    @on(Input.Changed)
    def _check(self) -> None:
        values, is_right = self.values, True
        for field in self._fields:
            problem = field.problem(values[field.key])
            is_right = is_right and not problem
            # An empty line is not wrong yet, it is only not enough.
            shown = safe.content(problem, "$bank-dim" if not values[field.key] else "$error")
            self.query_one(f"#problem-{field.key}", Words).say(shown)
        self.query_one("#accept", Button).disabled = not is_right
        effect = self._effect(values) if is_right else Content("")
        self.query_one("#effect", Words).say(effect)

    @on(Input.Submitted)
    def _submit(self) -> None:
        if not self.query_one("#accept", Button).disabled:
            self.dismiss(self.values)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self.values if event.button.id == "accept" else None)


class Confirm(Dialog):
    """A question that shows the effect; where it is dangerous, the focus is on Cancel."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("y", "accept", "Yes"),
        Binding("n", "cancel", "No"),
        Binding("left,up", "app.focus_previous", "Previous", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, title: str, effect: Content, *, button: str, danger: bool = False) -> None:
        super().__init__()
        self._title = title
        self._effect = effect
        self._button = button
        self._danger = danger

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._effect, id="effect")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel")
                variant: Any = "error" if self._danger else "primary"
                yield Button(Content(self._button), id="accept", variant=variant)

    def on_mount(self) -> None:
        self.title_as(self._title)
        self.query_one("#dialog").border_subtitle = Content("y yes · n no")
        self.query_one("#cancel" if self._danger else "#accept").focus()

    def action_accept(self) -> None:
        self.dismiss(True)

    def action_cancel(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "accept")


class TextDialog(Dialog):
    """A text to read; any of escape, enter and q closes it."""

    BINDINGS: ClassVar[list[Any]] = [Binding("enter,q,question_mark", "cancel", "Close")]

    def __init__(self, title: str, text: Content) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="text"):
            yield Static(self._text)

    def on_mount(self) -> None:
        self.title_as(self._title)
        self.query_one("#dialog").border_subtitle = Content("esc close")
        self.query_one("#dialog").focus()
