"""One relaxation and the search over its cores, with the best plan so far shared by all branches.

Guesses how few clients may be enough and searches the core of that guess completely: a plan found
is the best, and none found raises the lower bound. A second search settles the tie-breaks.
"""

from __future__ import annotations

from .core import Core, core_of
from .effort import Effort
from .join import all_sums, best_below, idle
from .problem import Problem
from .relax import Relaxation
from .rules import FewerClients, TieBreaks
from .sweep import Sweep, states_max

# The first guess lets the base plan deviate at this many banks, each next guess at more by half.
DEVIATIONS_FIRST = 8

# A core that exceeds the planned number of banks this many times is searched only in part: many
# banks cost nearly the same then, and a plan at the lower bound is likely to be near.
CORE_EXCESS = 4

# The marks of more banks than this would make every state too long.
CORE_MAX = 1_500

# After this much work on guesses the instance counts as hard.
WORK_EASY = 400_000

# A thin search looks for a good plan among this many banks, with this many states at a time.
CORE_THIN = 400
STATES_THIN = 1_000

# The second half of a core that is joined has at most this many banks, 2^16 sums.
JOIN_MOVES = 16

# Work on all tie-breaks; only a plan that could still be closer to the target gets more.
WORK_TIES = 800_000


class BestPlan:
    """The best plan so far, as items in the order of their addresses."""

    def __init__(self, problem: Problem, items: list[int]) -> None:
        self._problem = problem
        self._rank = self._ranked(items)

    def _ranked(self, items: list[int]) -> tuple[int, int, int, list[int]]:
        """What makes one plan better than another, the most important first."""
        clients = sum(self._problem.clients[item] for item in items)
        amount = sum(self._problem.amounts[item] for item in items)
        return clients, amount, len(items), items

    def offer(self, items: list[int]) -> None:
        """Takes a plan that reaches the target if it is better."""
        self._rank = min(self._rank, self._ranked(items))

    @property
    def clients(self) -> int:
        """How many clients the plan harms."""
        return self._rank[0]

    @property
    def items(self) -> list[int]:
        """The plan."""
        return self._rank[3]

    def meets_target(self) -> bool:
        """True when no plan is closer to the target."""
        return self._rank[1] == self._problem.target


class Branch:
    """`least`: no plan of this branch that harms fewer clients is better than the best one."""

    def __init__(
        self,
        problem: Problem,
        relaxation: Relaxation,
        best: BestPlan,
        effort: Effort,
        least: int = 0,
    ) -> None:
        self.relaxation = relaxation
        self.least = max(least, relaxation.clients_at_least())
        self._problem = problem
        self._best = best
        self._effort = effort

    def _core(self, places: list[int]) -> Core:
        return core_of(self.relaxation, self._problem.clients, places, exact=False)

    def deepen(self, effort: Effort) -> None:
        """Guesses more and more clients until a guess is answered by a plan."""
        deviations = DEVIATIONS_FIRST
        while self.least < self._best.clients and deviations <= CORE_MAX and not effort.over():
            guess = self.relaxation.clients_for(deviations, self._best.clients - 1)
            if not self._answer(max(guess, self.least), deviations, effort):
                return
            deviations += deviations // 2 + 1

    def _answer(self, guess: int, deviations: int, effort: Effort) -> bool:
        """Searches for a plan that harms at most `guess`; False when there is too much to do."""
        places = self.relaxation.core(guess)
        whole = len(places) <= min(CORE_EXCESS * deviations, CORE_MAX)
        core = self._core(places if whole else self.relaxation.nearest(places, deviations))
        rule = FewerClients(core, self.relaxation, guess, self.least)
        sweep = Sweep(core.start)
        sweep.run(core.moves, rule, effort, states_max(core))
        if rule.found is not None:
            self._best.offer(core.chosen(rule.found))
        if whole and sweep.complete:
            self.least = min(guess + 1, self._best.clients)
        return sweep.complete

    def search_thinly(self) -> None:
        """Looks for a better plan than the one at hand on a sample of all states."""
        places = self.relaxation.core(self._best.clients - 1)
        core = self._core(self.relaxation.nearest(places, CORE_THIN))
        rule = FewerClients(core, self.relaxation, self._best.clients - 1, self.least)
        Sweep(core.start).run_thinned(core.moves, rule, self._effort, STATES_THIN)
        if rule.found is not None:
            self._best.offer(core.chosen(rule.found))

    def answer_by_join(self) -> bool:
        """Searches for a plan at the lower bound by joining two halves of the core."""
        places = self.relaxation.core(self.least)
        core = self._core(self.relaxation.nearest(places, CORE_MAX))
        rule = FewerClients(core, self.relaxation, self.least, self.least)
        sweep = Sweep(core.start)
        sweep.run(core.moves[:-JOIN_MOVES], rule, self._effort, states_max(core))
        if rule.found is not None:
            self._best.offer(core.chosen(rule.found))
        elif self._join(core, sweep, sweep.made, self.least) and len(places) == len(core.items):
            self.least = min(self.least + 1, self._best.clients)
        return self.least >= self._best.clients

    def _join(self, core: Core, sweep: Sweep, first: int, clients: int) -> bool:
        """Joins the swept states with all sums of the moves from `first` on.

        Offers the plan at exactly `clients` that is closest to the target. True when no move
        was left out, so that there is no closer one.
        """
        moves = core.moves[first : first + JOIN_MOVES]
        resting = idle(moves)
        right = all_sums(resting, moves, core.low, self._effort)
        if right is None:
            return False
        left = [state - resting for state in sweep.states]
        self._effort.spend(len(left) + len(right))
        most = (core.packing.start(clients, 0) + 1 << core.low) - 1
        state = best_below(left, right, most, core.low)
        if state is not None and core.packing.excess(state >> core.low) >= 0:
            self._best.offer(core.chosen(state))
        return sweep.made == first and first + len(moves) == len(core.moves)

    def break_ties(self) -> bool:
        """Looks for the best of all plans that harm as few; True when it is surely found."""
        places = self.relaxation.core(self._best.clients)
        core = self._core(self.relaxation.nearest(places, CORE_MAX))
        rule = TieBreaks(core, self.relaxation, self._best.clients)
        sweep = Sweep(core.start)
        sweep.run(core.moves, rule, self._effort.part(WORK_TIES), states_max(core))
        done = sweep.complete or self._join_in_turn(core, sweep)
        if not done and not self._best.meets_target():
            sweep.run(core.moves, rule, self._effort, states_max(core))
            done = sweep.complete or self._join_in_turn(core, sweep)
        if rule.found is not None:
            self._best.offer(core.chosen(rule.found))
        return done and len(places) == len(core.items)

    def _join_in_turn(self, core: Core, sweep: Sweep) -> bool:
        """Joins with one stretch of moves after another until a plan meets the target.

        The first stretch is the next one, for the case that it is also the last. The others lie
        ever nearer: what a plan pays for being closer to the target must be neither too much
        nor too little to be a sum of a few moves.
        """
        rest = len(core.moves) - sweep.made
        firsts = [sweep.made]
        while rest > JOIN_MOVES:
            rest //= 2
            firsts.append(sweep.made + rest)
        for first in firsts:
            if self._effort.over():
                return False
            if self._join(core, sweep, first, self._best.clients):
                return True
            if self._best.meets_target():
                return False
        return False
