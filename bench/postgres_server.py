"""PostgreSQL as a peer: its default, durable settings and its own load generator.

Knows Debian's paths, initdb and pgbench; the tables are made once and used in all rounds.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

from bench.errors import BenchError, NotInstalledError
from bench.generator import Load
from bench.processes import LOOPBACK, OTHER_PORTS, POLL_S, Process, free_port, stopping
from bench.workbench import Measurement, Workbench

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
SCALE = 10
TOOL_TIMEOUT_S = 300.0
READY_TIMEOUT_S = 60.0
# New backends plan their statements and the first touch of a page after a start is logged
# whole; two seconds later the rate is steady, and only the seconds after that count.
WARMUP_S = 2
PROGRESS = re.compile(r"^progress: ([0-9]+)\.[0-9] s, ([0-9.]+) tps", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


def find_postgres() -> Path | None:
    """The folder of the newest installed version; Debian keeps it out of the PATH."""
    found = [path.parent for path in DEBIAN_BINARIES.glob("*/bin/pgbench")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    in_path = shutil.which("pgbench")
    return Path(in_path).resolve().parent if in_path and shutil.which("initdb") else None


class Postgres:
    name = "PostgreSQL, pgbench -N -M prepared"

    def __init__(self, bench: Workbench, folder: Path) -> None:
        """Fills a new cluster in the folder, which the caller removes in the end."""
        binaries = find_postgres()
        if binaries is None:
            raise NotInstalledError("PostgreSQL", "apt install postgresql")
        self._binaries = binaries
        self._bench = bench
        self._folder = folder
        self._data = folder / "data"
        self._user = _unprivileged_user()
        if self._user is not None:
            shutil.chown(folder, self._user, self._user)
        self._tool("initdb", "-D", self._data, "-U", "bench", "-A", "trust", "--locale=C", "-N")
        with self._running() as port:
            self._pgbench(port, "-i", "-q", "-s", str(SCALE))

    @contextmanager
    def ready(self, load: Load) -> Iterator[Callable[[], Measurement]]:
        """As of a player; it runs only while it is measured, because it is not idle at rest."""
        yield lambda: self._measure(load)

    def _measure(self, load: Load) -> Measurement:
        os.sync()
        seconds = WARMUP_S + max(1, round(self._bench.seconds))
        with self._running() as port:
            report = self._pgbench(
                port,
                *["-N", "-M", "prepared", "-c", str(load.connections), "-j", "2"],
                *["-P", "1", "-T", str(seconds)],
            )
        rates = [float(rate) for at, rate in PROGRESS.findall(report) if int(at) > WARMUP_S]
        failed = FAILED.search(report)
        if not rates or failed is None or failed.group(1) != "0":
            raise BenchError(f"pgbench did not report a clean run:\n{report}")
        return Measurement(fmean(rates), {"pgbench": report.splitlines()})

    @contextmanager
    def _running(self) -> Iterator[int]:
        port = free_port(OTHER_PORTS)
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data]
        command += ["-p", str(port), "-h", LOOPBACK, "-k", ""]
        process = Process(command, self._folder / "postgres.log", user=self._user, cwd=self._folder)
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
        with stopping(process, signal.SIGINT):
            process.wait_for_port(port, READY_TIMEOUT_S)
            self._await_recovery(port)
            yield port

    def _await_recovery(self, port: int) -> None:
        """The port opens a little before the first query is served, and longer on a slow disk."""
        deadline_s = time.perf_counter() + READY_TIMEOUT_S
        while True:
            try:
                self._tool("pg_isready", "-q", "-h", LOOPBACK, "-p", str(port))
                return
            except BenchError:
                if time.perf_counter() >= deadline_s:
                    raise
                time.sleep(POLL_S)

    def _pgbench(self, port: int, *options: str) -> str:
        where = ["-h", LOOPBACK, "-p", str(port), "-U", "bench"]
        return self._tool("pgbench", *where, *options, "postgres")

    def _tool(self, name: str, *arguments: str | Path) -> str:
        run = subprocess.run(
            [self._binaries / name, *arguments],
            capture_output=True,
            text=True,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            timeout=TOOL_TIMEOUT_S,
            check=False,
        )
        if run.returncode:
            raise BenchError(f"{name} failed: {run.stderr.strip()}")
        # pgbench reports its progress on stderr and its summary on stdout.
        return run.stderr + run.stdout


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; whoever is not root runs it as himself."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
