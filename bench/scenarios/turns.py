"""What something costs: one load that goes on while it is switched on and off, over and over.

Knows nothing of what is switched. A shared machine is twice as fast in one second as in another, so
turns are short, a pair of them lies side by side, who begins changes from pair to pair, and the
cost is that of the median pair. The same connections stay under load through all turns: a load of
its own for each would have to warm up, and would find another state of the node. What was done in
a turn, and what processor time it took, the node itself tells to the microsecond.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError
from bench.generator import Load
from bench.operator_port import Operator
from bench.scenarios.pairs import side_by_side
from bench.workbench import Workbench

# Fewer have no spread to tell of.
_PAIRS_MIN = 2
# How much longer than the turns the load is meant to last, for what lies between them.
_SLACK = 1.1


@dataclass(frozen=True, slots=True)
class Turn:
    rate: float
    cpu_us: float
    """Processor time of the node for each request."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node has answered and used since its start."""

    at_us: int
    requests: int
    cpu_s: float

    def until(self, later: "Reading") -> Turn:
        requests = later.requests - self.requests
        if requests <= 0:
            raise BenchError("the node answered nothing in a turn")
        rate = requests / (later.at_us - self.at_us) * 1e6
        return Turn(rate, (later.cpu_s - self.cpu_s) / requests * 1e6)


class Gauge:
    """Reads what a node under load tells its operator."""

    def __init__(self, data: Path, command: str) -> None:
        """`command` is what the load consists of, as in `AD`."""
        self.operator = Operator(data)
        self._command = command

    def __enter__(self) -> "Gauge":
        self.operator.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.operator.__exit__(*error)

    def read(self) -> Reading:
        figures = self.operator.document("OM")
        requests = figures["commands"][self._command]["count"]
        return Reading(figures["now_us"], requests, figures["cpu_s"])

    def turn(self, seconds: float) -> Turn:
        before = self.read()
        time.sleep(seconds)
        return before.until(self.read())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of turns, with something and without it."""

    pairs: Sequence[tuple[Turn, Turn]]

    @property
    def cost_percent(self) -> float:
        """How much of the rate the median pair loses."""
        return median(self._costs())

    @property
    def median_of(self) -> str:
        """What the cost is the median of, and how far the pairs lie apart, as text."""
        low, _, high = quantiles(self._costs(), n=4)
        return f"median of {len(self.pairs)} pairs of turns, half of them {low:.0f} to {high:.0f} %"

    def _costs(self) -> list[float]:
        return [100 * (1 - dear.rate / cheap.rate) for dear, cheap in self.pairs]

    def rates(self) -> tuple[str, str]:
        """The median rates with it and without it, each with what a request takes, as text."""
        dear, cheap = zip(*self.pairs, strict=True)
        return _told(dear), _told(cheap)

    def details(self) -> dict[str, Any]:
        return {
            "costs": self._costs(),
            "with": [asdict(dear) for dear, _ in self.pairs],
            "without": [asdict(cheap) for _, cheap in self.pairs],
        }


def _told(turns: Sequence[Turn]) -> str:
    rate, cpu_us = median(each.rate for each in turns), median(each.cpu_us for each in turns)
    return f"{rate:,.0f}/s at {cpu_us:.1f} us of processor each"


@contextmanager
def loaded(
    bench: Workbench, bank: RunningBank, load: Load, seconds: float
) -> Iterator[Callable[[], float]]:
    """Puts a node under one load that goes on while the block runs; it ends with the load.

    The block is handed a function that tells how many seconds are left. Raises BenchError if
    a single reply was wrong.
    """
    node = Bank(replace(bench, seconds=seconds * _SLACK))
    with ThreadPoolExecutor(1) as generator:
        result = generator.submit(node.load, bank, load)
        began = time.monotonic()
        time.sleep(bench.warmup_s)
        try:
            yield lambda: began + seconds * _SLACK - time.monotonic()
        finally:
            # A load that failed says more than what was missed because of it.
            result.result()


def compare(
    with_it: Callable[[], Turn],
    without: Callable[[], Turn],
    left_s: Callable[[], float],
) -> Comparison:
    """Takes turns until no pair fits into the time left; who begins changes from pair to pair."""
    taken: list[tuple[Turn, Turn]] = []
    longest_s = 0.0
    while len(taken) < _PAIRS_MIN or left_s() > longest_s:
        before_s = left_s()
        taken.append(side_by_side(len(taken), with_it, without))
        longest_s = max(longest_s, before_s - left_s())
    return Comparison(taken)
