"""The traffic log: one line for every request, written behind by a thread of its own.

The I/O thread only hands over what it has answered. The log thread formats it by the hundred and
writes it through a rotating file handler of the standard library. A queue that is full loses
lines, counts them and says so; it never makes a client wait.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from logging.handlers import RotatingFileHandler
from math import ceil
from pathlib import Path

from bank_node.telemetry.ring import Ring
from bank_node.telemetry.traffic_lines import (
    Answered,
    Record,
    count_requests,
    format_json,
    format_text,
    records_of,
)

# About 20 MB of requests: seconds of full load, should the disk stall.
_LINES_MAX = 100_000
# How many lines are formatted in one go; more would keep the interpreter from the I/O thread.
_PORTION_MIN, _PORTION_MAX = 400, 1000
_RECORDS_KEPT = 4096
# What has gathered is written within this time, portion after portion: all at once it would be a
# stall that clients feel.
_ROUND_S = 0.2
_PORTIONS_A_ROUND = 12


class Latest(Ring[Record]):
    """The last requests, kept as they came and taken apart into records only for who reads.

    There are never fewer than its size, once so many have come.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._items: deque[tuple[int, Sequence[Answered]]] = deque()
        self._size = size
        self._kept = 0

    def add(self, items: Sequence[Answered]) -> None:
        """Takes requests in, oldest first, and keeps the sequence itself. From any thread."""
        requests = count_requests(items)
        with self._lock:
            self._items.append((requests, items))
            self._newest += requests
            self._kept += requests
            while self._kept - self._items[0][0] >= self._size:
                self._kept -= self._items.popleft()[0]

    def _apart(self, kept: list[tuple[int, Sequence[Answered]]]) -> list[Record]:
        return records_of(chain.from_iterable([items for _, items in kept]))


class Traffic:
    """Where all records go: the last ones into memory, and all of them into the log's file."""

    def __init__(self, open_log: Callable[[], "TrafficLog"], *, is_on: bool) -> None:
        """`open_log` opens the file; nothing is kept while this is off. Raises OSError."""
        self._open_log = open_log
        self._log: TrafficLog | None = None
        self.ring = Latest(_RECORDS_KEPT)
        self.switch(is_on)

    def switch(self, is_on: bool) -> None:
        """Begins or ends to keep records. Raises OSError."""
        log = self._log
        if is_on and log is None:
            self._log = self._open_log()
        elif not is_on and log is not None:
            self._log = None
            log.close()

    @property
    def log(self) -> Callable[[Sequence[Answered]], None] | None:
        """Takes what was answered; None while nothing is kept, so that nothing need be made."""
        return self.extend if self._log else None

    def extend(self, answered: Sequence[Answered]) -> None:
        """Takes what was answered; never blocks."""
        log = self._log
        if log is not None:
            self.ring.add(answered)
            log.extend(answered)

    def close(self) -> None:
        """Writes what is left."""
        self.switch(False)


class TrafficLog:
    """Takes records from I/O threads and writes them to a rotating file."""

    def __init__(
        self,
        path: Path,
        *,
        as_json: bool,
        file_bytes: int,
        files_kept: int,
        lost: Callable[[int], None],
    ) -> None:
        """`lost` is told how many lines a full queue or disk has cost. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handler = RotatingFileHandler(
            path, maxBytes=file_bytes, backupCount=files_kept, encoding="utf-8"
        )
        # A disk that fails costs lines like a full queue; a traceback would spoil the screen.
        self._handler.handleError = self._not_written  # type: ignore[method-assign]
        self._format = format_json if as_json else format_text
        self._lost = lost
        self._waiting: deque[Answered] = deque()
        self._lines = 0
        # Held while lines are counted, never while they are written.
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-log", daemon=True)
        self._thread.start()

    def extend(self, answered: Sequence[Answered]) -> None:
        """Hands over what was answered; never blocks."""
        lines = count_requests(answered)
        with self._lock:
            has_room = self._lines + lines <= _LINES_MAX
            if has_room:
                self._lines += lines
                self._waiting.extend(answered)
        if not has_room:
            self._lost(lines)

    def close(self) -> None:
        """Writes what is left and ends the thread."""
        self._stopping.set()
        self._thread.join()
        # What a full disk refuses once more has been counted when it was refused first.
        with suppress(OSError):
            self._handler.close()

    def _run(self) -> None:
        size, portions, left = _PORTION_MIN, 1, 0
        while not self._stopping.wait(_ROUND_S / portions):
            if not left:
                gathered = self._lines
                size = min(max(_PORTION_MIN, gathered // _PORTIONS_A_ROUND), _PORTION_MAX)
                left = portions = max(1, ceil(gathered / size))
            self._write(size)
            left -= 1
        while self._waiting:
            self._write(_PORTION_MAX)

    def _not_written(self, record: logging.LogRecord) -> None:
        self._lost(record.getMessage().count("\n") + 1)

    def _write(self, lines: int) -> None:
        """Writes so many lines or, where some that belong together go on, a few more."""
        portion: list[Answered] = []
        taken = 0
        while self._waiting and taken < lines:
            answered = self._waiting.popleft()
            portion.append(answered)
            taken += count_requests((answered,))
        if portion:
            with self._lock:
                self._lines -= taken
            # One record of the handler carries many lines, so that rotation stays the library's.
            self._handler.emit(
                logging.LogRecord("traffic", logging.INFO, "", 0, self._format(portion), None, None)
            )
