"""Counters and latency histograms that cost next to nothing on the hot path.

Each family of figures is written by one thread only, so nothing here takes a lock; a reader may
see a figure that is one request old.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

# Bucket n counts latencies below 2**n microseconds. No difference of two 64-bit clocks has more
# than 64 bits, so that recording needs no check: an error here would stop the writer.
_BUCKETS = 65


def quantile_us(buckets: Sequence[int], share: float) -> int:
    """What the given share, 0..1, does not exceed, at most twice too high; 0 when empty.

    Bucket n counts latencies below 2**n microseconds.
    """
    wanted = share * sum(buckets)
    seen = 0
    for bucket, count in enumerate(buckets):
        seen += count
        if count and seen >= wanted:
            return int((1 << bucket) - 1)
    return 0


class Histogram:
    """Latencies in power-of-two buckets of microseconds."""

    __slots__ = ("counts", "maximum_us")

    def __init__(self) -> None:
        self.counts = [0] * _BUCKETS
        self.maximum_us = 0

    def record(self, microseconds: int, count: int = 1) -> None:
        """Counts a latency, `count` times."""
        self.counts[microseconds.bit_length()] += count
        if microseconds > self.maximum_us:
            self.maximum_us = microseconds

    def add(self, other: "Histogram") -> None:
        """Takes the figures of another thread in."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.maximum_us = max(self.maximum_us, other.maximum_us)

    @property
    def count(self) -> int:
        """How many latencies were recorded."""
        return sum(self.counts)

    @property
    def buckets(self) -> list[int]:
        """How many latencies were below 1, 2, 4, 8 ... microseconds and not below the one before.

        The empty ones at the end are left out.
        """
        counts = list(self.counts)
        while counts and not counts[-1]:
            counts.pop()
        return counts

    def quantile_us(self, share: float) -> int:
        """What the given share, 0..1, does not exceed, at most twice too high; 0 when empty."""
        return min(quantile_us(self.counts, share), self.maximum_us)

    def summary(self) -> dict[str, int]:
        """The figures that a person reads."""
        return {
            "count": self.count,
            "p50_us": self.quantile_us(0.5),
            "p99_us": self.quantile_us(0.99),
            "max_us": self.maximum_us,
        }


class CommandFigures:
    """Errors and latencies of one command code; how many latencies is how many calls."""

    __slots__ = ("errors", "latency")

    def __init__(self) -> None:
        self.errors = 0
        self.latency = Histogram()

    def add(self, other: "CommandFigures") -> None:
        """Takes the figures of another thread in."""
        self.errors += other.errors
        self.latency.add(other.latency)


CommandTable = defaultdict[str, CommandFigures]


class Metrics:
    """All figures of one node."""

    def __init__(self) -> None:
        self._tables: list[CommandTable] = []
        self.commit = Histogram()
        self.batches = 0
        self.batched_operations = 0
        self.batch_operations_max = 0
        self.connections = 0
        self.connections_accepted = 0
        self.connections_refused = 0
        self.connections_dropped = 0
        self.operators = 0
        self.store_errors = 0
        self.store_conflicts = 0
        self.peers_found = 0
        self.peers_lost = 0
        self.scans = 0
        self.traffic_lines_lost = 0

    def new_command_table(self) -> CommandTable:
        """A table of figures by command code, for the one thread that asked for it."""
        table: CommandTable = defaultdict(CommandFigures)
        self._tables.append(table)
        return table

    def _merged(self) -> CommandTable:
        merged: CommandTable = defaultdict(CommandFigures)
        for table in self._tables:
            for code, figures in dict(table).items():
                merged[code].add(figures)
        return merged

    def committed(self, operations: int, microseconds: int) -> None:
        """Called by the writer for each durable batch."""
        self.batches += 1
        self.batched_operations += operations
        self.batch_operations_max = max(self.batch_operations_max, operations)
        self.commit.record(microseconds)

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain data, for the console and for JSON."""
        commands = {
            code: {"errors": f.errors, **f.latency.summary(), "buckets": f.latency.buckets}
            for code, f in sorted(self._merged().items())
            if f.latency.count
        }
        plain = {k: v for k, v in vars(self).items() if isinstance(v, int)}
        commit = {**self.commit.summary(), "buckets": self.commit.buckets}
        return {**plain, "commit": commit, "commands": commands}
