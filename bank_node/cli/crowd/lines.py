"""The connections of a crowd, and what was answered over them.

An answer is a yes, a refusal or none. Nothing that was sent is sent again here by itself.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

_LINE_BYTES_MAX = 65_536
_PAUSE_S = 0.2
# A payment that is on its way; asked again, the bank says what became of it.
_PENDING = "ER 01"


class Phase(NamedTuple):
    """What a phase came to; times in milliseconds."""

    name: str
    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


class Second(NamedTuple):
    """What was seen in about one second; times in milliseconds."""

    phase: str
    at_s: float
    """Since the first phase began."""
    done: int
    """Requests of this phase so far."""
    rate: float
    p50: float
    p99: float


@dataclass
class Tally:
    """What was answered, and what should not have been."""

    answers: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)
    unknown: int = 0
    """Requests that had no final answer, and were asked about again."""
    phase: str = ""
    times: list[float] = field(default_factory=list)
    """Of each request of the phase, in seconds."""

    def contradict(self, asked: str, told: str) -> None:
        self.contradictions.append(f"{asked} -> {told}")


class Line:
    """A connection that is made again when it is lost."""

    def __init__(
        self, host: str, port: int, timeout_s: float, tally: Tally, patience_s: float = 0.0
    ) -> None:
        """A bank that takes no connections is tried again for `patience_s`."""
        self._at = (host, port)
        self._timeout_s = timeout_s
        self._tally = tally
        self._patience_s = patience_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, line: str) -> str | None:
        """The final reply; None if there was none, so that nobody knows what became of it."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s + self._patience_s):
                reader, writer = self._streams or await self._connected()
            async with asyncio.timeout(self._timeout_s):
                writer.write(line.encode() + b"\r\n")
                reply = await reader.readline()
        except (OSError, TimeoutError, ValueError):
            reply = b""
        if not reply.endswith(b"\n"):
            self.close()
            return None
        self._tally.times.append(time.perf_counter() - started)
        text = reply.decode().rstrip("\r\n")
        is_open = text.startswith(_PENDING) or "outcome is unknown" in text or "too busy" in text
        return None if is_open else text

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        give_up = time.perf_counter() + self._patience_s
        while True:
            try:
                self._streams = await asyncio.open_connection(*self._at, limit=_LINE_BYTES_MAX)
            except OSError:
                if time.perf_counter() >= give_up:
                    raise
                await asyncio.sleep(_PAUSE_S)
            else:
                return self._streams

    async def insist(self, line: str, tries: int = 10) -> str:
        """The final reply to something that may be asked again. Raises ConnectionError."""
        for _ in range(tries):
            reply = await self.ask(line)
            if reply is not None:
                return reply
            self._tally.unknown += 1
            await asyncio.sleep(_PAUSE_S)
        raise ConnectionError(f"no answer to {line.split()[0]}")

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


class Place(NamedTuple):
    """A bank, and the end of its addresses."""

    host: str
    port: int
    handle: str


class Lines:
    """The connections of one client of the crowd, one to each bank, made when they are needed."""

    def __init__(
        self, places: Sequence[Place], timeout_s: float, tally: Tally, patience_s: float
    ) -> None:
        self._lines = [
            Line(place.host, place.port, timeout_s, tally, patience_s) for place in places
        ]

    def of(self, home: int) -> Line:
        """The connection to a bank, by its number."""
        return self._lines[home]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def close(self) -> None:
        for line in self._lines:
            line.close()


def percentiles(seconds: Iterable[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    times = sorted(seconds) or [0.0]
    p50, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
    return p50, p99
