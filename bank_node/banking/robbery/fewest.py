"""The objective "fewest": least harm first, then the tie-breaks.

Easy questions are answered by one branch over the plain relaxation. Hard ones are split by the
number of banks; a plan is best when no branch can hold a better one.
"""

from __future__ import annotations

from dataclasses import dataclass

from .branch import WORK_EASY, BestPlan, Branch
from .counting import split_by_count
from .effort import Effort
from .problem import Problem
from .relax import Relaxation


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan as items, what every plan harms at least, and whether no plan is better."""

    items: list[int]
    clients_least: int
    proven: bool


def fewest_clients(
    problem: Problem, plain: Relaxation, effort: Effort, ties: bool = True
) -> Outcome:
    """The best plan that the effort allows; without `ties` only the clients count."""
    best = BestPlan(problem, sorted(plain.order[: plain.taken + 1]))
    whole = Branch(problem, plain, best, effort)
    whole.deepen(effort.part(WORK_EASY))
    branches = [whole]
    if whole.least < best.clients and not effort.over():
        branches = _harder(problem, whole, best, effort)
    least = min(best.clients, *(branch.least for branch in branches))
    if least < best.clients or not ties:
        return Outcome(best.items, least, proven=False)
    settled = [branch.break_ties() for branch in branches]
    return Outcome(best.items, least, all(settled))


def _harder(problem: Problem, whole: Branch, best: BestPlan, effort: Effort) -> list[Branch]:
    """A thin search for a good plan, then both halves of the split with whatever is left."""
    whole.search_thinly()
    if whole.answer_by_join():
        return [whole]
    branches = [
        Branch(problem, relaxation, best, effort, whole.least)
        for relaxation in split_by_count(problem, whole.relaxation)
    ]
    for branch in branches:
        if branch.least < best.clients and not branch.answer_by_join():
            branch.search_thinly()
    for branch in branches:
        branch.deepen(effort)
    return branches
