"""Makes every move of a core once, on all states at a time, keeping what a rule keeps.

Knows how to enumerate. What is worth keeping is decided by a rule, when to stop by an effort.
"""

from __future__ import annotations

from collections.abc import Sequence

from .core import Core, Move
from .effort import Effort
from .rules import Rule

# A step over this many states takes about a tenth of a second, which is how late the deadline
# can be noticed.
STATES_MAX = 200_000

# States are whole numbers with a mark for each bank of the core; all lists together stay within
# about three times this.
BYTES_MAX = 60_000_000

# A whole number of Python has this much besides its digits, and a place in a list.
BYTES_EACH = 40


class Sweep:
    """The states of a core after as many moves as were made.

    `complete`: all moves were made, so that nothing was overlooked.
    """

    __slots__ = ("complete", "made", "states")

    def __init__(self, start: int) -> None:
        self.states = [start]
        self.made = 0
        self.complete = False

    def run(self, moves: Sequence[Move], rule: Rule, effort: Effort, states_max: int) -> None:
        """Makes moves until all are made, the rule is settled, or there is too much to keep."""
        for move in moves[self.made :]:
            if rule.settled() or not self.states:
                break
            if len(self.states) > states_max or effort.over():
                return
            self._make(move, rule, effort)
        self.complete = True

    def run_thinned(
        self, moves: Sequence[Move], rule: Rule, effort: Effort, states_max: int
    ) -> None:
        """Makes all moves, but never on more than `states_max` states: finds, proves nothing."""
        for move in moves:
            if rule.settled() or effort.over():
                break
            if len(self.states) > states_max:
                step = -(-len(self.states) // states_max)
                self.states = self.states[::step]
            self._make(move, rule, effort)

    def _make(self, move: Move, rule: Rule, effort: Effort) -> None:
        """Each state is kept as it is, and moved."""
        effort.spend(2 * len(self.states))
        self.states = rule.prune(both(self.states, move.delta), move.fence)
        self.made += 1


def both(states: list[int], delta: int) -> list[int]:
    """The states and the moved states in one sorted list (two sorted runs merge in one pass)."""
    merged = states + [state + delta for state in states]
    merged.sort()
    return merged


def states_max(core: Core) -> int:
    """How many states of this core fit into memory and into one step."""
    return min(STATES_MAX, BYTES_MAX // (core.start.bit_length() // 7 + BYTES_EACH))
