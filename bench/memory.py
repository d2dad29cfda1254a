"""Resident memory of a process and all that it started, as Linux counts it."""

from pathlib import Path


def tree_rss_bytes(pid: int) -> int:
    return sum(_rss_bytes(each) for each in [pid, *_descendants(pid)])


def _rss_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes[0]) * 1024 if kilobytes else 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in tasks.read_text().split()]
        except OSError:
            # Threads come and go while the folder is read.
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found
