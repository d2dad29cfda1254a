"""The load generator: builds load.c and reads what it reports.

Knows the options and the JSON of load.c; a run with a single wrong reply, a lost
connection or an unanswered request raises and yields no figure.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench.errors import BenchError, NotInstalledError

SOURCE = Path(__file__).with_name("load.c")
# Connecting, draining and probing idle connections each have their own limit in load.c;
# together they stay below this, so only a bug can reach it.
GRACE_S = 240.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the generator; the fields are its options."""

    command: str
    connections: int = 64
    in_flight: int = 1
    requests: int | None = None
    idle_connections: int = 0
    sequential: bool = False
    lines: Path | None = None
    """Requests to send round and round, for the command `lines`."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What load.c printed; latencies run from sending a request to reading its reply."""

    requests: int
    seconds: float
    rate: float
    errors: int
    lost: int
    unanswered: int
    acknowledged_total: int
    p50_us: float
    p90_us: float
    p99_us: float
    p999_us: float
    max_us: float
    cpu_s: float
    cpu_share: float
    idle_asked: int
    idle_served: int
    idle_refused: int
    idle_lost: int
    idle_answered_after: int
    error_samples: list[str]


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: where it is, how it speaks, which accounts (or keys) it has."""

    protocol: str
    host: str
    port: int
    accounts: Path


class Generator:
    """The compiled load.c."""

    def __init__(self, folder: Path) -> None:
        self._binary = folder / "load"
        compiler = shutil.which("cc")
        if compiler is None:
            raise NotInstalledError("a C compiler", "apt install gcc libc6-dev")
        command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(self._binary), str(SOURCE)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            raise BenchError(f"load.c does not compile:\n{built.stderr}")

    def run(
        self,
        target: Target,
        load: Load,
        *,
        seconds: float,
        warmup_s: float = 0.0,
        replies: Path | None = None,
    ) -> LoadResult:
        result = self.run_unchecked(
            target, load, seconds=seconds, warmup_s=warmup_s, replies=replies
        )
        if result.errors or result.lost or result.unanswered or not result.requests:
            raise BenchError(
                f"{load.command} on {target.host}:{target.port}: {result.requests} right replies, "
                f"{result.errors} errors {result.error_samples}, {result.lost} connections lost, "
                f"{result.unanswered} requests unanswered"
            )
        return result

    def run_unchecked(
        self,
        target: Target,
        load: Load,
        *,
        seconds: float,
        warmup_s: float = 0.0,
        replies: Path | None = None,
    ) -> LoadResult:
        command = [str(self._binary), "--proto", target.protocol, "--host", target.host]
        command += ["--port", str(target.port), "--command", load.command]
        command += ["--accounts-file", str(target.accounts)]
        command += ["--connections", str(load.connections), "--in-flight", str(load.in_flight)]
        command += ["--idle-connections", str(load.idle_connections)]
        command += ["--seconds", str(seconds), "--warmup", str(warmup_s)]
        command += ["--sequential"] if load.sequential else []
        command += ["--lines-file", str(load.lines)] if load.lines else []
        command += ["--requests", str(load.requests)] if load.requests else []
        command += ["--replies", str(replies)] if replies else []
        try:
            run = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=seconds + warmup_s + GRACE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"the load generator did not end: {' '.join(command)}") from None
        if run.returncode:
            raise BenchError(run.stderr.strip() or f"load ended with {run.returncode}")
        return _parse(json.loads(run.stdout))


def _parse(report: dict[str, Any]) -> LoadResult:
    return LoadResult(**{field.name: report[field.name] for field in fields(LoadResult)})
