"""The table of the house: any number of rows, of which only the visible ones are ever drawn.

Rows are handed in, or fetched page by page as they come into sight: 90,000 accounts cost what 40
do. Texts are cut to their column and made harmless where they are drawn.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import safe
from tui.widgets.columns import GAP, Cell, Column, Row, laid_out, plain

PAGE = 200
"""Rows that are fetched at once."""

_HEADER = 1
_PAGES_KEPT = 60


class Grid(ScrollView, can_focus=True):
    """A table with a cursor, a header that sorts, and rows that may be far away."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--header",
        "grid--sorted",
        "grid--cursor",
        "grid--cursor-blurred",
        "grid--stripe",
        "grid--good",
        "grid--warn",
        "grid--bad",
        "grid--accent",
        "grid--dim",
        "grid--row",
    }
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    cursor: var[int] = var(0)

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        grid: "Grid"
        row: Row | None

        @property
        def control(self) -> "Grid":
            return self.grid

    @dataclass
    class Chosen(Message):
        """Enter, or a second click, on a row."""

        grid: "Grid"
        row: Row

        @property
        def control(self) -> "Grid":
            return self.grid

    @dataclass
    class SortAsked(Message):
        """A click on the header of a column that sorts."""

        grid: "Grid"
        column: str

        @property
        def control(self) -> "Grid":
            return self.grid

    @dataclass
    class PageWanted(Message):
        """Rows have come into sight that are not here."""

        grid: "Grid"
        first: int
        count: int

        @property
        def control(self) -> "Grid":
            return self.grid

    def __init__(self, *columns: Column, id: str, empty: str, name: str = "") -> None:
        """`empty` says what would be here and which key makes it so; `name` names saved files."""
        super().__init__(id=id, name=name or id)
        self.columns = columns
        self.empty = empty
        self.sorted_by = ""
        """Key of a column, with a minus in front when it descends."""
        self.total = 0
        self._rows: dict[int, Row] = {}
        self._asked: dict[int, None] = {}
        self._is_remote = False
        self.following = False
        """Whether the cursor stays on the last row when rows are added."""

    # Rows

    def show(self, rows: Sequence[Row], *, keep: bool = True) -> None:
        """Shows these rows; the cursor stays on the row with the same key if `keep`."""
        key = self.key if keep else None
        shown = dict(enumerate(rows))
        if keep and not self._is_remote and shown == self._rows:
            return
        self._is_remote = False
        self._rows = shown
        self.total = len(rows)
        if self.following:
            self.cursor = max(0, self.total - 1)
        elif not keep:
            self.cursor = 0
        elif key is not None and (row := self.at(self.cursor)) is not None and row.key != key:
            self.cursor = next((i for i, r in enumerate(rows) if r.key == key), self.cursor)
        self._resized()

    def show_remote(self, total: int, *, keep: bool = True) -> None:
        """Shows `total` rows that are fetched as they come into sight."""
        if not keep:
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
        self._is_remote = True
        self._rows = {} if not keep or total != self.total else self._rows
        self._asked.clear()
        self.total = total
        self._resized()

    def put(self, first: int, rows: Sequence[Row]) -> None:
        """Rows that were fetched."""
        if len(self._rows) > PAGE * _PAGES_KEPT:
            self._rows.clear()
            self._asked.clear()
        self._rows.update(enumerate(rows, first))
        self.refresh()
        if first <= self.cursor < first + len(rows):
            self.post_message(self.Moved(self, self.at(self.cursor)))

    def forget_asked(self) -> None:
        """Asks again for what never came."""
        self._asked.clear()
        self.refresh()

    def at(self, index: int) -> Row | None:
        """The row with an index, if it is here."""
        return self._rows.get(index)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.at(self.cursor)

    @property
    def key(self) -> Hashable | None:
        return self.row.key if self.row is not None else None

    @property
    def rows(self) -> list[Row]:
        """All rows that are here, in order."""
        return [self._rows[index] for index in sorted(self._rows)]

    def _resized(self) -> None:
        self.cursor = max(0, min(self.cursor, self.total - 1))
        self.virtual_size = Size(self.scrollable_content_region.width, self.total + _HEADER)
        if self.following:
            # How far down the end is, is known when the new height has been laid out.
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True)
        self.refresh()

    # Moving

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, max(0, self.total - 1)))

    def watch_cursor(self) -> None:
        self._into_sight()
        self.refresh()
        self.post_message(self.Moved(self, self.row))

    def _into_sight(self) -> None:
        height = self.scrollable_content_region.height - _HEADER
        if height > 0:
            self.scroll_to_region(
                Region(0, self.cursor + _HEADER, 1, 1), animate=False, immediate=True,
                spacing=None, force=True, y_axis=True, x_axis=False,
            )  # fmt: skip
            # The header lies over the first line of the view.
            if self.cursor < self.scroll_offset.y:
                self.scroll_to(y=self.cursor, animate=False, immediate=True)

    @property
    def _page_rows(self) -> int:
        return max(1, self.scrollable_content_region.height - _HEADER - 1)

    def action_move(self, rows: int) -> None:
        self._go(self.cursor + rows)

    def action_leap(self, pages: int) -> None:
        self._go(self.cursor + pages * self._page_rows)

    def action_edge(self, direction: int) -> None:
        self._go(0 if direction < 0 else self.total - 1)

    def _go(self, index: int) -> None:
        self.following = self.following and index >= self.total - 1
        self.cursor = index

    def action_choose(self) -> None:
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row))

    def on_click(self, event: events.Click) -> None:
        self.focus()
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < _HEADER:
            self._sort_at(offset.x)
            return
        index = offset.y - _HEADER + self.scroll_offset.y
        if index < self.total:
            self._go(index)
            if event.chain > 1:
                self.action_choose()

    def _sort_at(self, x: int) -> None:
        left = 1
        for index, width in laid_out(self.columns, self.scrollable_content_region.width):
            if left <= x < left + width + GAP:
                if self.columns[index].sorts:
                    self.post_message(self.SortAsked(self, self.columns[index].key))
                return
            left += width + GAP

    def on_mouse_scroll_up(self) -> None:
        self.following = False

    def on_resize(self) -> None:
        self._resized()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Drawing

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"grid--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        background = self.rich_style
        if y < _HEADER:
            return self._header(width, background)
        index = y - _HEADER + self.scroll_offset.y
        if not self.total:
            return self._empty_line(y, width, background)
        if index >= self.total:
            return Strip.blank(width, background)
        row = self._rows.get(index)
        if row is None:
            self._want(index)
        style = background + self._style("stripe") if index % 2 else background
        on_cursor = index == self.cursor
        if on_cursor:
            style = background + self._style("cursor" if self.has_focus else "cursor-blurred")
        marked = on_cursor and self.has_focus
        return self._row_strip(row, width, style, marked)

    def _row_strip(self, row: Row | None, width: int, style: Style, marked: bool) -> Strip:
        # Of sixteen colours, not all can be read on that of the cursor.
        is_ansi = self.app.native_ansi_color
        segments = [Segment("▌" if marked else " ", style + self._style("accent"))]
        for index, column_width in laid_out(self.columns, width):
            cell: Cell = "…" if row is None else row.cells[index]
            tone = "" if isinstance(cell, str) or (marked and is_ansi) else cell[1]
            text = fitted(plain(cell), column_width, right=self.columns[index].right)
            segments.append(Segment(text, style + self._style(tone) if tone else style))
            segments.append(Segment(" " * GAP, style))
        return Strip(segments).adjust_cell_length(width, style)

    def _header(self, width: int, background: Style) -> Strip:
        style = background + self._style("header")
        segments = [Segment(" ", style)]
        for index, column_width in laid_out(self.columns, width):
            column = self.columns[index]
            is_sorted = self.sorted_by.lstrip("-") == column.key and self.sorted_by != ""
            arrow = ("▾" if self.sorted_by.startswith("-") else "▴") if is_sorted else ""
            title = f"{arrow}{column.title}" if column.right else f"{column.title}{arrow}"
            of_title = style + self._style("sorted") if is_sorted else style
            segments.append(Segment(fitted(title, column_width, right=column.right), of_title))
            segments.append(Segment(" " * GAP, style))
        return Strip(segments).adjust_cell_length(width, style)

    def _empty_line(self, y: int, width: int, background: Style) -> Strip:
        told = _wrapped(self.empty, max(10, width - 6))
        top = max(_HEADER, (self.scrollable_content_region.height - len(told)) // 2)
        text = told[y - top] if 0 <= y - top < len(told) else ""
        style = background + self._style("dim")
        return Strip([Segment(text.center(width), style)]).adjust_cell_length(width, style)

    def _want(self, index: int) -> None:
        first = index - index % PAGE
        if self._is_remote and first not in self._asked:
            self._asked[first] = None
            self.post_message(self.PageWanted(self, first, min(PAGE, self.total - first)))


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """A text in exactly `width` cells, harmless, and with an ellipsis where it is cut."""
    # A cell may be of ten thousand letters; nobody measures more of them than can be seen.
    text = safe.line(text, 4 * width + 8)
    taken = cell_len(text)
    if taken > width:
        return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + "…", width)
    return " " * (width - taken) + text if right else text + " " * (width - taken)


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
