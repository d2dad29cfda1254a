"""The console in a terminal of its own: how soon it shows something, and what it costs at rest.

`python -m bench.console` starts a bank and `bank tui` on it in a pseudo terminal, several times.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click

from bench.terminal import REPOSITORY, NeverDrawnError, console

GIVE_UP_S = 20.0
# The first thing that is drawn of the frame, and the first that only the node can have told.
FRAME, ANSWER = b"Overview", b"serving"
BARS = {"first content": 500.0, "idle CPU": 3.0, "memory": 120.0}


class Run(NamedTuple):
    """One start of the console."""

    content_ms: float
    answer_ms: float
    idle_percent: float
    rss_mb: float


@click.command()
@click.option("--starts", default=5, show_default=True, help="How often it is started.")
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The packed program instead of the sources, e.g. dist/folder/bank.",
)
@click.option("--idle", default=10.0, show_default=True, help="Seconds at rest in the last start.")
def main(starts: int, program: Path | None, idle: float) -> None:
    """Measure first content, idle CPU and memory of `bank tui`; exit code 1 if a bar is missed."""
    bank = [str(program.resolve())] if program else [sys.executable, "-m", "bank_node"]
    with tempfile.TemporaryDirectory(prefix="bank-console-") as name:
        folder = Path(name)
        with _bank(bank, folder):
            try:
                _start(bank, folder, 0)
                runs = [_start(bank, folder, idle if n == starts - 1 else 0) for n in range(starts)]
            except NeverDrawnError as error:
                raise click.ClickException(str(error)) from None
    last = runs[-1]
    rows = [
        ("first content", median(run.content_ms for run in runs), "ms"),
        ("first answer of the node", median(run.answer_ms for run in runs), "ms"),
        ("idle CPU", last.idle_percent, "% of one core"),
        ("memory", last.rss_mb, "MB"),
    ]
    missed = False
    for name, value, unit in rows:
        bar = BARS.get(name)
        verdict = "" if bar is None else f"  (bar {bar:g}: {'kept' if value < bar else 'MISSED'})"
        missed = missed or (bar is not None and value >= bar)
        click.echo(f"{name:<26}{value:8.1f} {unit}{verdict}")
    sys.exit(1 if missed else 0)


@contextmanager
def _bank(bank: list[str], folder: Path) -> Iterator[None]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("BANK_")}
    process = subprocess.Popen(
        [*bank, "serve", "--data", str(folder), "--port", "0"],
        cwd=REPOSITORY,
        env={**own, "BANK_OPERATOR_PORT": "0"},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith(b"ready"):
            raise click.ClickException("the bank does not start")
        yield
    finally:
        process.terminate()
        process.communicate()


def _start(bank: list[str], folder: Path, idle_s: float) -> Run:
    with console(bank, folder) as terminal:
        content_ms = terminal.drawn(FRAME, GIVE_UP_S)
        answer_ms = terminal.drawn(ANSWER, GIVE_UP_S)
        terminal.read_for(2.0)
        cpu_s = terminal.cpu_s()
        terminal.read_for(idle_s)
        share = 100 * (terminal.cpu_s() - cpu_s) / idle_s if idle_s else 0.0
        rss_mb = terminal.rss_mb()
    return Run(content_ms, answer_ms, share, rss_mb)


if __name__ == "__main__":
    main()
