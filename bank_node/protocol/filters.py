"""What an operator may look for among accounts: digits of the number, or a range of balances."""

import re
from typing import NamedTuple

from bank_node.values import AMOUNT_MAX

_DIGITS = re.compile(r"[0-9]{1,5}")
_COMPARED = re.compile(r"(>=|<=|>|<|=)([0-9]{1,19})")
_RANGE = re.compile(r"([0-9]{1,19})\.\.([0-9]{1,19})")


class AccountFilter(NamedTuple):
    """Accounts whose number contains `digits` and whose balance is `lowest` to `highest`."""

    digits: str = ""
    lowest: int = 0
    highest: int = AMOUNT_MAX


EVERYTHING = AccountFilter()


def parse_account_filter(typed: str) -> AccountFilter:
    """`77`, `>1000`, `<=5`, `=0` or `10..20`. Raises ValueError."""
    if _DIGITS.fullmatch(typed):
        return AccountFilter(typed)
    if compared := _COMPARED.fullmatch(typed):
        sign, amount = compared[1], int(compared[2])
        lowest = {">": amount + 1, ">=": amount, "=": amount}.get(sign, 0)
        highest = {"<": amount - 1, "<=": amount, "=": amount}.get(sign, AMOUNT_MAX)
        return AccountFilter("", lowest, highest)
    if between := _RANGE.fullmatch(typed):
        return AccountFilter("", int(between[1]), int(between[2]))
    raise ValueError(typed)
