"""Exclusive ownership of a file: one process serves a ledger, a second one is refused.

The lock is the operating system's, on a file beside the owned one: it is dropped when the process
dies, so a killed node leaves nothing behind.
"""

import os
import sys
from pathlib import Path

from bank_node.errors import StartupError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Ownership:
    """What is owned until the process ends or it is released."""

    def __init__(self, file: int) -> None:
        """`file` is the descriptor of the locked file."""
        self._file: int | None = file

    def release(self) -> None:
        """Lets others have it; a second time does nothing."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def own(path: Path) -> Ownership:
    """Takes the lock of a file. Raises StartupError, above all when another process holds it."""
    try:
        file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartupError(f"the ledger {path} cannot be opened: {error.strerror}") from None
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        os.close(file)
        raise StartupError(f"the ledger {path} is in use by another process") from None
    except OSError as error:
        os.close(file)
        raise StartupError(f"the ledger {path} cannot be locked: {error.strerror}") from None
    return Ownership(file)
