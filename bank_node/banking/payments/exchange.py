"""Paying somebody whose bank keeps another currency: what it costs, and what arrives. Pure, exact.

A rate is what 1 of the other currency costs in that of the payer's bank, as a decimal. Whoever
pays is never paid for by a bank: what arrives is rounded down, what something costs is rounded up.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from bank_node.config.currencies import CURRENCIES, is_rate
from bank_node.values import AMOUNT_MAX

NO_RATES: dict[str, str] = {}


class Exchange(NamedTuple):
    """The other side of a payment between two currencies: its amount in units, and the rate."""

    amount: int
    currency: str
    rate: str

    @property
    def word(self) -> str:
        """How a bank is told of it."""
        return f"{self.currency}:{self.amount}:{self.rate}"


def parse_exchange(word: str) -> Exchange | None:
    """What a bank tells, None unless it is in form."""
    currency, _, rest = word.partition(":")
    amount, _, rate = rest.partition(":")
    is_number = amount.isascii() and amount.isdigit() and len(amount) <= 19 and amount[0] != "0"
    if currency not in CURRENCIES or not is_number or not is_rate(rate):
        return None
    return Exchange(int(amount), currency, rate) if int(amount) <= AMOUNT_MAX else None


def rates_of(rows: Iterable[str]) -> dict[str, str]:
    """Rates by their currencies, of rows such as `EUR=25.105`."""
    return {row[:3]: row[4:] for row in rows}


def arriving(costs: int, rate: str) -> int:
    """What arrives in the other currency for an amount of this one, rounded down."""
    return int(costs / Fraction(rate))


def costing(arrives: int, rate: str) -> int:
    """What it costs that an amount of the other currency arrives, rounded up."""
    return -int(-arrives * Fraction(rate) // 1)


def is_fair(costs: int, arrives: int, rate: str) -> bool:
    """Whether a rate, rounded either way, makes the one amount of the other."""
    return arriving(costs, rate) == arrives or costing(arrives, rate) == costs


def share(part: int, whole: int, of: int) -> int:
    """What a part of a payment is on its other side, where the whole of it is `of`; rounded down.

    The shares of parts that add up to the whole add up to `of` if each is the difference of two
    shares.
    """
    return part * of // whole
