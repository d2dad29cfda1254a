"""The packed bank: how large it is, and how soon it is there, beside the program from its sources.

python -m bench.executable
python -m bench.executable --json FILE
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bench.processes import BANK_PORTS, LOOPBACK, free_port
from tools.make_dist import EXECUTABLE, UNPACKED, make

ROUNDS = 9
DEADLINE_S = 60.0

Command = list[str]


@dataclass(frozen=True)
class Row:
    """What one form of the program costs; times in seconds, the median and the slowest."""

    form: str
    bytes: int | None
    """On disk; None where Python and its libraries would have to be counted."""
    version_s: float
    version_slowest_s: float
    ready_s: float
    ready_slowest_s: float


def measure(rounds: int) -> list[Row]:
    """All forms, which take turns so that a busy moment of the machine meets each of them."""
    make()
    forms: dict[str, Command] = {
        "one file": [str(EXECUTABLE)],
        "folder": [str(UNPACKED)],
        "sources": [sys.executable, "-m", "bank_node"],
    }
    sizes = {"one file": EXECUTABLE.stat().st_size, "folder": _bytes_of(UNPACKED.parent)}
    for command in forms.values():
        # The first start reads the disk, the others what the machine remembers of it.
        _version(command)
    versions: dict[str, list[float]] = {form: [] for form in forms}
    ready: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(rounds):
        for form, command in forms.items():
            versions[form].append(_version(command))
            ready[form].append(_ready(command))
    return [
        Row(form, sizes.get(form), *_told(versions[form]), *_told(ready[form])) for form in forms
    ]


def _version(command: Command) -> float:
    return _timed(lambda: _run([*command, "--version"]))


def _ready(command: Command) -> float:
    """From exec to the line that says that a new bank accepts clients."""
    with tempfile.TemporaryDirectory(prefix="bench-executable-") as folder:
        port = str(free_port(BANK_PORTS))
        begun = time.perf_counter()
        bank = subprocess.Popen(
            [*command, "serve", "--host", LOOPBACK, "--port", port, "--data", folder],
            env={**os.environ, "BANK_OPERATOR_PORT": "0"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert bank.stdout
        line = bank.stdout.readline()
        seconds = time.perf_counter() - begun
        bank.send_signal(signal.SIGTERM)
        bank.communicate(timeout=DEADLINE_S)
        if not line.startswith("ready "):
            raise click.ClickException(f"{command[0]} does not serve")
        return seconds


def _run(command: Command) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, timeout=DEADLINE_S, check=True)


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _told(seconds: Sequence[float]) -> tuple[float, float]:
    return round(statistics.median(seconds), 3), round(max(seconds), 3)


def _bytes_of(folder: Path) -> int:
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file())


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Starts of each form.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures here.")
def main(rounds: int, file: Path | None) -> None:
    """Measure the executable as one file, as a folder, and the program from its sources."""
    rows = measure(rounds)
    click.echo("form        size      --version        slowest   serve is ready   slowest")
    for row in rows:
        size = "" if row.bytes is None else f"{row.bytes / 1e6:.1f} MB"
        click.echo(
            f"{row.form:<9} {size:>8}  {row.version_s:>9.3f} s  {row.version_slowest_s:>9.3f} s"
            f"  {row.ready_s:>9.3f} s  {row.ready_slowest_s:>9.3f} s"
        )
    if file is not None:
        file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
