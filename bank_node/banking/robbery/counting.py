"""Splits a question by the number of banks, where the relaxation would take a part of a bank.

Where clients and money rise together, the number of banks decides, and each half of the split
has a far better lower bound than the whole.
"""

from __future__ import annotations

from .problem import Problem
from .relax import Relaxation, counted_relaxation

# A price for each bank taken is a fraction of a client with this many binary places.
SCALE = 1 << 16

# Each round halves what is left between too low and too high a price, and sorts all banks once.
ROUNDS = 36

# Beyond this many banks the rounds would take longer than the better bounds are worth.
BANKS_MAX = 2_000


def split_by_count(problem: Problem, plain: Relaxation) -> list[Relaxation]:
    """One relaxation for plans with at most as many banks as the base plan, one for the others."""
    if len(problem.amounts) > BANKS_MAX:
        return [plain]
    return [_priced(problem, plain, plain.taken, -1), _priced(problem, plain, plain.taken + 1, 1)]


def _priced(problem: Problem, plain: Relaxation, count: int, sign: int) -> Relaxation:
    """The highest relaxation for at most (sign -1) or at least (sign 1) `count` banks.

    The bound first rises with the price of a bank and then falls; it is highest where the
    relaxation changes from too many banks to too few, or the other way round.
    """
    best, low, high = plain, 0, (max(problem.clients) + 1) * SCALE
    for _ in range(ROUNDS):
        price = (low + high) // 2
        trial = counted_relaxation(problem, SCALE, sign * price, count)
        if trial is None or (trial.taken >= count) == (sign > 0):
            high = price
        else:
            low = price
        if trial is not None:
            best = max(best, trial, key=_height)
    return best


def _height(relaxation: Relaxation) -> int:
    """The lower bound in millionths of a client, near enough to compare."""
    return relaxation.bound * 1_000_000 // relaxation.grain
