"""The console in a terminal of its own: how soon it shows something, and what it costs at rest.

`python -m bench.console` starts a bank and `bank tui` on it in a pseudo terminal, several times.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click

REPOSITORY = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 120, 40
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
            _start(bank, folder, 0)
            runs = [_start(bank, folder, idle if n == starts - 1 else 0) for n in range(starts)]
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
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(REPOSITORY)
        os.environ["TERM"] = "xterm-256color"
        # An installed program is compiled, and so is this one from its second start on.
        for name in ("PYTHONDONTWRITEBYTECODE", "COLUMNS", "LINES"):
            os.environ.pop(name, None)
        command = [*bank, "tui", "--data", str(folder)]
        os.execv(command[0], command)
    try:
        content_ms = _drawn(terminal, FRAME, began)
        answer_ms = _drawn(terminal, ANSWER, began)
        _read_for(terminal, 2.0)
        cpu_s = _cpu_s(pid)
        _read_for(terminal, idle_s)
        share = 100 * (_cpu_s(pid) - cpu_s) / idle_s if idle_s else 0.0
        rss_mb = _rss_mb(pid)
        os.write(terminal, b"q")
        _read_for(terminal, 1.0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return Run(content_ms, answer_ms, share, rss_mb)


def _drawn(terminal: int, text: bytes, began: float) -> float:
    """Milliseconds until the console has drawn a text."""
    seen = b""
    while text not in seen:
        left = GIVE_UP_S - (time.perf_counter() - began)
        if left < 0 or not select.select([terminal], [], [], left)[0]:
            raise click.ClickException(f"the console never draws {text.decode()}")
        seen = seen[-100:] + os.read(terminal, 65_536)
    return (time.perf_counter() - began) * 1000


def _read_for(terminal: int, seconds: float) -> None:
    """Takes what is drawn, as a terminal does."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                os.read(terminal, 65_536)
            except OSError:
                return


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
