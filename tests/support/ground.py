"""The first loopback addresses at the ports of banks, for one test of this machine at a time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

_PATIENCE_S = 600.0


@contextmanager
def the_ground() -> Iterator[None]:
    """`bank demo` and the measurements look for a free port there; two at once would find one."""
    with FileLock(Path(tempfile.gettempdir(), "bank-tests-ground.lock"), timeout=_PATIENCE_S):
        yield
