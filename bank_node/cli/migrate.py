"""`bank migrate`: a ledger moves from a file to a database, or back."""

import sys
from collections.abc import Callable

import click

from bank_node.errors import CorruptLedger

_EXIT_CORRUPT = 1


class _Bars:
    """One bar a step, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
        self.progress = Progress(*columns, console=Console(stderr=True))

    def step(self, what: str, entries: int) -> Callable[[int], object]:
        from rich.markup import escape

        task = self.progress.add_task(escape(what), total=entries)
        return lambda more: self.progress.advance(task, more)


@click.command()
@click.option("--from", "source", metavar="URL", required=True, envvar="BANK_MIGRATE_FROM",
              help="The store to copy from.")  # fmt: skip
@click.option("--to", "target", metavar="URL", required=True, envvar="BANK_MIGRATE_TO",
              help="The empty store to copy to.")  # fmt: skip
def migrate(source: str, target: str) -> None:
    """Copy a whole ledger from one store to another, and verify it on both sides.

    URL is sqlite:///path/bank.db or mysql://user:password@host:port/database, or comes from
    BANK_MIGRATE_FROM and BANK_MIGRATE_TO, where other users of the machine do not see a password.
    The nodes of both stores must be stopped. A migration that was interrupted goes on where it
    stopped when it is run again; until it is complete no node serves the target.
    """
    from bank_node.ledger.migration import migrate as copy
    from bank_node.node import migration_ends

    bars = _Bars()
    try:
        with migration_ends(source, target) as (archive, sink), bars.progress:
            report = copy(archive, sink, bars)
    except CorruptLedger as error:
        click.echo(f"the ledger does not fit: {error}", err=True)
        sys.exit(_EXIT_CORRUPT)
    click.echo(
        f"copied: {report.blocks} blocks, {report.entries} entries, {report.accounts} accounts, "
        f"total {report.total}\nhead {report.head_hash}"
    )
