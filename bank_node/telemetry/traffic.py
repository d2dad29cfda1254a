"""The traffic log: one line for every request, written behind by a thread of its own.

The I/O thread only hands over tuples. The log thread formats them by the hundred and writes them
through a rotating file handler of the standard library. A queue that is full loses lines, counts
them and says so; it never makes a client wait.
"""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from math import ceil
from pathlib import Path

from bank_node.telemetry.ring import Ring
from bank_node.values import one_line

# One request: when its reply was ready (wall clock, s), peer, request line, reply, duration (us),
# and the number that ties it to other lines: a request that was carried on to another bank, or
# made others be asked, has one, and so has each of those. 0 ties it to none.
Record = tuple[float, str, bytes, bytes, int, int]

# What the name of a peer starts with where this bank was the one that asked.
OUTGOING = "-> "

# About 20 MB of records: seconds of full load, should the disk stall.
_RECORDS_MAX = 100_000
# How many lines are formatted in one go; more would keep the interpreter from the I/O thread.
_PORTION_MIN, _PORTION_MAX = 400, 500
_RECORDS_KEPT = 4096
# What has gathered is written within this time, portion after portion: all at once it would be a
# stall that clients feel.
_ROUND_S = 0.2
_PORTIONS_A_ROUND = 12
_SHOWN_MAX = 8192

_LINE = b"%b %b %dus %b%b -> %b"
_TRACE = b"#%d "
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"


def shown(reply: bytes) -> bytes:
    """What of a reply goes into the log; whole blocks are no matter for people to read."""
    return reply if len(reply) <= _SHOWN_MAX else reply[:_SHOWN_MAX] + b"..."


def format_text(records: Iterable[Record]) -> str:
    """Records as lines: time, peer, duration, number (if any), request, reply."""
    lines = []
    moment, stamp = -1, b""
    for when, peer, request, reply, duration_us, trace in records:
        milliseconds = int(when * 1000)
        if milliseconds != moment:
            moment = milliseconds
            stamp = _stamp(when)
        tie = _TRACE % trace if trace else b""
        lines.append(
            _LINE % (stamp, peer.encode(), duration_us, tie, request.strip(), reply.rstrip())
        )
    text = b"\n".join(lines)
    # One look at all of it: strangers chose nearly every byte, but hardly ever an odd one.
    if text.translate(None, _PLAIN) or text.count(b"\n") != len(lines) - 1:
        return "\n".join(one_line(line.decode("utf-8", "replace")) for line in lines)
    return text.decode("ascii")


def _stamp(when: float) -> bytes:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(when))
    return b"%b.%03d" % (seconds.encode("ascii"), int(when * 1000) % 1000)


def format_json(records: Iterable[Record]) -> str:
    """Records as JSON lines with the keys time, peer, us, request, reply, trace and outgoing."""
    return "\n".join(
        json.dumps(
            {
                "time": round(when, 6),
                "peer": peer.removeprefix(OUTGOING),
                "us": duration_us,
                "request": one_line(request.decode("utf-8", "replace").strip()),
                "reply": one_line(reply.decode("utf-8", "replace").rstrip()),
                "trace": trace,
                "outgoing": peer.startswith(OUTGOING),
            },
            ensure_ascii=False,
        )
        for when, peer, request, reply, duration_us, trace in records
    )


class Traffic:
    """Where all records go: the last ones into memory, and all of them into the log's file."""

    def __init__(self, open_log: Callable[[], "TrafficLog"], *, is_on: bool) -> None:
        """`open_log` opens the file; nothing is kept while this is off. Raises OSError."""
        self._open_log = open_log
        self._log: TrafficLog | None = None
        self.ring: Ring[Record] = Ring(_RECORDS_KEPT)
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
    def log(self) -> Callable[[Sequence[Record]], None] | None:
        """Takes records; None while none are kept, so that none need be made."""
        return self.extend if self._log else None

    def extend(self, records: Sequence[Record]) -> None:
        """Takes records; never blocks."""
        log = self._log
        if log is not None:
            self.ring.add(records)
            log.extend(records)

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
        self._records: deque[Record] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic-log", daemon=True)
        self._thread.start()

    def extend(self, records: Sequence[Record]) -> None:
        """Hands records over; never blocks."""
        if len(self._records) + len(records) > _RECORDS_MAX:
            self._lost(len(records))
        else:
            self._records.extend(records)

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
                gathered = len(self._records)
                size = min(max(_PORTION_MIN, gathered // _PORTIONS_A_ROUND), _PORTION_MAX)
                left = portions = max(1, ceil(gathered / size))
            self._write(size)
            left -= 1
        while self._records:
            self._write(_PORTION_MAX)

    def _not_written(self, record: logging.LogRecord) -> None:
        self._lost(record.getMessage().count("\n") + 1)

    def _write(self, lines: int) -> None:
        portion = [self._records.popleft() for _ in range(min(lines, len(self._records)))]
        if portion:
            # One record of the handler carries many lines, so that rotation stays the library's.
            self._handler.emit(
                logging.LogRecord("traffic", logging.INFO, "", 0, self._format(portion), None, None)
            )
