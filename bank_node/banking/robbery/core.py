"""The core: the banks about which the base plan may be wrong, and moves that change it.

A state is one whole number that packs what a search must know about a part-made plan, so that a
move is one addition and a list of states is put in order by one sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .relax import Relaxation


class Fence(NamedTuple):
    """The cheapest bank still to add and the dearest still to drop, as amounts and costs."""

    add_amount: int
    add_cost: int
    drop_amount: int
    drop_cost: int


class Move(NamedTuple):
    """Adds or drops one bank: `delta` is added to a state; `fence` holds for what follows.

    `idle` is what a state holds for this bank as long as it is not moved.
    """

    delta: int
    idle: int
    fence: Fence


@dataclass(frozen=True, slots=True)
class ClientsFirst:
    """Orders heads by rising clients, then by falling excess (the sum less the target).

    The excess is counted down from the middle of a field of `width` bits.
    """

    width: int

    def start(self, clients: int, excess: int) -> int:
        """The head of a state."""
        return self.change(clients, excess) + (1 << self.width - 1)

    def change(self, clients: int, excess: int) -> int:
        """What to add to a head for these differences."""
        return (clients << self.width) - excess

    def kept(self, clients: int) -> int:
        """What a head holds for a bank that may be dropped: nothing, for it may go below zero."""
        return 0

    def excess(self, head: int) -> int:
        """The excess in the head of a state."""
        return (1 << self.width - 1) - (head & (1 << self.width) - 1)


@dataclass(frozen=True, slots=True)
class ExcessFirst:
    """Orders heads by rising excess, then by rising clients in a field of `width` bits.

    A negative excess makes a negative number, which sorts as well.
    """

    width: int

    def start(self, clients: int, excess: int) -> int:
        """The head of a state."""
        return self.change(clients, excess)

    def change(self, clients: int, excess: int) -> int:
        """What to add to a head for these differences."""
        return (excess << self.width) + clients

    def kept(self, clients: int) -> int:
        """What a head holds for a bank that may be dropped: its clients, never below zero."""
        return clients

    def excess(self, head: int) -> int:
        """The excess in the head of a state."""
        return head >> self.width


@dataclass(frozen=True, slots=True)
class Core:
    """Moves from the cut bank outwards, and the packed base plan to start from.

    The low part of a state is the number of banks taken above one mark for each bank of the
    core, set while the bank is skipped; the first mark is for the smallest address. So the
    smallest low part means fewest banks, then smallest addresses.
    """

    packing: ClientsFirst | ExcessFirst
    items: tuple[int, ...]
    base: frozenset[int]
    start: int
    low: int
    marks: int
    moves: list[Move]

    @property
    def rest(self) -> int:
        """The bits of a state below the first field of its head."""
        return self.low + self.packing.width

    def chosen(self, state: int) -> list[int]:
        """The items of the plan that a state stands for."""
        top = self.marks - 1
        taken = [item for place, item in enumerate(self.items) if not state >> top - place & 1]
        return sorted(self.base.union(taken))


def core_of(
    relaxation: Relaxation, clients: Sequence[int], places: Sequence[int], exact: bool
) -> Core:
    """The core of `places` (rising positions in the order of price).

    With `exact`, plans must meet the target and not only reach it.
    """
    order, taken = relaxation.order, relaxation.taken
    items = tuple(sorted(order[place] for place in places))
    marks = len(items)
    low = marks + len(order).bit_length()
    mark = {item: 1 << marks - 1 - rank for rank, item in enumerate(items)}
    packing = _packing(relaxation, clients, places, exact)
    drops = [place for place in reversed(places) if place < taken]
    adds = [place for place in places if place >= taken]
    moves = []
    for place, fence in _outwards(relaxation, adds, drops, exact):
        item = order[place]
        head = packing.change(clients[item], relaxation.amounts[place]) << low
        tail = (1 << marks) - mark[item]
        if place >= taken:
            moves.append(Move(head + tail, mark[item], fence))
        else:
            kept = packing.kept(clients[item]) << low
            moves.append(Move(-head - tail, kept + (1 << marks), fence))
    skipped = sum(mark[order[place]] for place in adds)
    start = packing.start(relaxation.clients, relaxation.excess) << low
    return Core(
        packing,
        items,
        frozenset(order[:taken]).difference(items),
        start + (taken << marks) + skipped,
        low,
        marks,
        moves,
    )


def _packing(
    relaxation: Relaxation, clients: Sequence[int], places: Sequence[int], exact: bool
) -> ClientsFirst | ExcessFirst:
    """Fields wide enough for every state of this core."""
    if exact:
        return ExcessFirst(sum(clients).bit_length())
    reach = abs(relaxation.excess) + sum(relaxation.amounts[place] for place in places)
    return ClientsFirst(reach.bit_length() + 1)


def _outwards(
    relaxation: Relaxation, adds: list[int], drops: list[int], exact: bool
) -> list[tuple[int, Fence]]:
    """Positions to add and to drop by turns, each with the fence after its move."""
    steps: list[tuple[int, Fence]] = []
    added = dropped = 0
    while added < len(adds) or dropped < len(drops):
        if added < len(adds) and (added <= dropped or dropped == len(drops)):
            place = adds[added]
            added += 1
        else:
            place = drops[dropped]
            dropped += 1
        steps.append((place, _fence(relaxation, adds[added:][:1], drops[dropped:][:1], exact)))
    return steps


def _fence(relaxation: Relaxation, add: list[int], drop: list[int], exact: bool) -> Fence:
    """The fence before the next bank to add and the next to drop; either may be missing.

    With nothing to add, what lies below the target is lost: an amount of 0 says so to the
    rules. With nothing to drop, or nothing costly, what lies above stays as it is; where the
    target must be met, that is lost too.
    """
    add_amount, add_cost = (relaxation.amounts[add[0]], relaxation.costs[add[0]]) if add else (0, 1)
    if drop and (exact or relaxation.costs[drop[0]] > 0):
        return Fence(add_amount, add_cost, relaxation.amounts[drop[0]], relaxation.costs[drop[0]])
    return Fence(add_amount, add_cost, *((0, -1) if exact else (1, 0)))
