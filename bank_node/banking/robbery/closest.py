"""The objective "closest": the sum nearest to the target from either side, then the least harm.

Small networks are enumerated as a whole. Otherwise a near sum comes first, which is a search among
billions of sums of joined lists, and then the fewest clients for exactly that sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .core import Core, Move, core_of
from .effort import Effort
from .join import all_sums, cancelling, idle, nearest_zero
from .problem import Problem
from .relax import Relaxation, plain_relaxation
from .rules import ExactSum
from .sweep import Sweep, states_max

# Each half of a network that is enumerated as a whole has at most twice this many different sums.
SUMS_MAX = 1 << 17

# Enough to enumerate any 34 banks before anything else is tried.
WORK_SMALL = 1_200_000

# Near sums are sought among this many stretches of banks, each with 2^16 sums. Two stretches
# stand for 2^32 plans; each doubling finds sums that are about 2^16 times nearer.
STRETCHES = (2, 4, 8)
STRETCH_MOVES = 16
SUMS_KEPT = 1 << STRETCH_MOVES

# The marks of more banks than this would make every state too long.
CORE_MAX = 400

# The first guess of the fewest clients lets the base plan deviate at this many banks.
DEVIATIONS_FIRST = 24


@dataclass(frozen=True, slots=True)
class NearPlan:
    """A plan as items, the least distance and clients of any plan, and whether none is better."""

    items: list[int]
    distance_least: int
    clients_least: int
    proven: bool


class ClosestSum:
    """One search; `solve` runs it."""

    def __init__(self, problem: Problem, plain: Relaxation, effort: Effort) -> None:
        self._problem = problem
        self._plain = plain
        self._effort = effort
        unit = math.gcd(*problem.amounts)
        rest = problem.target % unit
        self._distance_least = min(rest, unit - rest)
        self._best = self._ranked([])
        self._offer(sorted(plain.order[: plain.taken]))
        self._offer(sorted(plain.order[: plain.taken + 1]))

    def solve(self) -> NearPlan:
        """The nearest plan that the effort allows."""
        if self._enumerate(self._effort.part(WORK_SMALL)):
            return self._all_seen()
        self._approach()
        found = self._harm_fewest()
        if not found.proven and self._enumerate(self._effort):
            return self._all_seen()
        return found

    def _all_seen(self) -> NearPlan:
        distance, clients, _, items = self._best
        return NearPlan(items, distance, clients, proven=True)

    def _ranked(self, items: list[int]) -> tuple[int, int, int, list[int]]:
        """What makes one plan better than another, the most important first."""
        clients = sum(self._problem.clients[item] for item in items)
        amount = sum(self._problem.amounts[item] for item in items)
        return abs(amount - self._problem.target), clients, len(items), items

    def _offer(self, items: list[int]) -> None:
        self._best = min(self._best, self._ranked(items))

    def _core(self, relaxation: Relaxation, places: list[int]) -> Core:
        return core_of(relaxation, self._problem.clients, places, exact=True)

    def _offer_nearest(self, core: Core, left: list[int], right: list[int]) -> None:
        self._effort.spend(2 * len(left) + len(right))
        self._offer(core.chosen(nearest_zero(left, right, core.rest)))

    def _enumerate(self, effort: Effort) -> bool:
        """Joins all sums of one half of the banks with all of the other; True when it was all.

        Starts from no bank, or from all banks when that is nearer to the target, so that sums
        too far beyond the target can be left out on the way.
        """
        problem, order = self._problem, self._plain.order
        if len(order) > CORE_MAX:
            return False
        over = sum(problem.amounts) - problem.target
        if problem.target <= over:
            start = replace(self._plain, taken=0, excess=-problem.target, clients=0)
        else:
            harmed = sum(problem.clients)
            start = replace(self._plain, taken=len(order), excess=over, clients=harmed)
        core = self._core(start, list(range(len(order))))
        first, second = core.moves[::2], core.moves[1::2]
        reach = min(problem.target, over) + self._best[0] + 1 << core.rest
        origin = core.start - idle(second)
        left = all_sums(origin, first, core.rest, effort, SUMS_MAX, reach)
        if left is None:
            return False
        right = all_sums(idle(second), second, core.rest, effort, SUMS_MAX, reach)
        if right is None:
            return False
        self._offer_nearest(core, left, right)
        return True

    def _movable(self) -> list[int]:
        """The places of the banks that a nearer plan may add or drop: none moves it too far."""
        amounts, taken = self._plain.amounts, self._plain.taken
        add_max = self._problem.target + self._best[0]
        drop_max = sum(amounts) - self._problem.target + self._best[0]
        return [
            place
            for place, amount in enumerate(amounts)
            if amount <= (drop_max if place < taken else add_max)
        ]

    def _approach(self) -> None:
        """Looks for near sums among deviations from the base plan, in ever more stretches."""
        for count in STRETCHES:
            if self._best[0] == self._distance_least:
                return
            movable = self._movable()
            if not movable:
                return
            places = self._mixed(self._plain.nearest(movable, count * STRETCH_MOVES))
            core = self._core(self._plain, places)
            self._join_all(core, [core.moves[first::count] for first in range(count)])

    def _mixed(self, places: list[int]) -> list[int]:
        """Adds banks until the sums have no common divisor beyond that of the whole network.

        Without the one odd amount among even ones, half of all distances are out of reach.
        """
        amounts = self._plain.amounts
        whole, unit = math.gcd(*amounts), math.gcd(*(amounts[place] for place in places))
        while unit != whole:
            others = [place for place, amount in enumerate(amounts) if amount % unit]
            odd = min(others, key=self._plain.losses.__getitem__)
            places = sorted([*places, odd])
            unit = math.gcd(unit, amounts[odd])
        return places

    def _join_all(self, core: Core, stretches: list[list[Move]]) -> None:
        """Joins the sums of all stretches, each time keeping those that nearly cancel out."""
        lists: list[list[int]] = []
        start = core.start - idle(core.moves)
        for moves in stretches:
            sums = all_sums(start + idle(moves), moves, core.rest, self._effort)
            if sums is None:
                return
            lists.append(sums)
            start = 0
        while len(lists) > 2:
            pairs = zip(lists[::2], lists[1::2], strict=True)
            lists = [self._cancel(core, left, right) for left, right in pairs]
        if all(lists):
            self._offer_nearest(core, lists[0], lists[1])

    def _cancel(self, core: Core, left: list[int], right: list[int]) -> list[int]:
        """Sums that nearly cancel out; none once the effort is over."""
        if not left or not right or self._effort.over():
            return []
        self._effort.spend(4 * len(left) + 4 * SUMS_KEPT)
        return cancelling(left, right, core.rest, SUMS_KEPT)

    def _harm_fewest(self) -> NearPlan:
        """The fewest clients for the distance found, on either side of the target."""
        distance = self._best[0]
        target, total = self._problem.target, sum(self._problem.amounts)
        sides = {side for side in (target - distance, target + distance) if 0 < side <= total}
        answers = [self._meet(side) for side in sorted(sides)]
        if self._best[0] < distance and not self._effort.over():
            return self._harm_fewest()
        # A nearer plan reaches the lower side too, so this holds for every better plan.
        least = self._clients_least(target - distance)
        if self._best[0] < distance or distance > self._distance_least:
            return NearPlan(self._best[3], self._distance_least, least, proven=False)
        least = max(least, min((self._best[1], *(clients for clients, _ in answers))))
        proven = all(done for _, done in answers)
        return NearPlan(self._best[3], self._distance_least, least, proven)

    def _relaxation(self, target: int) -> Relaxation:
        return plain_relaxation(replace(self._problem, target=target), self._plain.order)

    def _clients_least(self, amount: int) -> int:
        """What every plan that reaches `amount` harms at least."""
        return self._relaxation(amount).clients_at_least() if amount > 0 else 0

    def _meet(self, target: int) -> tuple[int, bool]:
        """Searches for the fewest clients for exactly `target`.

        Returns what every such plan harms at least, and whether no such plan is better than
        the best one.
        """
        if self._effort.over():
            return 0, False
        relaxation = self._relaxation(target)
        least, deviations = relaxation.clients_at_least(), DEVIATIONS_FIRST
        while least <= self._best[1] and not self._effort.over():
            guess = max(least, relaxation.clients_for(deviations, self._best[1]))
            if not self._meet_within(relaxation, guess):
                return least, False
            least = guess + 1
            deviations += deviations // 2 + 1
        return least, least > self._best[1]

    def _meet_within(self, relaxation: Relaxation, guess: int) -> bool:
        """Searches all exact plans that harm at most `guess`; False when there are too many."""
        places = relaxation.core(guess)
        core = self._core(relaxation, relaxation.nearest(places, CORE_MAX))
        rule = ExactSum(core, relaxation, guess)
        sweep = Sweep(core.start)
        sweep.run(core.moves[:-STRETCH_MOVES], rule, self._effort, states_max(core))
        if rule.found is not None:
            self._offer(core.chosen(rule.found))
        moves = core.moves[sweep.made :][:STRETCH_MOVES]
        resting = idle(moves)
        right = all_sums(resting, moves, core.rest, self._effort)
        if right is None:
            return False
        left = [state - resting for state in sweep.states]
        if left:
            self._offer_nearest(core, left, right)
        return len(places) == len(core.items) and sweep.made + len(moves) == len(core.moves)
