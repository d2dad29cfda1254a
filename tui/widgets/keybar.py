"""The last row: the keys that matter here, `?` first, as the registry and the user have them."""

from collections.abc import Iterator
from typing import Any

from textual import events
from textual.content import Content
from textual.widget import Widget

from tui import actions
from tui.widgets.inputs import Typed

_LEAVE = "leave"


class KeyBar(Widget):
    """One line of keys; a click does what its key does. What does not fit is in `?`.

    While a line is typed into, letters and digits are its text: then the row tells how to leave it,
    and the keys that work in spite of it.
    """

    def __init__(self, screen: str) -> None:
        super().__init__(id="keys")
        self._screen = screen
        self._ends: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._focus_moved, init=False)

    def _focus_moved(self) -> None:
        self.refresh()

    @property
    def _typed(self) -> Typed | None:
        """The line that has the keyboard, if one has."""
        focused = self.screen.focused
        return focused if isinstance(focused, Typed) else None

    def shown(self) -> list[actions.Action]:
        """The actions in their order: help, those of the screen, those of everywhere."""
        anywhere = [a for a in actions.of(actions.ANYWHERE) if a.shown]
        here = [a for a in actions.of(self._screen) if a.shown]
        return [*anywhere[:1], *here, *anywhere[1:]]

    def _pairs(self) -> Iterator[tuple[str, str, str, bool]]:
        """What to show: key, title, id of the action, and whether it is off."""
        app: Any = self.app
        typed = self._typed is not None
        if typed:
            yield actions.spoken("escape"), "leave line", _LEAVE, False
        for action in self.shown():
            keys = app.memory.now.keymap.get(action.id, action.keys).split(",")
            key = next((key for key in keys if not typed or actions.is_free(key)), None)
            if key is not None:
                is_off = action.writes and app.read_only
                yield actions.spoken(key), action.title.lower(), action.id, is_off

    def render(self) -> Content:
        parts: list[Any] = []
        self._ends = []
        taken, width = 0, self.size.width
        for key, title, id, is_off in self._pairs():
            taken += len(key) + len(title) + 3
            if taken - 2 > width:
                break
            parts += [
                (key, "$bank-dim" if is_off else "bold $accent"),
                (f" {title}  ", "strike $bank-dim" if is_off else "$bank-dim"),
            ]
            self._ends.append((taken, id))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        id = next((id for end, id in self._ends if offset.x < end), None)
        if id == _LEAVE:
            if self._typed is not None:
                self._typed.action_leave()
        elif id is not None:
            app: Any = self.app
            app.perform(id)
