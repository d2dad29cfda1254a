"""Brings a copied file to the disk without standing in the way of whoever shares that disk.

A sync of a large file is one long queue at the disk, and the commits of a node that serves stand
at its end. So what the system still keeps in memory is written in small pieces, with pauses in
which others have the disk, and the sync that follows finds nothing left to do.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress

_Write = Callable[[int, int, int], int]

_PIECE_BYTES = 256 * 1024
# Longer than a disk takes for a piece, so that others have more of it.
_PAUSE_S = 0.004
# All of sync_file_range(2): waits for what is being written, writes, and waits for the end.
_WRITE_AND_WAIT = 0b111
# A file system that does not know how to write a part of a file is asked for all of it.
_NOT_KNOWN = (errno.ENOSYS, errno.EINVAL, errno.ESPIPE, errno.EOPNOTSUPP)


def write_back(file: int, pause: Callable[[float], object]) -> None:
    """Returns when all of an open file is on the disk. Raises OSError.

    `pause` waits for some seconds.
    """
    write = _range_writer()
    if write is not None:
        for offset in range(0, os.fstat(file).st_size, _PIECE_BYTES):
            problem = write(file, offset, _PIECE_BYTES)
            if problem in _NOT_KNOWN:
                break
            if problem:
                # A sync would not tell of it again.
                raise OSError(problem, os.strerror(problem))
            pause(_PAUSE_S)
    os.fsync(file)


def _range_writer() -> _Write | None:
    """Writes a part of a file and returns the error number; None where no system can."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    with suppress(AttributeError):
        call = library.sync_file_range
        call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)

        def write(file: int, offset: int, length: int) -> int:
            return ctypes.get_errno() if call(file, offset, length, _WRITE_AND_WAIT) else 0

        return write
    return None
