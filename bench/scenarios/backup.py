"""How long deposits wait while the node is backed up over and over.

Knows `bank backup`; it runs as an operator would run it, as a process beside the node.
"""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.bank_server import NODE, REPOSITORY, Bank
from bench.errors import BenchError
from bench.generator import Load, LoadResult
from bench.report import Row, Unit
from bench.scenarios.pairs import in_pairs, short_turns
from bench.workbench import Workbench

# Something worth a backup: copying it takes longer than starting the process that copies.
DEPOSITS = 300_000
BACKUP_TIMEOUT_S = 120.0


class BackupLoop:
    """Backups one after the other, each to a new file that is removed at once."""

    def __init__(self, data: Path, target: Path) -> None:
        self._command = [*NODE, "backup", "--data", str(data), str(target)]
        self._target = target
        self._stop = threading.Event()
        self.finished = 0
        self.failure = ""

    @contextmanager
    def on(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if self.failure or not self.finished:
            raise BenchError(f"no backup to measure under: {self.failure or 'none finished'}")

    def _run(self) -> None:
        while not self._stop.is_set() and not self.failure:
            try:
                run = subprocess.run(
                    self._command,
                    capture_output=True,
                    text=True,
                    cwd=REPOSITORY,
                    timeout=BACKUP_TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                self.failure = f"not finished after {BACKUP_TIMEOUT_S:g} s"
                return
            if run.returncode or not self._target.exists():
                self.failure = run.stderr.strip() or f"exit code {run.returncode}, no file"
                return
            self.finished += 1
            self._target.unlink()


def backup(bench: Workbench) -> Sequence[Row]:
    bench = short_turns(bench)
    node = Bank(bench)
    load = Load("ad")
    finished = 0
    with (
        bench.scratch("bank") as data,
        bench.scratch("backup") as target,
        node.running(data) as bank,
    ):
        node.open_accounts(bank)
        node.deposit(bank, DEPOSITS)

        def backed_up() -> LoadResult:
            nonlocal finished
            loop = BackupLoop(data, target / "backup.db")
            with loop.on():
                result = node.load(bank, load)
            finished += loop.finished
            return result

        pairs = in_pairs(bench, backed_up, lambda: node.load(bank, load))
    disturbed, quiet = zip(*pairs, strict=True)
    p99_ms = median(each.p99_us for each in disturbed) / 1000
    quiet_ms = median(each.p99_us for each in quiet) / 1000
    row = Row(
        name="backup",
        what="p99 of AD, 64 connections, while `bank backup` runs in a loop",
        measured=f"{p99_ms:.1f} ms",
        compared_with=(
            f"without backups {quiet_ms:.1f} ms; medians of {len(quiet)} turns each, "
            f"{finished} backups were made"
        ),
        result=p99_ms,
        unit=Unit.MILLISECONDS,
        at_least=False,
        bar=10.0,
        details={
            "disturbed": [asdict(each) for each in disturbed],
            "quiet": [asdict(each) for each in quiet],
            "backups": finished,
        },
    )
    return [row]
