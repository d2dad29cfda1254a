"""Small files that must be there whole or not at all, for the eyes of their owner only."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077


def write_private(path: Path, data: bytes) -> None:
    """Puts a file in its place in one step, on disk, with mode 0600. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(path.name + ".new")
    # What an interrupted start left; made anew so that nobody can have opened it before.
    with suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    sync_folder(path.parent)


def others_may_read(path: Path) -> bool:
    """Whether anybody but the owner may open a file. Raises OSError."""
    # Windows keeps no such bits; there the folder of the user is what protects the file.
    return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)


def sync_folder(folder: Path) -> None:
    """Makes a rename durable where the system has such a call (Windows has none)."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
