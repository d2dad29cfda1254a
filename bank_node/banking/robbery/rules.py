"""Which states a search keeps: not those that another state beats, nor those out of reach.

Every rule walks a sorted list of states once. A state is out of reach when even the cheapest
bank still to add, or the dearest still to drop, cannot bring it within the limit of clients.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .core import Core, Fence
from .relax import Relaxation


class Rule(Protocol):
    """Prunes states, and remembers the best plan seen."""

    found: int | None

    def prune(self, states: Iterable[int], fence: Fence) -> list[int]:
        """The states worth keeping, in the same order."""

    def settled(self) -> bool:
        """True when what is found cannot be beaten."""


class FewerClients:
    """Looks for a plan that harms at most `most` clients, then for one that harms fewer.

    A state is beaten by one with no more clients and no less money.
    """

    def __init__(self, core: Core, relaxation: Relaxation, most: int, least: int) -> None:
        self._core = core
        self._relaxation = relaxation
        self._most = most
        self._least = least
        self.found: int | None = None

    def settled(self) -> bool:
        """True when the plan found harms no more clients than any plan must."""
        return self._most < self._least

    def prune(self, states: Iterable[int], fence: Fence) -> list[int]:
        """The states worth keeping, in the same order."""
        low, marks, width = self._core.low, self._core.marks, self._core.packing.width
        scale, count_price = self._relaxation.scale, self._relaxation.count_price
        add_amount, add_cost, drop_amount, drop_cost = fence
        middle, mask, count_mask = 1 << width - 1, (1 << width) - 1, (1 << low - marks) - 1
        most, limit = self._most, _limit(self._relaxation, self._most)
        best = -middle
        kept: list[int] = []
        for state in states:
            head = state >> low
            excess = middle - (head & mask)
            if excess <= best:
                continue
            best = excess
            cost = clients = head >> width
            if count_price:
                cost = clients * scale - count_price * (state >> marks & count_mask)
            if excess < 0:
                if (cost - limit) * add_amount <= excess * add_cost:
                    kept.append(state)
                continue
            if clients <= most:
                self.found = state
                self._most = most = clients - 1
                limit = _limit(self._relaxation, most)
            if (cost - limit) * drop_amount <= excess * drop_cost:
                kept.append(state)
        return kept


class TieBreaks:
    """Among plans that harm exactly `clients`, the fewest possible, looks for the best of all.

    A state is beaten only by one with fewer clients and no less money (it would end in a plan
    that harms fewer than the fewest), or with the same of both and a smaller low part.
    """

    def __init__(self, core: Core, relaxation: Relaxation, clients: int) -> None:
        self._core = core
        self._relaxation = relaxation
        self._clients = clients
        self.found: int | None = None

    def settled(self) -> bool:
        """Never before the last state: any later one may win the last tie-break."""
        return False

    def prune(self, states: Iterable[int], fence: Fence) -> list[int]:
        """The states worth keeping, in the same order."""
        low, marks, width = self._core.low, self._core.marks, self._core.packing.width
        scale, count_price = self._relaxation.scale, self._relaxation.count_price
        add_amount, add_cost, drop_amount, drop_cost = fence
        middle, mask, count_mask = 1 << width - 1, (1 << width) - 1, (1 << low - marks) - 1
        limit = _limit(self._relaxation, self._clients)
        last_head = last_clients = -1
        best_before = best = -middle
        kept: list[int] = []
        for state in states:
            head = state >> low
            if head == last_head:
                continue
            last_head = head
            cost = clients = head >> width
            excess = middle - (head & mask)
            if clients != last_clients:
                last_clients, best_before = clients, best
            if excess <= best_before:
                continue
            if excess > best:
                best = excess
            if count_price:
                cost = clients * scale - count_price * (state >> marks & count_mask)
            if excess < 0:
                if (cost - limit) * add_amount <= excess * add_cost:
                    kept.append(state)
            elif (cost - limit) * drop_amount <= excess * drop_cost:
                kept.append(state)
                if clients == self._clients:
                    self._offer(state, head)
        return kept

    def _offer(self, state: int, head: int) -> None:
        """Remembers the plan with the smallest excess, then the smallest low part."""
        best = -1 if self.found is None else self.found >> self._core.low
        if head > best or (head == best and self.found is not None and state < self.found):
            self.found = state


class ExactSum:
    """Looks for the plan that meets the target and harms at most `most` clients.

    A state is beaten by one with the same money and fewer clients, or a smaller low part.
    """

    def __init__(self, core: Core, relaxation: Relaxation, most: int) -> None:
        self._core = core
        self._relaxation = relaxation
        self._most = most
        self.found: int | None = None

    def settled(self) -> bool:
        """Never before the last state: any later one may win the last tie-break."""
        return False

    def prune(self, states: Iterable[int], fence: Fence) -> list[int]:
        """The states worth keeping, in the same order."""
        low, width = self._core.low, self._core.packing.width
        add_amount, add_cost, drop_amount, drop_cost = fence
        mask, most = (1 << width) - 1, self._most
        last: int | None = None
        kept: list[int] = []
        for state in states:
            head = state >> low
            excess = head >> width
            if excess == last:
                continue
            last = excess
            clients = head & mask
            if excess < 0:
                if (clients - most) * add_amount <= excess * add_cost:
                    kept.append(state)
            elif excess > 0:
                if (clients - most) * drop_amount <= excess * drop_cost:
                    kept.append(state)
            elif clients <= most:
                kept.append(state)
                self._most = most = clients
                self.found = state if self.found is None else min(state, self.found)
        return kept


def _limit(relaxation: Relaxation, clients: int) -> int:
    """What a state may cost at most for its plan to harm at most `clients`."""
    return clients * relaxation.scale - relaxation.count_price * relaxation.count
