"""A line of tabs: their names, what is in each, and which is in front."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui import safe


class TabLine(Widget):
    """One line; a click chooses."""

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        tab: str

    def __init__(self, tabs: Mapping[str, str], *, id: str) -> None:
        """`tabs`: the title of each by its name."""
        super().__init__(id=id)
        self._tabs = tabs
        self._current = next(iter(tabs))
        self._counts: dict[str, tuple[str, str]] = {}

    def show(self, current: str, counts: Mapping[str, tuple[str, str]]) -> None:
        """Puts a tab in front; `counts` is what stands behind names, each with its style."""
        if (current, dict(counts)) != (self._current, self._counts):
            self._current, self._counts = current, dict(counts)
            self.refresh()

    def _parts(self) -> list[tuple[str, list[Any]]]:
        told = []
        for tab, title in self._tabs.items():
            is_here = tab == self._current
            count, style = self._counts.get(tab, ("", ""))
            parts: list[Any] = [(f" {title} ", "bold $background on $accent" if is_here else "")]
            if count:
                parts.append((f" {safe.line(count, 12)}", style or "$bank-dim"))
            told.append((tab, parts))
        return told

    def render(self) -> Content:
        drawn = [Content.assemble(*parts) for _, parts in self._parts()]
        return Content("  ").join(drawn).truncate(max(1, self.size.width))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        left = 0
        for tab, parts in self._parts():
            left += Content.assemble(*parts).cell_length + 2
            if offset.x < left:
                self.post_message(self.Chosen(tab))
                return
