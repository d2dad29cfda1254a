"""What a node asks of the machine and the interpreter that it runs on, and its clock."""

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct

from bank_node.telemetry.clock import Clock

# Where the system sets no limit, or none that can be asked for.
_FILES_UNKNOWN = 65_536

CLOCK = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)

# How long a thread may keep the interpreter while another waits for it. The default of 5 ms is
# longer than most batches take from first byte to reply; with half as much as this, deposits in
# flight together cost a fifteenth more, and single ones wait as long.
_SWITCH_INTERVAL_S = 0.002
# The collector looks for cycles each time this many more objects live than died. Requests make no
# cycles, only closed connections do; at the default of 700 a busy node would look all the time.
# Nobody goes on while it looks, which takes a third of a millisecond for a thousand new objects.
_COLLECT_AFTER = 10_000
# Looks at new objects for each look at those that have outlived one. Many: these stay, as a rule.
_LOOKS_AT_NEW_ONES = 100

_NUMBERS = Struct("512Q")


class Chance:
    """Draws unpredictable integers of 64 bits, which the system hands out by the hundred.

    Asked for each number alone, a thread would let go of the interpreter each time, and a busy
    node has others that take it. From any thread.
    """

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def __call__(self) -> int:
        while True:
            try:
                return self._numbers.pop()
            except IndexError:
                self._numbers.extend(_NUMBERS.unpack(os.urandom(_NUMBERS.size)))


def usage() -> tuple[float, int]:
    """Seconds of the processor and bytes of memory that this process takes."""
    return time.process_time(), _resident_bytes()


def disk_free(folder: Path) -> int:
    """The bytes that are left on the disk of a folder. Raises OSError."""
    import shutil  # It brings all compressors along, and only operators ask.

    return shutil.disk_usage(folder).free


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    if sys.platform == "win32":
        return 0
    import resource

    # Elsewhere only the highest so far is told, on macOS in bytes, on others in KiB.
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


@contextmanager
def without_collector() -> Iterator[None]:
    """For work that makes many objects and no garbage: nobody looks for cycles among them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def devote_process() -> None:
    """Suits a process to the nodes that it has started, when serving is all that it is for.

    Threads take turns as often as a node's threads need it, and what was built at the start
    (accounts above all) is taken out of the collector's rounds, without a last round: a start
    leaves next to nothing to collect, and clients wait for it. A program that has a node among
    other things decides about its own interpreter.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, _LOOKS_AT_NEW_ONES, 10)


def files_allowed() -> int:
    """How many files this process may have open, sockets included."""
    if sys.platform == "win32":
        return _FILES_UNKNOWN
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FILES_UNKNOWN if soft == resource.RLIM_INFINITY else soft


def raise_file_limit(files: int) -> None:
    """Lets this process open as many files as it was asked to serve, as far as it may."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
