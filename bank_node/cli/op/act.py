"""`bank op set`, `drain`, `resume`, `stop`, `verify`, `export`: what changes or checks a node."""

import time
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from bank_node.cli.op.entrance import Operator, operator_options
from bank_node.cli.op.shown import as_document, shown

_EXIT_CORRUPT = 1
_LOOK_S = 0.2


@click.command("set")
@operator_options
@click.argument("key")
@click.argument("value")
@click.option("--save", is_flag=True, help="Write it into the settings file as well.")
def change(operator: Operator, as_json: bool, key: str, value: str, save: bool) -> None:
    """Change the setting KEY of the running node to VALUE."""
    document = operator.document("OH", key=key, value=value, save=int(save))
    if as_json:
        as_document(document)
    else:
        click.echo(f"{shown(document['key'])} = {shown(str(document['value']))}")


@click.command()
@operator_options
def drain(operator: Operator, as_json: bool) -> None:
    """Refuse new connections and everything that changes the ledger."""
    _direct(operator, "drain", as_json)


@click.command()
@operator_options
def resume(operator: Operator, as_json: bool) -> None:
    """Take work again after `drain`."""
    _direct(operator, "resume", as_json)


@click.command()
@operator_options
def stop(operator: Operator, as_json: bool) -> None:
    """Stop the node in order, as SIGTERM does."""
    _direct(operator, "stop", as_json)


def _direct(operator: Operator, what: str, as_json: bool) -> None:
    document = operator.document("OX", do=what)
    if as_json:
        as_document(document)
    else:
        click.echo(shown(document["state"]))


@click.command()
@operator_options
def verify(operator: Operator, as_json: bool) -> None:
    """Replay the ledger inside the running node; exit code 1 if something does not fit."""
    operator.document("OV", start=1)
    document = watched(lambda: operator.document("OV"), "verifying", "height", "of", quiet=as_json)
    if as_json:
        as_document(document)
    elif document["ok"]:
        click.echo(f"the ledger fits: {document['height']:,} blocks\nhead {document['head_hash']}")
    elif document["problem"]:
        click.echo(f"the ledger does not fit: {shown(document['problem']['text'])}")
    else:
        click.echo("the verification was ended")
    if not document["ok"]:
        raise SystemExit(_EXIT_CORRUPT)


@click.command()
@operator_options
@click.argument("what", type=click.Choice(["accounts", "journal"]))
@click.option("--account", type=int, help="Of the journal, what concerns this account.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv",
              show_default=True, help="The form of the file.")  # fmt: skip
def export(operator: Operator, as_json: bool, what: str, form: str, account: int | None) -> None:
    """Have the running node write accounts or journal into its data folder."""
    operator.document("OZ", what=what, format=form, account=account)
    document = watched(lambda: operator.document("OZ"), "exporting", "rows", None, quiet=as_json)
    if as_json:
        as_document(document)
    elif document["path"]:
        click.echo(f"{shown(document['path'])}: {document['rows']:,} rows")
    else:
        click.echo(
            f"nothing was exported: {shown(document['problem']) or 'it was ended'}", err=True
        )
    if not document["path"]:
        raise SystemExit(_EXIT_CORRUPT)


def watched(
    look: Callable[[], dict[str, Any]], name: str, done: str, total: str | None, *, quiet: bool
) -> dict[str, Any]:
    """Looks at something that runs until it has ended; with a progress bar unless `quiet`.

    `done` and `total` name the members that tell how far it is.
    """
    console = Console(stderr=True)
    quiet = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task(name, total=None)
        while (document := look())["running"]:
            progress.update(bar, completed=document[done], total=document[total] if total else None)
            time.sleep(_LOOK_S)
    return document
