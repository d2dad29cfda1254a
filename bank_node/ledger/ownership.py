"""Exclusive ownership of a file: one process serves a ledger, a second one is refused."""

from pathlib import Path

from filelock import FileLock, Timeout

from bank_node.errors import StartupError


def own(path: Path) -> FileLock:
    """Takes the lock beside a file, until the process ends or `release` is called.

    The operating system drops it when the process dies, so a killed node leaves nothing behind.
    Raises StartupError when another process holds it.
    """
    lock = FileLock(str(path) + ".lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise StartupError(f"the ledger {path} is in use by another process") from None
    except OSError as error:
        raise StartupError(f"the ledger {path} cannot be opened: {error.strerror}") from None
    return lock
