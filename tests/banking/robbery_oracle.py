"""Plain planners to compare with: every subset, a table of all sums, and an outside solver.

None of them shares an idea with the planner under test, and none is fast.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from bank_node.banking.robbery import Bank, Plan

# What makes one plan better than another for each objective: sums first, then the banks.
Rank = tuple[int, int, int, tuple[int, ...]]


def rank_fewest(clients: int, amount: int, target: int) -> tuple[int, int] | None:
    """Fewest clients, then the smallest sum; None when the target is not reached."""
    return (clients, amount) if amount >= target else None


def rank_closest(clients: int, amount: int, target: int) -> tuple[int, int] | None:
    """The smallest distance on either side, then fewest clients."""
    return abs(amount - target), clients


RANKS: dict[str, Callable[[int, int, int], tuple[int, int] | None]] = {
    "fewest": rank_fewest,
    "closest": rank_closest,
}


def rank_of(plan: Plan, objective: str) -> Rank:
    """The rank of a plan that the planner under test has made, counted anew."""
    sums = RANKS[objective](
        sum(bank.clients for bank in plan.banks),
        sum(bank.amount for bank in plan.banks),
        plan.target,
    )
    assert sums is not None, "the plan does not reach the target"
    return (*sums, len(plan.banks), tuple(bank.number for bank in plan.banks))


def sums_of_all_subsets(banks: Sequence[Bank]) -> list[tuple[int, int, tuple[int, ...]]]:
    """The clients, the amount and the addresses in order of each of the 2^n sets of banks."""
    found: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    for bank in sorted(banks, key=lambda bank: bank.number):
        found += [
            (clients + bank.clients, amount + bank.amount, (*numbers, bank.number))
            for clients, amount, numbers in found
        ]
    return found


def best_of_all_subsets(banks: Sequence[Bank], target: int, objective: str) -> Rank:
    """Looks at all 2^n plans."""
    return min(
        (*sums, len(numbers), numbers)
        for clients, amount, numbers in sums_of_all_subsets(banks)
        if (sums := RANKS[objective](clients, amount, target)) is not None
    )


def best_of_all_sums(banks: Sequence[Bank], target: int, objective: str) -> Rank:
    """A table of all (clients, amount) with the best banks for each; for few different sums.

    The value is the number of banks and the banks skipped as bits, the smallest address highest,
    so that the smaller value has fewer banks and then the smaller addresses.
    """
    ordered = sorted(banks, key=lambda bank: bank.number)
    table = {(0, 0): (0, (1 << len(ordered)) - 1)}
    for place, bank in enumerate(ordered):
        bit = 1 << len(ordered) - 1 - place
        for (clients, amount), (count, skipped) in list(table.items()):
            key = clients + bank.clients, amount + bank.amount
            value = count + 1, skipped - bit
            if key not in table or value < table[key]:
                table[key] = value
    ranks = (
        (*sums, count, skipped)
        for (clients, amount), (count, skipped) in table.items()
        if (sums := RANKS[objective](clients, amount, target)) is not None
    )
    first, second, count, skipped = min(ranks)
    top = len(ordered) - 1
    taken = tuple(bank.number for i, bank in enumerate(ordered) if not skipped >> top - i & 1)
    return first, second, count, taken


def fewest_clients_by_table(banks: Sequence[Bank], target: int) -> int:
    """The most money for each number of clients, bank by bank; for few clients in all."""
    most = [0] * (sum(bank.clients for bank in banks) + 1)
    for bank in banks:
        shifted = [0] * bank.clients + [money + bank.amount for money in most]
        if bank.clients == 0:
            most = shifted
        else:
            most = most[: bank.clients] + list(
                map(max, most[bank.clients :], shifted[bank.clients :])
            )
    return next(clients for clients, money in enumerate(most) if money >= target)


def fewest_clients_by_solver(
    milp: Callable[..., Any], banks: Sequence[Bank], target: int
) -> int | None:
    """The answer of HiGHS (`scipy.optimize.milp`); None when it gives up after a second.

    It calculates with floating point, so amounts must stay far below 2^53.
    """
    answer = milp(
        c=[bank.clients for bank in banks],
        constraints=[([[bank.amount for bank in banks]], target, math.inf)],
        integrality=[1] * len(banks),
        bounds=(0, 1),
        options={"mip_rel_gap": 0.0, "time_limit": 1.0},
    )
    if answer.status != 0:
        return None
    chosen = [bank for bank, part in zip(banks, answer.x, strict=True) if part > 0.5]
    assert sum(bank.amount for bank in chosen) >= target, "the solver rounded too far"
    return sum(bank.clients for bank in chosen)


def network(kind: str, size: int, rng: random.Random) -> list[Bank]:
    """Banks of a kind known to be easy or hard, at addresses in no order."""
    addresses = rng.sample(range(10 << 24, (10 << 24) + 4 * size), size)
    return [Bank(address, *KINDS[kind](rng, address)) for address in addresses]


def some_target(banks: Sequence[Bank], rng: random.Random) -> int:
    """A target that the banks reach."""
    return rng.randint(1, sum(bank.amount for bank in banks))


def _unrelated(rng: random.Random, _: int) -> tuple[int, int]:
    return rng.randint(1, 10**6), rng.randint(1, 10**5)


def _huge(rng: random.Random, _: int) -> tuple[int, int]:
    return rng.randint(1, 2**63 - 1), rng.randint(1, 10**5)


def _small(rng: random.Random, _: int) -> tuple[int, int]:
    return rng.randint(1, 10**6), rng.randint(1, 20)


def _correlated(rng: random.Random, _: int) -> tuple[int, int]:
    clients = rng.randint(1, 10**5)
    return max(1, 10 * clients + rng.randint(-(10**5), 10**5)), clients


def _nearly_proportional(rng: random.Random, _: int) -> tuple[int, int]:
    clients = rng.randint(1, 10**5)
    return 10 * clients + rng.randint(-5, 5), clients


def _proportional(rng: random.Random, _: int) -> tuple[int, int]:
    clients = rng.randint(1, 10**4)
    return 1000 * clients, clients


def _strongly_correlated(rng: random.Random, _: int) -> tuple[int, int]:
    clients = rng.randint(1, 10**4)
    return clients + 1000, clients


def _inversely_correlated(rng: random.Random, _: int) -> tuple[int, int]:
    clients = rng.randint(1001, 10**4)
    return clients - 1000, clients


def _even_but_one(rng: random.Random, address: int) -> tuple[int, int]:
    return 2 * rng.randint(1, 10**6) + (address % 64 == 0), rng.randint(1, 10**5)


def _same_clients(rng: random.Random, _: int) -> tuple[int, int]:
    return rng.randint(1, 10**6), 7


def _coarse(rng: random.Random, _: int) -> tuple[int, int]:
    return 100 * rng.randint(0, 9), rng.randint(0, 4)


KINDS: dict[str, Callable[[random.Random, int], tuple[int, int]]] = {
    "unrelated": _unrelated,
    "huge": _huge,
    "small": _small,
    "correlated": _correlated,
    "nearly proportional": _nearly_proportional,
    "proportional": _proportional,
    "strongly correlated": _strongly_correlated,
    "inversely correlated": _inversely_correlated,
    "even but one": _even_but_one,
    "same clients": _same_clients,
    "coarse": _coarse,
}
