"""The command line: which scenarios, how long, where, and what is written down."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bench import machine, report
from bench.errors import BenchError, NotInstalledError
from bench.generator import Generator
from bench.postgres_server import find_postgres
from bench.redis_server import find_redis
from bench.scenarios import SCENARIOS
from bench.workbench import Workbench

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
QUICK_SECONDS, QUICK_ROUNDS = 2.0, 2
# An installed program is compiled, and so is one in a clone from its second start on. In a shell
# that forbids this, every start and every backup would be measured compiling.
FORBIDS_COMPILED = "PYTHONDONTWRITEBYTECODE"


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="May be given several times."
)
@click.option("--quick", is_flag=True, help="2 rounds of 2 s: a first impression.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of one measurement.")
@click.option("--rounds", default=3, show_default=True, help="Pairs of measurements a scenario.")
@click.option("--accounts", default=10_000, show_default=True, help="Accounts and Redis keys.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=REPOSITORY / "build" / "bench",
    help="Where all servers keep their data; must be on a disk.  [default: build/bench]",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the JSON (and FILE.md) here instead of bench/results/latest.*",
)
def main(
    only: Sequence[str],
    quick: bool,
    seconds: float,
    rounds: int,
    accounts: int,
    folder: Path,
    json_file: Path | None,
) -> None:
    """Measure the bank side by side with Redis, PostgreSQL and a classic peer.

    Exit code 1 means that a scenario failed; a missed bar is a result and not a failure.
    """
    # An ordinary exit stops the servers and removes their data; a killed one would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ.pop(FORBIDS_COMPILED, None)
    if quick:
        seconds, rounds = QUICK_SECONDS, QUICK_ROUNDS
    try:
        bench = _workbench(folder, seconds, rounds, accounts)
        about = machine.describe(folder, find_redis(), _postgres_binary())
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    result = report.Report(about, seconds, rounds, accounts)
    failed = _run(bench, only or list(SCENARIOS), result)
    click.echo(result.markdown())
    json_file = _json_file(json_file, complete=not only)
    if json_file is not None:
        report.write(result, json_file.with_suffix(".md"), json_file)
        click.echo(f"written: {json_file.with_suffix('.md')}, {json_file}", err=True)
    sys.exit(1 if failed else 0)


def _workbench(folder: Path, seconds: float, rounds: int, accounts: int) -> Workbench:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    machine.require_disk(folder)
    return Workbench(
        generator=Generator(folder),
        folder=folder,
        seconds=seconds,
        # Enough for a warm cache and for files past their first, smallest size.
        warmup_s=min(1.0, seconds / 4),
        rounds=rounds,
        accounts=accounts,
        say=lambda text: click.echo(text, err=True),
    )


def _run(bench: Workbench, names: Sequence[str], result: report.Report) -> bool:
    failed = False
    for name in names:
        bench.say(f"{name} ...")
        try:
            rows = SCENARIOS[name](bench)
        except NotInstalledError as error:
            result.left_out.append(f"`{name}`: {error}")
        except BenchError as error:
            failed = True
            result.left_out.append(f"`{name}` failed: {error}")
        else:
            result.rows.extend(rows)
            for row in rows:
                bench.say(f"  {row.what}: {row.unit.text(row.result)}, {row.reached.strip('*')}")
    return failed


def _json_file(wanted: Path | None, *, complete: bool) -> Path | None:
    """A part of the scenarios never replaces the results of all of them."""
    if wanted is not None:
        return wanted
    return RESULTS / "latest.json" if complete else None


def _postgres_binary() -> Path | None:
    binaries = find_postgres()
    return binaries / "postgres" if binaries else None


if __name__ == "__main__":
    main()
