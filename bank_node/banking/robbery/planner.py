"""The question people ask: which whole banks to rob for one target.

Knows the rules for empty, unreachable and proven. The searches are in the other modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import get_args

from .closest import ClosestSum
from .effort import WORK_MAX, Effort
from .fewest import fewest_clients
from .model import Bank, Objective, Plan, Unreachable
from .problem import counted_in_largest_unit, counted_in_ones, rich_banks
from .relax import plain_relaxation


def plan(
    banks: Iterable[Bank],
    target: int,
    objective: Objective = "fewest",
    *,
    now: Callable[[], float] | None = None,
    deadline_s: float | None = None,
    work_max: int = WORK_MAX,
) -> Plan | Unreachable:
    """The whole banks to rob for `target`; the order of `banks` does not matter.

    "fewest": the sum reaches the target; fewest clients harmed, then the smallest sum,
    then fewest banks, then the smallest addresses (sorted, compared one by one as numbers).
    "closest": the smallest distance of the sum from the target, from either side, then fewest
    clients, fewest banks, smallest addresses. Robbing nobody is such a plan as well.

    A target of 0 needs no bank; a target above what all banks hold is Unreachable, whatever the
    objective. The search ends when `now()` has reached `deadline_s` (a reading of the same
    clock, noticed within 0.3 s, with tens of thousands of banks within a second) or after
    `work_max` units of work, and the plan then says how far off it can be.

    Raises ValueError for a negative target, an unknown objective, two banks with one address,
    or a deadline without a clock.
    """
    if objective not in get_args(Objective):
        raise ValueError(f"the objective {objective!r} is not one of {get_args(Objective)}")
    if target < 0:
        raise ValueError(f"the target {target} is negative")
    effort = Effort(work_max, now, deadline_s)
    rich = rich_banks(banks)
    total = sum(bank.amount for bank in rich)
    if target > total:
        return Unreachable(target, total)
    if target == 0:
        return Plan(0, (), 0, 0, proven=True)
    search = _fewest if objective == "fewest" else _closest
    return search(rich, target, effort)


def _fewest(rich: tuple[Bank, ...], target: int, effort: Effort) -> Plan:
    problem = counted_in_largest_unit(rich, target)
    outcome = fewest_clients(problem, plain_relaxation(problem), effort)
    found = _totalled(rich, target, outcome.items)
    if outcome.proven:
        return replace(found, proven=True)
    return replace(
        found,
        clients_off_at_most=found.clients - outcome.clients_least,
        distance_off_at_most=found.amount - problem.target * problem.unit,
    )


def _closest(rich: tuple[Bank, ...], target: int, effort: Effort) -> Plan:
    problem = counted_in_ones(rich, target)
    near = ClosestSum(problem, plain_relaxation(problem), effort).solve()
    found = _totalled(rich, target, near.items)
    if near.proven:
        return replace(found, proven=True)
    return replace(
        found,
        clients_off_at_most=found.clients - near.clients_least,
        distance_off_at_most=found.distance - near.distance_least,
    )


def _totalled(rich: tuple[Bank, ...], target: int, items: list[int]) -> Plan:
    """The plan of these items, not proven yet."""
    banks = tuple(rich[item] for item in items)
    amount = sum(bank.amount for bank in banks)
    return Plan(target, banks, amount, sum(bank.clients for bank in banks), proven=False)
