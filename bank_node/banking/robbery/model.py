"""What goes into the robbery planner and what comes out of it.

Knows banks, plans and the whole frontier as values. Never knows how a plan is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Objective = Literal["fewest", "closest"]

# BA and BN are at most this on the wire, and the exactness of the price order relies on it.
NUMBER_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Bank:
    """One verified bank: dotted IPv4 address or its number, money (BA) and clients (BN).

    Raises ValueError for an address that is neither, and for a number outside 0..2^63-1.
    """

    address: str | int
    amount: int
    clients: int
    number: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", address_number(self.address))
        if not 0 <= self.amount <= NUMBER_MAX:
            raise ValueError(f"bank {self.address}: the amount {self.amount} is not in 0..2^63-1")
        if not 0 <= self.clients <= NUMBER_MAX:
            raise ValueError(f"bank {self.address}: {self.clients} clients are not in 0..2^63-1")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which whole banks to rob, in the order of their addresses.

    `proven` means that no other plan is better, down to the last tie-break. The two bounds say
    how far off the plan can be: it harms `clients_off_at_most` clients more than the best plan,
    and lies `distance_off_at_most` farther from the target ("fewest": than the best of the plans
    that harm as few). Both 0 but not proven: nobody can harm fewer or come closer, only another
    plan of the same sums may have fewer banks or smaller addresses.
    """

    target: int
    banks: tuple[Bank, ...]
    amount: int
    clients: int
    proven: bool
    clients_off_at_most: int = 0
    distance_off_at_most: int = 0

    @property
    def distance(self) -> int:
        """How far the sum of the plan lies from the target, on either side."""
        return abs(self.amount - self.target)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """All banks together hold less than the target; `total_amount` is what they hold."""

    target: int
    total_amount: int


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """Reaching `amount` harms at least `clients`; `proven` is False when fewer may be enough."""

    amount: int
    clients: int
    proven: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """The fewest clients for each amount, both rising from one point to the next.

    `complete`: every point where the answer changes is there, and each amount is the most that
    its number of clients can yield. Otherwise the points are samples at even steps.
    """

    points: tuple[FrontierPoint, ...]
    complete: bool


def address_number(address: str | int) -> int:
    """The number that orders addresses: 10.0.0.9 comes before 10.0.0.10."""
    if isinstance(address, int):
        if address < 0:
            raise ValueError(f"the address {address} is negative")
        return address
    parts = address.split(".")
    if len(parts) != 4:
        raise ValueError(f"the address {address!r} is not four numbers with dots")
    number = 0
    for part in parts:
        if not (part.isascii() and part.isdigit() and int(part) <= 255):
            raise ValueError(f"the address {address!r} has a part outside 0..255")
        number = number << 8 | int(part)
    return number
