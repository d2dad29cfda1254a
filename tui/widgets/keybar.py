"""The last row: the keys that matter here, `?` first, as the registry and the user have them."""

from typing import Any

from textual import events
from textual.content import Content
from textual.widget import Widget

from tui import actions


class KeyBar(Widget):
    """One line of keys; a click does what its key does. What does not fit is in `?`."""

    def __init__(self, screen: str) -> None:
        super().__init__(id="keys")
        self._screen = screen
        self._ends: list[tuple[int, str]] = []

    def shown(self) -> list[actions.Action]:
        """The actions in their order: help, those of the screen, those of everywhere."""
        anywhere = [a for a in actions.of(actions.ANYWHERE) if a.shown]
        here = [a for a in actions.of(self._screen) if a.shown]
        return [*anywhere[:1], *here, *anywhere[1:]]

    def render(self) -> Content:
        app: Any = self.app
        parts: list[Any] = []
        self._ends = []
        taken, width = 0, self.size.width
        for action in self.shown():
            key = actions.keys_of(action, app.memory.now.keymap).partition(" ")[0]
            title = action.title.lower()
            taken += len(key) + len(title) + 3
            if taken - 2 > width:
                break
            is_off = action.writes and app.read_only
            parts += [
                (key, "$bank-dim" if is_off else "bold $accent"),
                (f" {title}  ", "strike $bank-dim" if is_off else "$bank-dim"),
            ]
            self._ends.append((taken, action.id))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        id = next((id for end, id in self._ends if offset.x < end), None)
        if id is not None:
            app: Any = self.app
            app.perform(id)
