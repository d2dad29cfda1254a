"""Jump mode: a letter on everything that can have the focus."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import Static

_LETTERS = "asdfghjklqwertuiopzxcvbnm"


class Jump(ModalScreen[str | None]):
    """Lays letters over the screen below; the result is the name of the chosen target."""

    BINDINGS: ClassVar[list[Binding]] = [Binding("escape", "cancel", "Cancel")]  # type: ignore[assignment]

    def __init__(self, targets: dict[str, Offset]) -> None:
        """`targets` are names and where their letters go."""
        super().__init__()
        self._letters = dict(zip(_LETTERS, targets, strict=False))
        self._targets = targets

    def compose(self) -> ComposeResult:
        for letter, target in self._letters.items():
            label = Static(Content(f" {letter} "), classes="jump-letter")
            label.styles.offset = self._targets[target]
            yield label
        yield Static(Content(" type a letter to go there · esc cancel "), id="jump-help")

    def on_key(self, event: events.Key) -> None:
        if event.key != "escape":
            event.stop()
            self.dismiss(self._letters.get(event.key))

    def action_cancel(self) -> None:
        self.dismiss(None)
