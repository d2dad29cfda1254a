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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain, repeat
from logging.handlers import RotatingFileHandler
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from bank_node.telemetry.ring import Ring
from bank_node.values import one_line

# One request: when its reply was ready (wall clock, s), peer, request line, reply, duration (us),
# and the number that ties it to other lines: a request that was carried on to another bank, or
# made others be asked, has one, and so has each of those. 0 ties it to none.
Record = tuple[float, str, bytes, bytes, int, int]


class Sheet(NamedTuple):
    """Requests of one packet that were answered together: records that differ in two fields.

    Kept as one, because to make, keep and format each of them alone costs more than all else
    that is done for it on the way from the packet to the disk and back.
    """

    when: float
    peer: str
    requests: Sequence[bytes]
    replies: Sequence[bytes]
    duration_us: int
    trace: int

    def records(self) -> Iterator[Record]:
        """A record for each request."""
        when, peer, requests, replies, duration_us, trace = self
        return zip(
            repeat(when), repeat(peer), requests, replies, repeat(duration_us), repeat(trace)
        )


Answered = Record | Sheet
"""What is kept of answered requests."""


def count_requests(answered: Iterable[Answered]) -> int:
    """How many requests, and so lines of the log, these are."""
    return sum([len(each.requests) if isinstance(each, Sheet) else 1 for each in answered])


def records_of(answered: Iterable[Answered]) -> list[Record]:
    """A record for each request."""
    records: list[Record] = []
    for each in answered:
        if isinstance(each, Sheet):
            records += each.records()
        else:
            records.append(each)
    return records


# What the name of a peer starts with where this bank was the one that asked.
OUTGOING = "-> "

# About 20 MB of requests: seconds of full load, should the disk stall.
_LINES_MAX = 100_000
# How many lines are formatted in one go; more would keep the interpreter from the I/O thread.
_PORTION_MIN, _PORTION_MAX = 400, 1000
_RECORDS_KEPT = 4096
# What has gathered is written within this time, portion after portion: all at once it would be a
# stall that clients feel.
_ROUND_S = 0.2
_PORTIONS_A_ROUND = 12
_SHOWN_MAX = 8192

_SIGN = b" -> "
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"


def shown(reply: bytes) -> bytes:
    """What of a reply goes into the log; whole blocks are no matter for people to read."""
    return reply if len(reply) <= _SHOWN_MAX else reply[:_SHOWN_MAX] + b"..."


def format_text(answered: Sequence[Answered]) -> str:
    """A line for each request: time, peer, duration, number (if any), request, reply."""
    text = b"\n".join(_lines(answered))
    # One look at all of it: strangers chose nearly every byte, but hardly ever an odd one.
    if text.translate(None, _PLAIN) or text.count(b"\n") != count_requests(answered) - 1:
        lines = _lines(records_of(answered))
        return "\n".join(one_line(line.decode("utf-8", "replace")) for line in lines)
    return text.decode("ascii")


def _lines(answered: Iterable[Answered]) -> Iterator[bytes]:
    """The line of each record, and the lines of each sheet as one text."""
    moment, stamp = -1, ""
    asked: Any
    told: Any
    for when, peer, asked, told, duration_us, trace in answered:
        milliseconds = int(when * 1000)
        if milliseconds != moment:
            moment = milliseconds
            stamp = f"{_second(moment // 1000)}.{moment % 1000:03}"
        tie = f"#{trace} " if trace else ""
        head = f"{stamp} {peer} {duration_us}us {tie}".encode()
        if isinstance(asked, bytes):
            yield head + asked.strip() + _SIGN + told.rstrip()
        elif told.count(told[0]) == len(told):
            # Nearly always all replies are the plain yes of the command.
            end = _SIGN + told[0].rstrip()
            yield head + (end + b"\n" + head).join([line.strip() for line in asked]) + end
        else:
            for line, reply in zip(asked, told, strict=True):
                yield head + line.strip() + _SIGN + reply.rstrip()


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def format_json(answered: Iterable[Answered]) -> str:
    """A JSON line for each request: time, peer, us, request, reply, trace and outgoing."""
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
        for when, peer, request, reply, duration_us, trace in records_of(answered)
    )


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
        """Writes so many lines or, where a sheet goes on, a few more."""
        portion: list[Answered] = []
        taken = 0
        while self._waiting and taken < lines:
            answered = self._waiting.popleft()
            portion.append(answered)
            taken += len(answered.requests) if isinstance(answered, Sheet) else 1
        if portion:
            with self._lock:
                self._lines -= taken
            # One record of the handler carries many lines, so that rotation stays the library's.
            self._handler.emit(
                logging.LogRecord("traffic", logging.INFO, "", 0, self._format(portion), None, None)
            )
