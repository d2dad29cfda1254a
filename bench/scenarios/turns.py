"""What something costs: the same load with it and without it, in many short turns.

Knows nothing of what is switched on and off. A shared machine is twice as fast in one second as in
another, so turns are short, a pair of them lies side by side, the order changes from pair to pair,
and the cost is that of the median pair. The processor time of a request says the same in another
way: it does not swing as far, but it leaves out what a thread only waits for.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from bench.bank_server import Bank, RunningBank
from bench.generator import Load
from bench.processes import cpu_s
from bench.workbench import Workbench

# Pairs of turns for each round, and how much of a measurement a turn is.
PAIRS_A_ROUND = 6
SHARE_OF_MEASUREMENT = 0.25
_WARMUP_S = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    rate: float
    cpu_us: float
    """Processor time of the node for each request."""
    p99_us: float


def short(bench: Workbench, share: float = SHARE_OF_MEASUREMENT) -> Workbench:
    """A workbench whose measurements are turns."""
    return replace(bench, seconds=bench.seconds * share, warmup_s=_WARMUP_S)


def turn(node: Bank, bank: RunningBank, load: Load) -> Turn:
    before_s = cpu_s(bank.process.pid)
    result = node.load(bank, load)
    used_s = cpu_s(bank.process.pid) - before_s
    return Turn(result.rate, used_s / result.acknowledged_total * 1e6, result.p99_us)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of turns, with something and without it."""

    pairs: Sequence[tuple[Turn, Turn]]

    @property
    def cost_percent(self) -> float:
        """How much of the rate the median pair loses."""
        return median(100 * (1 - dear.rate / cheap.rate) for dear, cheap in self.pairs)

    def rates(self) -> tuple[str, str]:
        """The median rates with it and without it, each with what a request takes, as text."""
        dear, cheap = zip(*self.pairs, strict=True)
        return _told(dear), _told(cheap)

    def details(self) -> dict[str, Any]:
        return {
            "costs": [100 * (1 - dear.rate / cheap.rate) for dear, cheap in self.pairs],
            "with": [asdict(dear) for dear, _ in self.pairs],
            "without": [asdict(cheap) for _, cheap in self.pairs],
        }


def _told(turns: Sequence[Turn]) -> str:
    rate, cpu_us = median(each.rate for each in turns), median(each.cpu_us for each in turns)
    return f"{rate:,.0f}/s at {cpu_us:.1f} us of processor each"


def compare(with_it: Callable[[], Turn], without: Callable[[], Turn], pairs: int) -> Comparison:
    """Takes turns; who begins changes from pair to pair."""
    taken: list[tuple[Turn, Turn]] = []
    for number in range(pairs):
        if number % 2:
            cheap = without()
            taken.append((with_it(), cheap))
        else:
            dear = with_it()
            taken.append((dear, without()))
    return Comparison(taken)
