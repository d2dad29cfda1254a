"""Robbery planning: which whole banks to rob so that a target is reached and few are harmed.

Pure: banks and numbers in, a plan out. Never knows sockets, peers or the ledger. What it consists
of is loaded when somebody plans for the first time: a node that starts should not wait for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .greedy import greedy_plan
    from .model import Bank, Frontier, FrontierPoint, Objective, Plan, Unreachable
    from .pareto import frontier
    from .planner import plan
    from .rows import plan_row, point_row

__all__ = [
    "Bank",
    "Frontier",
    "FrontierPoint",
    "Objective",
    "Plan",
    "Unreachable",
    "frontier",
    "greedy_plan",
    "plan",
    "plan_row",
    "point_row",
]

_PLACES = {"greedy_plan": "greedy", "frontier": "pareto", "plan": "planner", "plan_row": "rows",
           "point_row": "rows"}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'model')}"), name)
    globals()[name] = value
    return value
