"""How a ledger is opened from outside to be looked at, also where nothing may be written beside it.

SQLite reads the log of a file through an index in a file of its own, and makes that if no node
serves the ledger. In a folder without the right to write it cannot, and refuses even a ledger
without a log. Then a file that is all there is of a ledger is read as one that does not change,
and of one with a log a copy is read: a ledger without what is in its log is another ledger.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bank_node.errors import StartupError
from bank_node.ledger.sqlite_schema import NothingBeside, open_for_reading

# What belongs to a file while it is there: the log, and what an older kind of log would undo.
_LOGS = ("-wal", "-journal")
_Trace = tuple[int, int, int] | None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that looks at a ledger with all that is in its log, and changes nothing.

    Raises StartupError if there is none, if it cannot be read, or if it was changed by somebody
    while nothing told them apart from this reader.
    """
    try:
        connection = open_for_reading(path)
    except NothingBeside:
        with _copied(path) if _logs(path) else _unchanged(path) as connection:
            yield connection
        return
    with closing(connection):
        yield connection


@contextmanager
def _unchanged(path: Path) -> Iterator[sqlite3.Connection]:
    """Reads a file without a log where it is."""
    before = _traces(path)
    with closing(open_for_reading(path, is_all=True)) as connection:
        try:
            yield connection
        except Exception:
            # What does not fit may be half of one moment and half of another.
            _must_be(path, before)
            raise
    _must_be(path, before)


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """Reads a copy of a file and its log."""
    with ExitStack() as stack:
        before = _traces(path)
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bank-"))
            copy = Path(folder, path.name)
            _copy(path, copy)
        except (OSError, sqlite3.Error) as error:
            raise StartupError(
                f"nothing can be written beside {path}, and it cannot be copied elsewhere to be "
                f"read ({error}); copy it with its {' and '.join(_logs(path))} to a folder of yours"
            ) from None
        _must_be(path, before)
        yield stack.enter_context(closing(open_for_reading(copy)))


def _copy(path: Path, copy: Path) -> None:
    """Copies a file, and moves what its log holds into the copy."""
    for suffix in ("", *_logs(path)):
        shutil.copyfile(_beside(path, suffix), _beside(copy, suffix))
    with closing(sqlite3.connect(copy)) as connection:
        # Nobody needs to know whether the copy survives a crash.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = DELETE")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _logs(path: Path) -> list[str]:
    """The suffixes of those files beside a ledger that hold something of it."""
    return [suffix for suffix in _LOGS if (trace := _trace(_beside(path, suffix))) and trace[0]]


def _trace(path: Path) -> _Trace:
    """Size, moment of the last change and identity of a file; None if there is none."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartupError(f"{path} cannot be read: {error.strerror}") from None
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def _traces(path: Path) -> list[_Trace]:
    return [_trace(_beside(path, suffix)) for suffix in ("", *_LOGS)]


def _must_be(path: Path, before: list[_Trace]) -> None:
    """Raises StartupError if a ledger is not what it was."""
    if _traces(path) != before:
        raise StartupError(
            f"the ledger {path} was changed while it was read, do it where its node runs"
        )
