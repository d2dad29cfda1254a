"""The planner that most nodes have: most money for each client first, until it is enough."""

from __future__ import annotations

from collections.abc import Iterable

from .model import Bank, Plan, Unreachable
from .problem import counted_in_ones, rich_banks
from .relax import by_price


def greedy_plan(banks: Iterable[Bank], target: int) -> Plan | Unreachable:
    """Takes whole banks by money for each client until `target` is reached, for comparison.

    Raises ValueError for a negative target or two banks with one address.
    """
    if target < 0:
        raise ValueError(f"the target {target} is negative")
    rich = rich_banks(banks)
    total = sum(bank.amount for bank in rich)
    if target > total:
        return Unreachable(target, total)
    problem = counted_in_ones(rich, target)
    taken: list[Bank] = []
    amount = 0
    for item in by_price(problem.amounts, problem.clients):
        if amount >= target:
            break
        taken.append(rich[item])
        amount += rich[item].amount
    taken.sort(key=lambda bank: bank.number)
    clients = sum(bank.clients for bank in taken)
    return Plan(
        target,
        tuple(taken),
        amount,
        clients,
        proven=False,
        clients_off_at_most=clients,
        distance_off_at_most=amount - target,
    )
