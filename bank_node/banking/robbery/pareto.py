"""The frontier of a network: the fewest clients for each amount, whole or as samples.

Knows how to enumerate it, and gives that up where it has too many points, which is the rule
beyond about sixty banks with many clients each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import replace

from .effort import WORK_MAX, Effort
from .fewest import fewest_clients
from .model import Bank, Frontier, FrontierPoint
from .problem import Problem, counted_in_largest_unit, rich_banks
from .relax import by_price, plain_relaxation
from .sweep import STATES_MAX, both

# So many samples draw a smooth curve on any terminal.
POINTS_MAX = 100

# One part in so many of the work on a frontier may go into finding all its points.
WHOLE_FRONTIER_SHARE = 4

# Preparing one sample costs about as much work for each bank as looking at this many states.
WORK_EACH_BANK = 3


def frontier(
    banks: Iterable[Bank],
    points_max: int = POINTS_MAX,
    *,
    now: Callable[[], float] | None = None,
    deadline_s: float | None = None,
    work_max: int = WORK_MAX,
) -> Frontier:
    """The fewest clients for each amount, as at most `points_max` points.

    Complete where the network has no more points than that; otherwise samples at even steps,
    each exact or marked as not proven. Fewer samples when the effort ends first, still spread
    over the whole range. The deadline and errors are those of `plan`.
    """
    effort = Effort(work_max, now, deadline_s)
    rich = rich_banks(banks)
    if not rich or points_max < 1:
        return Frontier((), complete=not rich)
    problem = counted_in_largest_unit(rich, 0)
    whole = _whole(problem, effort.part(work_max // WHOLE_FRONTIER_SHARE))
    if whole is None:
        return Frontier(_samples(problem, points_max, effort), complete=False)
    complete = len(whole) <= points_max
    points = whole if complete else _thinned(whole, points_max)
    return Frontier(
        tuple(FrontierPoint(amount * problem.unit, clients, True) for amount, clients in points),
        complete,
    )


def _thinned(points: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """The first point at or above each of `most` even steps of the amount."""
    total = points[-1][0]
    kept = {bisect_left(points, (-(-total * step // most), 0)): None for step in range(1, most + 1)}
    return [points[place] for place in kept]


def _samples(problem: Problem, most: int, effort: Effort) -> tuple[FrontierPoint, ...]:
    """Plans at even steps; the steps are taken so that those left out last are spread evenly."""
    total = sum(problem.amounts)
    order = by_price(problem.amounts, problem.clients)
    found: list[FrontierPoint] = []
    steps = sorted(range(1, most + 1), key=_mirrored)
    for done, step in enumerate(steps):
        if effort.over():
            break
        target = -(-total * step // most)
        share = effort.part(effort.left() // (most - done))
        found.append(_sample(replace(problem, target=target), order, share))
    return _rising(found)


def _mirrored(step: int) -> int:
    """The bits of a number in reverse order: 1, 2, 3 ... becomes a sequence of far jumps."""
    return int(f"{step:016b}"[::-1], 2)


def _sample(problem: Problem, order: list[int], effort: Effort) -> FrontierPoint:
    effort.spend(WORK_EACH_BANK * len(order))
    outcome = fewest_clients(problem, plain_relaxation(problem, order), effort, ties=False)
    clients = sum(problem.clients[item] for item in outcome.items)
    amount = sum(problem.amounts[item] for item in outcome.items) * problem.unit
    return FrontierPoint(amount, clients, clients == outcome.clients_least)


def _rising(points: list[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """The points that no other one beats, by rising amount."""
    kept: list[FrontierPoint] = []
    for point in sorted(points, key=lambda point: (-point.amount, point.clients)):
        if not kept or point.clients < kept[-1].clients:
            kept.append(point)
    return tuple(reversed(kept))


def _whole(problem: Problem, effort: Effort) -> list[tuple[int, int]] | None:
    """All (amount, clients) that no other plan beats, both rising; None when the effort is over.

    A point is one number, clients above the amount that is counted down, so that after a sort
    each point worth keeping has more money than all before it.
    """
    width = sum(problem.amounts).bit_length()
    mask = (1 << width) - 1
    points = [mask]
    for amount, clients in zip(problem.amounts, problem.clients, strict=True):
        if effort.over() or len(points) > STATES_MAX:
            return None
        effort.spend(2 * len(points))
        points = _unbeaten(both(points, (clients << width) - amount), mask)
    return [(mask - (point & mask), point >> width) for point in points if point != mask]


def _unbeaten(points: list[int], mask: int) -> list[int]:
    """Of the sorted points those with more money than every point with no more clients."""
    kept: list[int] = []
    least = mask + 1
    for point in points:
        lacking = point & mask
        if lacking < least:
            least = lacking
            kept.append(point)
    return kept
