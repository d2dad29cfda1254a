"""What is kept of answered requests, and the lines of the traffic log that they become. Pure.

Requests of one packet that were answered together are kept as one: to make, keep and format each of
them alone costs more than everything else that is done for it.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

from bank_node.values import one_line

# One request: when its reply was ready (wall clock, s), peer, request line, reply, duration (us),
# and the number that ties it to other lines: a request that was carried on to another bank, or
# made others be asked, has one, and so has each of those. 0 ties it to none.
Record = tuple[float, str, bytes, bytes, int, int]


class Sheet(NamedTuple):
    """Requests of one packet that were answered together: records that differ in two fields."""

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
