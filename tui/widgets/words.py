"""Text that changes in place, and asks for a new layout only when its height does."""

from typing import Any

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """A text that is redrawn when it changed, and not each time that somebody says it again."""

    def __init__(self, **more: Any) -> None:
        super().__init__("", **more)
        self._said: Content | None = None

    def say(self, text: Content) -> None:
        """Shows a text."""
        before = self._said
        if before is not None and before.is_same(text):
            return
        self._said = text
        # A layout of the whole screen costs more than all that a beat of the pulse draws.
        is_higher = before is None or before.plain.count("\n") != text.plain.count("\n")
        self.update(text, layout=is_higher)
