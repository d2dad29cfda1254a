"""Two things measured side by side, over and over.

Knows nothing of what is measured. A shared machine is twice as fast in one minute as in another:
turns are short, the two of a pair lie side by side, who begins changes from pair to pair, and only
ratios within a pair are formed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from bench.workbench import Workbench

Mine = TypeVar("Mine")
Theirs = TypeVar("Theirs")

PAIRS_A_ROUND = 3


def short_turns(bench: Workbench) -> Workbench:
    """The same workbench for turns of which a round has several pairs."""
    return replace(
        bench, seconds=bench.seconds / PAIRS_A_ROUND, warmup_s=bench.warmup_s / PAIRS_A_ROUND
    )


def in_pairs(
    bench: Workbench, one: Callable[[], Mine], other: Callable[[], Theirs]
) -> Sequence[tuple[Mine, Theirs]]:
    """All rounds, with their pairs of short turns."""
    return [side_by_side(number, one, other) for number in range(bench.rounds * PAIRS_A_ROUND)]


def side_by_side(
    number: int, one: Callable[[], Mine], other: Callable[[], Theirs]
) -> tuple[Mine, Theirs]:
    """Both, one right after the other; who begins changes with the number of the pair."""
    if number % 2:
        second = other()
        return one(), second
    first = one()
    return first, other()
