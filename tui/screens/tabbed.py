"""What the screens have in common that show one of several tables, each behind a tab."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from textual import on

from tui.screens.base import HouseScreen
from tui.widgets.grid import Grid
from tui.widgets.tabs import TabLine


class Tabbed(HouseScreen):
    """A screen with a line of tabs `#tabs`, and a table `#<tab>-grid` for each of them."""

    TABS: ClassVar[Mapping[str, str]] = {}
    """The title of each tab by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.tab = next(iter(self.TABS))

    @abstractmethod
    def choose(self, tab: str) -> None:
        """Puts a tab in front."""

    def grid_of(self, tab: str) -> Grid:
        """The table behind a tab."""
        return self.query_one(f"#{tab}-grid", Grid)

    @property
    def grid(self) -> Grid:
        """The table in front."""
        return self.grid_of(self.tab)

    def bring_to_front(self) -> None:
        """Shows the table of the chosen tab and hides the others."""
        for tab in self.TABS:
            self.grid_of(tab).set_class(tab == self.tab, "-front")

    async def do_next_tab(self) -> None:
        self._step(1)

    async def do_previous_tab(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        names = list(self.TABS)
        self.choose(names[(names.index(self.tab) + by) % len(names)])

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        self.choose(event.tab)
