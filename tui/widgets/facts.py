"""Names at the left and values at the right, fitted to the width when they are drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui import safe

_NAME = 9


class Fact(NamedTuple):
    """One row."""

    name: str
    value: str
    style: str = ""


class Facts(Widget):
    """A few rows of facts."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._facts: tuple[Fact, ...] = ()

    def say(self, facts: Sequence[Fact]) -> None:
        """Shows these facts."""
        if tuple(facts) != self._facts:
            is_higher = len(facts) != len(self._facts)
            self._facts = tuple(facts)
            self.refresh(layout=is_higher)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._facts)

    def render(self) -> Content:
        room = max(1, self.size.width - _NAME)
        return safe.lines(
            *(
                safe.assemble(
                    (fact.name.ljust(_NAME), "$bank-dim"),
                    (safe.line(fact.value, room).rjust(room), fact.style),
                )
                for fact in self._facts
            )
        )
