"""How documents of a node are shown: tables for people, JSON for programs, never raw text."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from bank_node.values import one_line

# Where nobody looks at it a table need not fit a screen.
_WIDTH_IN_PIPES = 200


def as_document(document: object) -> None:
    """Prints a document as JSON."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def as_line(row: object) -> None:
    """Prints a row of a stream as one line of JSON."""
    click.echo(json.dumps(row, ensure_ascii=False))


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows; a column whose name starts with `>` is aligned to the right."""
    table = Table(*(_column(name) for name in columns))
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    console().print(table)


def as_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Prints names and their values, each on one line however wide the screen is."""
    rows = [(name, shown(value)) for name, value in pairs]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        click.echo(f"{click.style(name.ljust(width), dim=True)}  {value}".rstrip())


def console() -> Console:
    """Where tables go: as wide as the screen, and wide where there is none."""
    out = Console()
    return out if out.is_terminal else Console(width=_WIDTH_IN_PIPES)


def shown(value: object) -> str:
    """A value as people read it. Nothing of it can be an escape sequence or markup."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return one_line(json.dumps(value, ensure_ascii=False))
    return one_line(str(value))


def moment(time_us: int | None) -> str:
    """A moment of a node as local time."""
    if time_us is None:
        return ""
    try:
        local = datetime.fromtimestamp(time_us / 1e6, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return str(time_us)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def stamped(row: dict[str, Any]) -> str:
    """The moment of a row."""
    return moment(row.get("time_us"))


def _column(name: str) -> Column:
    if name.startswith(">"):
        return Column(name[1:], justify="right", no_wrap=True)
    return Column(name)
