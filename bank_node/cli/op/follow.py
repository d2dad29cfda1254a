"""`bank op events`, `log`, `traffic`: what happened, and with --follow what happens."""

from collections.abc import Callable, Iterator
from typing import Any

import click

from bank_node.cli.op.entrance import Function, Operator, operator_options
from bank_node.cli.op.shown import as_document, as_line, shown, stamped

_WAIT_S = 20


def stream_options(function: Function) -> Function:
    """The options of a command that goes on telling."""
    for option in (
        click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl+C."),
        click.option("--count", default=50, show_default=True, help="How many of the past."),
    ):
        function = option(function)
    return function


@click.command()
@operator_options
@stream_options
def events(operator: Operator, as_json: bool, count: int, follow: bool) -> None:
    """Tell what happened to the node."""
    tell(operator, "OE", "events", _event, as_json, follow, count=count)


@click.command()
@operator_options
@stream_options
@click.option("--level", type=click.Choice(["debug", "info", "warning", "error"]),
              help="Only lines of this level and above.")  # fmt: skip
def log(operator: Operator, as_json: bool, count: int, follow: bool, level: str | None) -> None:
    """Show the log of the node."""
    tell(operator, "OL", "lines", _log_line, as_json, follow, count=count, level=level)


@click.command()
@operator_options
@stream_options
def traffic(operator: Operator, as_json: bool, count: int, follow: bool) -> None:
    """Show requests and their replies, those to other banks with an arrow."""
    tell(operator, "OT", "lines", _request, as_json, follow, count=count)


def tell(
    operator: Operator,
    code: str,
    name: str,
    text: Callable[[dict[str, Any]], str],
    as_json: bool,
    follow: bool,
    **fields: object,
) -> None:
    """Prints what a stream tells: rows of the member `name`, each made a line by `text`."""
    if as_json and not follow:
        as_document(operator.document(code, **fields))
        return
    try:
        for page in _pages(operator, code, follow, fields):
            if page["lost"]:
                click.echo(f"{page['lost']:,} were lost", err=True)
            for row in page[name]:
                if as_json:
                    as_line(row)
                else:
                    click.echo(text(row))
    except KeyboardInterrupt:
        # How one stops following.
        click.echo(err=True)


def _pages(
    operator: Operator, code: str, follow: bool, fields: dict[str, object]
) -> Iterator[dict[str, Any]]:
    page = operator.document(code, **fields)
    yield page
    fields = {**fields, "count": None, "wait": _WAIT_S}
    while follow:
        page = operator.document(code, **fields, after=page["next"])
        yield page


def _event(row: dict[str, Any]) -> str:
    return f"{stamped(row)} {shown(row['level']):<7} {shown(row['kind'])}: {shown(row['text'])}"


def _log_line(row: dict[str, Any]) -> str:
    return f"{stamped(row)} {shown(row['level']):<7} {shown(row['logger'])} {shown(row['text'])}"


def _request(row: dict[str, Any]) -> str:
    arrow = "-> " if row["dir"] == "out" else ""
    tie = f" #{row['id']}" if row["id"] else ""
    return (
        f"{stamped(row)} {arrow}{shown(row['peer'])} {row['us']}us{tie} "
        f"{shown(row['request'])} -> {shown(row['reply'])}"
    )
