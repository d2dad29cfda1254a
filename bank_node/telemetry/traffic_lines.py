"""What is kept of answered requests, and the lines of the traffic log that they become. Pure.

Requests that were answered together are kept as one, and their texts as one text: objects that live
until a log is written lie far apart in memory, and each one that is made meanwhile has to be
fetched from there. That costs the thread which answers more than all else that is done for a line.
"""

import json
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from bank_node.values import one_line

# One request: when its reply was ready (wall clock, s), peer, request line, reply, duration (us),
# and the number that ties it to other lines: a request that was carried on to another bank, or
# made others be asked, has one, and so has each of those. 0 ties it to none.
Record = tuple[float, str, bytes, bytes, int, int]

Packed = bytes | Sequence[bytes]
"""Texts as one text, or as they came where one of them holds what would part them."""
_PARTING = b"\0"


def pack(texts: Sequence[bytes]) -> Packed:
    packed = _PARTING.join(texts)
    return packed if packed.count(_PARTING) == len(texts) - 1 else texts


def unpack(packed: Packed) -> Sequence[bytes]:
    return packed.split(_PARTING) if isinstance(packed, bytes) else packed


class Sheet(NamedTuple):
    """Requests of one packet that were answered together: records that differ in two fields."""

    when: float
    peer: str
    size: int
    requests: Packed
    replies: Packed
    duration_us: int
    trace: int

    def records(self) -> Iterator[Record]:
        """A record for each request."""
        when, peer, _, requests, replies, duration_us, trace = self
        return zip(
            repeat(when), repeat(peer), unpack(requests), unpack(replies), repeat(duration_us),
            repeat(trace),
        )  # fmt: skip


class Round(NamedTuple):
    """Requests of many clients that were answered at one moment."""

    when: float
    peers: Sequence[str]
    requests: Packed
    replies: Packed
    durations_us: "array[int]"
    traces: Sequence[int]
    """Empty where none of them is tied to another one."""

    @property
    def size(self) -> int:
        return len(self.peers)

    def records(self) -> Iterator[Record]:
        """A record for each request."""
        when, peers, requests, replies, durations_us, traces = self
        return zip(
            repeat(when), peers, unpack(requests), unpack(replies), durations_us,
            traces or repeat(0),
        )  # fmt: skip


Answered = Record | Sheet | Round
"""What is kept of answered requests."""
_TOGETHER = (Sheet, Round)


def count_requests(answered: Iterable[Answered]) -> int:
    """How many requests, and so lines of the log, these are."""
    return sum([each.size if isinstance(each, _TOGETHER) else 1 for each in answered])


def records_of(answered: Iterable[Answered]) -> list[Record]:
    """A record for each request."""
    records: list[Record] = []
    for each in answered:
        if isinstance(each, _TOGETHER):
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
    for each in answered:
        if isinstance(each, Sheet):
            yield _sheet(each)
            continue
        stamp = _stamp(int(each[0] * 1000))
        for _, peer, asked, told, us, trace in (
            each.records() if isinstance(each, Round) else (each,)
        ):
            tie = b"#%d " % trace if trace else b""
            yield b"%b %b %dus %b%b -> %b" % (
                stamp, peer.encode(), us, tie, asked.strip(), told.rstrip()
            )  # fmt: skip


def _sheet(sheet: Sheet) -> bytes:
    when, peer, size, requests, replies, us, trace = sheet
    tie = b"#%d " % trace if trace else b""
    head = b"%b %b %dus %b" % (_stamp(int(when * 1000)), peer.encode(), us, tie)
    asked, told = [line.strip() for line in unpack(requests)], unpack(replies)
    if told.count(told[0]) == size:
        # Nearly always all replies are the plain yes of the command.
        end = _SIGN + told[0].rstrip()
        return head + (end + b"\n" + head).join(asked) + end
    lines = zip(asked, told, strict=True)
    return b"\n".join([head + line + _SIGN + reply.rstrip() for line, reply in lines])


@lru_cache(maxsize=2)
def _stamp(milliseconds: int) -> bytes:
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}".encode()


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
