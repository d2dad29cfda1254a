"""Joins lists of states, so that two short lists stand for billions of plans.

A list holds the sums of some moves; a state of the whole core is a sum of one from each list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from .core import Move
from .effort import Effort
from .sweep import both


def idle(moves: Iterable[Move]) -> int:
    """What a state holds for these moves while none of them is made."""
    return sum(move.idle for move in moves)


def all_sums(
    start: int,
    moves: Sequence[Move],
    shift: int,
    effort: Effort,
    most: int | None = None,
    reach: int | None = None,
) -> list[int] | None:
    """The start with any of `moves` made, sorted; of those alike above `shift` bits the smallest.

    Leaves out what is more than `reach` away from the start. None when the effort is over or
    there would be more than `most`.
    """
    states = [start]
    for move in moves:
        if effort.over() or (most is not None and len(states) > most):
            return None
        effort.spend(2 * len(states))
        states = distinct(both(states, move.delta), shift)
        if reach is not None:
            low = bisect_left(states, start - reach)
            states = states[low : bisect_left(states, start + reach)]
    return states


def distinct(states: Iterable[int], shift: int) -> list[int]:
    """Of the sorted states that agree above `shift` bits, the first."""
    kept: list[int] = []
    last: int | None = None
    for state in states:
        head = state >> shift
        if head != last:
            kept.append(state)
            last = head
    return kept


def best_below(left: list[int], right: list[int], most: int, low: int) -> int | None:
    """The sum of one of each with the highest head, then the smallest low part, up to `most`.

    Each list holds each head once, so for each state of one list only one of the other counts.
    """
    best: int | None = None
    best_head = 0
    place = len(right) - 1
    for state in left:
        while place >= 0 and state + right[place] > most:
            place -= 1
        if place < 0:
            break
        total = state + right[place]
        head = total >> low
        if best is None or head > best_head or (head == best_head and total < best):
            best, best_head = total, head
    return best


def nearest_zero(left: list[int], right: list[int], shift: int) -> int:
    """The sum of one of each whose excess is nearest to zero, then with the smallest rest.

    The excess is what lies above `shift` bits, and each list holds each excess once.
    """
    mask = (1 << shift) - 1
    best = left[0] + right[0]
    best_key = abs(best >> shift), best & mask
    place = len(right) - 1
    for state in left:
        while place >= 0 and state + right[place] > mask:
            place -= 1
        for other in right[max(place, 0) : place + 2]:
            total = state + other
            key = abs(total >> shift), total & mask
            if key < best_key:
                best, best_key = total, key
    return best


def cancelling(left: list[int], right: list[int], shift: int, most: int) -> list[int]:
    """About `most` sums of one of each whose excess is small, sorted, each excess once.

    The reach starts at what even spacing would need, or where the first sums lie when all are
    on one side of zero, and grows while too few are found.
    """
    lowest, highest = left[0] + right[0], left[-1] + right[-1]
    width = highest - lowest + 1
    reach = max(width * most // (8 * len(left) * len(right)), lowest, -highest) + (1 << shift)
    sums = _within(left, right, reach, 4 * most)
    while not sums or (len(sums) < most // 8 and reach < width):
        reach *= 4
        sums = _within(left, right, reach, 4 * most)
    sums.sort(key=abs)
    return distinct(sorted(sums[:most]), shift)


def _within(left: list[int], right: list[int], reach: int, enough: int) -> list[int]:
    """The sums of one of each that are at most `reach` away from zero, until there are enough."""
    sums: list[int] = []
    high = len(right)
    for state in left:
        if len(sums) >= enough:
            break
        high = bisect_left(right, reach - state, 0, high)
        low = bisect_left(right, -reach - state, 0, high)
        sums.extend([state + other for other in right[low:high]])
    return sums
