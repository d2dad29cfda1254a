"""What a table is made of: columns, cells and rows, and how wide each column becomes. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Cell = str | tuple[str, str]
"""A text, or a text and its tone (`themes.tone`)."""


class Row(NamedTuple):
    """One row: what it is about, and its cells in the order of the columns."""

    key: Hashable
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    title: str
    width: int
    """Cells that it needs; a flexible one takes what is left, and this at least."""
    right: bool = False
    flex: int = 0
    """Its share of what is left; 0 keeps the width."""
    sorts: bool = False
    from_width: int = 0
    """It is left out of a table that is narrower."""


GAP = 2


def laid_out(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Index and width of the columns that are shown in `width` cells, from left to right."""
    shown = [i for i, column in enumerate(columns) if width >= column.from_width]
    # Whatever does not fit is left out from the right, and the first column always stays.
    while len(shown) > 1 and _needed(columns, shown) > width:
        shown.pop()
    left = max(0, width - _needed(columns, shown))
    shares = sum(columns[i].flex for i in shown)
    widths = []
    for index in shown:
        column = columns[index]
        extra = left * column.flex // shares if shares else 0
        widths.append((index, column.width + extra))
    if shares:
        # What dividing has left over goes to the last flexible column.
        spare = width - _gaps(len(widths)) - sum(w for _, w in widths)
        last = max(n for n, (i, _) in enumerate(widths) if columns[i].flex)
        widths[last] = (widths[last][0], widths[last][1] + max(0, spare))
    return widths


def _gaps(count: int) -> int:
    # One cell at each edge, and a gap between two columns.
    return 2 + GAP * max(0, count - 1)


def _needed(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return _gaps(len(shown)) + sum(columns[i].width for i in shown)


def plain(cell: Cell) -> str:
    """The text of a cell."""
    return cell if isinstance(cell, str) else cell[0]
