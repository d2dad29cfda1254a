"""The points at which a node can be made to crash: before and after whatever it could lose.

Only names. Where they lie is known to those who pass them.
"""

from itertools import product
from typing import Final

DURABLE: Final = (
    "payer.hold",
    "payer.commit",
    "payer.abort",
    "payer.end",
    "payer.answer",
    "payee.promise",
    "payee.credit",
    "payee.release",
)
"""Who writes what to its ledger. `end`: it is confirmed; `answer`: what a question has decided."""

SENT: Final = (
    "payer.prepare",
    "payer.commit",
    "payer.abort",
    "payer.answer",
    "payer.deposit",
    "payer.reply",
    "payee.promise",
    "payee.credit",
    "payee.release",
    "payee.question",
)
"""Who sends what. `reply` goes to the client, `deposit` to a bank that knows deposits only."""


def point(moment: str, what: str, end: str) -> str:
    """The name of a point: `before` or `after` something of DURABLE or SENT is that."""
    role, _, act = what.partition(".")
    return f"{role}.{moment}-{act}-{end}"


CRASH_POINTS: Final = tuple(
    point(moment, what, end)
    for whats, end in ((DURABLE, "durable"), (SENT, "sent"))
    for what, moment in product(whats, ("before", "after"))
)
"""Such as `payee.before-promise-durable` and `payer.after-commit-sent`."""
