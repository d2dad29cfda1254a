"""The machine of a run: figures without it cannot be compared with anybody's.

Knows /proc and the version switches of the peers; never starts a server.
"""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import BenchError

MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "devtmpfs"}
SYNC_PROBE_S = 0.5


@dataclass(frozen=True, slots=True)
class Machine:
    date: str
    cpus: int
    cpu_model: str
    kernel: str
    python: str
    python_build: str
    file_system: str
    sync_us: float
    redis: str | None
    postgres: str | None


def describe(folder: Path, redis: Path | None, postgres: Path | None) -> Machine:
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        cpus=len(os.sched_getaffinity(0)),
        cpu_model=_cpu_model(),
        kernel=platform.release(),
        python=platform.python_version(),
        python_build="free-threaded" if not _has_gil() else "with the GIL",
        file_system=file_system(folder),
        sync_us=round(_sync_us(folder), 1),
        redis=version(redis),
        postgres=version(postgres),
    )


def require_disk(folder: Path) -> None:
    """In memory an fsync is free, and a durable write would cost nothing on either side."""
    kind = file_system(folder)
    if kind in MEMORY_FILE_SYSTEMS:
        raise BenchError(f"{folder} is on {kind}; choose a folder on a disk with --dir")


def file_system(folder: Path) -> str:
    """The type of the mount with the longest path that leads to the folder."""
    folder = folder.resolve()
    best_length, best_kind = 0, "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        mount_point, kind = line.split()[1:3]
        if folder.is_relative_to(mount_point) and len(mount_point) >= best_length:
            best_length, best_kind = len(mount_point), kind
    return best_kind


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _has_gil() -> bool:
    probe = getattr(sys, "_is_gil_enabled", None)
    return True if probe is None else bool(probe())


def _sync_us(folder: Path) -> float:
    """Appending 4 KiB and fdatasync, alone: the floor under every durable write."""
    path = folder / "sync_probe"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        began_s, rounds = time.perf_counter(), 0
        while time.perf_counter() < began_s + SYNC_PROBE_S:
            os.write(handle, bytes(4096))
            os.fdatasync(handle)
            rounds += 1
        return (time.perf_counter() - began_s) / rounds * 1e6
    finally:
        os.close(handle)
        path.unlink()


def version(binary: Path | None) -> str | None:
    if binary is None:
        return None
    run = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or None
