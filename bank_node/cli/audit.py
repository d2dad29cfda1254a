"""`bank verify`, `bank backup`, `bank restore`, `bank export`: a ledger seen from outside."""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bank_node.cli.options import FILE, effective, settings_options
from bank_node.errors import CorruptLedger

if TYPE_CHECKING:
    from bank_node.ledger.archive import Archive
    from bank_node.ledger.exports import Rows

_EXIT_CORRUPT = 1
# As low as it goes: where there is no class for idle work, this is the nearest to it.
_NICE = 19


def _ledger(config: Path | None, data: Path | None, store: str | None) -> Path:
    from bank_node.node import ledger_path

    return ledger_path(effective(config, data, store).settings)


def _archive(config: Path | None, data: Path | None, store: str | None) -> "Archive":
    from bank_node.node import open_archive

    return open_archive(effective(config, data, store).settings)


@click.command()
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(config: Path | None, data: Path | None, store: str | None, as_json: bool) -> None:
    """Replay the whole ledger and name the first block that does not fit.

    Exit code 0 if everything fits, 1 if not. Works while the node serves.
    """
    ledger = _archive(config, data, store)
    try:
        with click.progressbar(
            length=ledger.count_entries(), label="verifying", file=sys.stderr
        ) as bar:
            report = ledger.verify(bar.update)
    except CorruptLedger as error:
        if as_json:
            told = {"fits": False, "block": error.height, "problem": str(error)}
            click.echo(json.dumps(told))
        else:
            click.echo(f"the ledger does not fit: {error}")
        sys.exit(_EXIT_CORRUPT)
    if as_json:
        click.echo(json.dumps({"fits": True, **report._asdict()}))
    else:
        click.echo(
            f"the ledger fits: {report.blocks} blocks, {report.entries} entries, "
            f"{report.accounts} accounts, total {report.total}\nhead {report.head_hash}"
        )


def _step_back() -> None:
    """Lets a node on the same machine go first: nobody waits for a backup, clients do.

    A low priority alone is not enough: Linux lets even that finish a slice of some milliseconds
    before a node that wakes up may go on. Work of the idle class makes room at once.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif hasattr(os, "nice"):
        os.nice(_NICE)


@click.command()
@settings_options
@click.argument("file", type=FILE)
def backup(config: Path | None, data: Path | None, store: str | None, file: Path) -> None:
    """Copy the ledger to FILE, as of one moment; works while the node serves."""
    _step_back()
    from bank_node.ledger.sqlite_files import backup as write_backup

    size = write_backup(_ledger(config, data, store), file)
    click.echo(f"{file}: {size} bytes")


@click.command()
@settings_options
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Overwrite the ledger that is there.")
def restore(
    config: Path | None, data: Path | None, store: str | None, file: Path, replace: bool
) -> None:
    """Verify the backup FILE and make it the ledger of a data folder that no node serves."""
    from bank_node.ledger.sqlite_files import restore as put_back

    path = _ledger(config, data, store)
    try:
        report = put_back(file, path, replace=replace)
    except CorruptLedger as error:
        click.echo(f"the backup does not fit: {error}", err=True)
        sys.exit(_EXIT_CORRUPT)
    click.echo(f"{path}: {report.blocks} blocks, {report.accounts} accounts, total {report.total}")


@click.command()
@settings_options
@click.argument("what", type=click.Choice(["accounts", "journal"]))
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv",
              show_default=True, help="The form of what is written.")  # fmt: skip
@click.option(
    "--account", type=int, help="Of the journal: this account only, with the balance after each."
)
@click.option("--output", type=FILE, help="The file to write; stdout without it.")
def export(
    config: Path | None,
    data: Path | None,
    store: str | None,
    what: str,
    form: str,
    account: int | None,
    output: Path | None,
) -> None:
    """Write the accounts, or every entry of the journal, as CSV or as a JSON array."""
    from bank_node.ledger.exports import WRITERS, of_account

    if account is not None and what != "journal":
        raise click.UsageError("--account is for the journal")
    rows = {"accounts": _accounts, "journal": _journal}[what](_archive(config, data, store))
    if account is not None:
        rows = of_account(rows, account)
    write = WRITERS[form]
    with (
        output.open("w", encoding="utf-8", newline="")
        if output
        else nullcontext(sys.stdout) as file
    ):
        write(rows, file)


def _accounts(ledger: "Archive") -> "Rows":
    from bank_node.ledger.exports import account_rows

    return account_rows(ledger.accounts())


def _journal(ledger: "Archive") -> "Rows":
    from bank_node.ledger.exports import journal_rows

    return journal_rows(ledger.journal())
