"""What the screens have in common that narrow their table down to what is typed into a box."""

from abc import abstractmethod
from collections.abc import Iterable

from textual import on
from textual.widgets import Input

from tui.screens.base import HouseScreen
from tui.widgets.columns import Row, plain
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed


class Filtering(HouseScreen):
    """A screen with a box `#filter`, which is open while something is typed or kept in it."""

    @property
    @abstractmethod
    def filtered_grid(self) -> Grid:
        """The table that is narrowed down; it has the focus when the box is left."""

    @abstractmethod
    def show_filtered(self) -> None:
        """Shows what fits now."""

    @property
    def wanted(self) -> str:
        """What is in the box."""
        return self.query_one("#filter", Typed).value

    def fitting(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that have the text of the box in one of their columns."""
        wanted = self.wanted.lower()
        return [r for r in rows if not wanted or wanted in " ".join(map(plain, r.cells)).lower()]

    async def do_filter(self) -> None:
        box = self.query_one("#filter", Typed)
        box.add_class("-open")
        box.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self.show_filtered()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#filter", Typed).set_class(bool(self.wanted), "-open")
        self.filtered_grid.focus()
