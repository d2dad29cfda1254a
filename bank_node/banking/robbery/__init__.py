"""Robbery planning: which whole banks to rob so that a target is reached and few are harmed.

Pure: banks and numbers in, a plan out. Never knows sockets, peers or the ledger.
"""

from __future__ import annotations

from .greedy import greedy_plan
from .model import Bank, Frontier, FrontierPoint, Objective, Plan, Unreachable
from .pareto import frontier
from .planner import plan

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
]
