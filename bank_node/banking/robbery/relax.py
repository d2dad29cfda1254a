"""The question with banks that may be robbed in part: the base plan and its lower bound.

Banks are taken by rising price (clients for each unit of money). The one bank that would be cut
gives the price of money, and the price says what deviating from the base plan costs at least.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from .problem import Problem

# Two different fractions whose denominators are below 2^63 are more than 2^-126 apart, so the
# price rounded down to 126 binary places puts them in their true order.
PRICE_BITS = 126


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The base plan takes order[:taken]; positions count along `order`.

    A bank costs clients*scale - count_price; `count` is the number of banks that every plan of
    interest has at least (count_price > 0) or at most (count_price < 0). `bound` is what every
    plan costs at least, and losses[p] what it costs more when it deviates at position p, both
    in 1/(scale*amount of the cut bank) of a client.
    """

    order: list[int]
    amounts: list[int]
    costs: list[int]
    taken: int
    excess: int
    clients: int
    scale: int
    count_price: int
    count: int
    bound: int
    losses: list[int]

    @property
    def grain(self) -> int:
        """How many units of `bound` and `losses` make one client."""
        return self.scale * self.amounts[self.taken]

    def clients_at_least(self) -> int:
        """No plan harms fewer clients than this."""
        return max(0, -(-self.bound // self.grain))

    def core(self, clients: int) -> list[int]:
        """The positions where a plan that harms at most `clients` may deviate."""
        slack = clients * self.grain - self.bound
        return [place for place, loss in enumerate(self.losses) if loss <= slack]

    def nearest(self, places: list[int], most: int) -> list[int]:
        """The `most` places among `places` that cost least to deviate at, in order.

        Of the same cost those near the cut come first, so that there is something to add as
        well as something to drop.
        """
        if len(places) <= most:
            return places
        losses, taken = self.losses, self.taken
        return sorted(
            heapq.nsmallest(most, places, key=lambda place: (losses[place], abs(place - taken)))
        )

    def clients_for(self, deviations: int, most: int) -> int:
        """With how many clients the cheapest deviations come into reach, but at most `most`."""
        if deviations >= len(self.losses):
            return most
        loss = heapq.nsmallest(deviations, self.losses)[-1]
        return min(most, (self.bound + loss) // self.grain)


def plain_relaxation(problem: Problem, order: list[int] | None = None) -> Relaxation:
    """The relaxation in which only clients count; `order` is by price, for those who have it."""
    plain = _relaxation(problem, list(problem.clients), order, 1, 0, 0)
    assert plain is not None, "no bank costs less than nothing here"
    return plain


def counted_relaxation(
    problem: Problem, scale: int, count_price: int, count: int
) -> Relaxation | None:
    """The relaxation for these prices; None when banks that cost less than nothing are enough."""
    costs = [clients * scale - count_price for clients in problem.clients]
    return _relaxation(problem, costs, None, scale, count_price, count)


def _relaxation(
    problem: Problem,
    costs: list[int],
    order: list[int] | None,
    scale: int,
    count_price: int,
    count: int,
) -> Relaxation | None:
    if order is None:
        order = by_price(problem.amounts, costs)
    taken, excess = base_plan(problem, order)
    amounts = [problem.amounts[item] for item in order]
    costs = [costs[item] for item in order]
    cut_amount, cut_cost = amounts[taken], costs[taken]
    if cut_cost < 0:
        return None
    bound = sum(costs[:taken]) * cut_amount - excess * cut_cost + count_price * count * cut_amount
    return Relaxation(
        order,
        amounts,
        costs,
        taken,
        excess,
        sum(problem.clients[item] for item in order[:taken]),
        scale,
        count_price,
        count,
        bound,
        [
            abs(cost * cut_amount - amount * cut_cost)
            for amount, cost in zip(amounts, costs, strict=True)
        ],
    )


def by_price(amounts: list[int], costs: list[int]) -> list[int]:
    """Items by rising price; of the same price the largest first, then the smallest address."""
    prices = [(cost << PRICE_BITS) // amount for amount, cost in zip(amounts, costs, strict=True)]
    return sorted(range(len(amounts)), key=lambda item: (prices[item], -amounts[item]))


def base_plan(problem: Problem, order: list[int]) -> tuple[int, int]:
    """How many banks the base plan takes whole, and how far its sum lies above the target.

    The base plan stops before the bank that would reach the target, so the latter is negative.
    """
    excess = -problem.target
    for taken, item in enumerate(order):
        if excess + problem.amounts[item] >= 0:
            return taken, excess
        excess += problem.amounts[item]
    raise AssertionError("the caller has checked that all banks together reach the target")
