"""The banks of one question as plain lists of whole numbers, in the order of their addresses.

Knows which banks can matter and in which unit to count money. Never searches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from .model import Bank


@dataclass(frozen=True, slots=True)
class Problem:
    """Banks with money by rising address, and their numbers; money is counted in `unit`."""

    banks: tuple[Bank, ...]
    amounts: list[int]
    clients: list[int]
    target: int
    unit: int


def rich_banks(banks: Iterable[Bank]) -> tuple[Bank, ...]:
    """The banks that hold money, by address: an empty bank never helps any plan.

    Raises ValueError when two banks have the same address.
    """
    ordered = sorted(banks, key=lambda bank: bank.number)
    for first, second in pairwise(ordered):
        if first.number == second.number:
            raise ValueError(f"two banks have the address {first.address}")
    return tuple(bank for bank in ordered if bank.amount)


def counted_in_largest_unit(banks: tuple[Bank, ...], target: int) -> Problem:
    """The question to reach at least `target`, with all money divided by its common divisor.

    A sum of multiples of the unit reaches the target exactly when it reaches the target rounded
    up to the unit. An odd target over even amounts becomes an ordinary question this way.
    """
    unit = math.gcd(*(bank.amount for bank in banks))
    return Problem(
        banks,
        [bank.amount // unit for bank in banks],
        [bank.clients for bank in banks],
        -(-target // unit),
        unit,
    )


def counted_in_ones(banks: tuple[Bank, ...], target: int) -> Problem:
    """The question to come near `target` from either side."""
    return Problem(
        banks, [bank.amount for bank in banks], [bank.clients for bank in banks], target, 1
    )
