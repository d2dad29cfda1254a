"""What several requests want of the ledger at the same time, handed over and told of as one.

Each thing in the ledger's queue costs it about as much as a simple operation does.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from bank_node.ledger.operations import Operation, Result

_log = logging.getLogger(__name__)

Told = Callable[[Any], object]
"""Hears the result of one operation, once, on some thread of the ledger."""

Decide = Callable[[Operation, Told], object]
"""Has the ledger decide one operation."""


class Together:
    """Operations in their order, each with who hears its result."""

    __slots__ = ("_told", "operations")

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._told: list[Told] = []

    def add(self, operation: Operation, told: Told) -> None:
        """One more, at the end."""
        self.operations.append(operation)
        self._told.append(told)

    def deal(self, results: Sequence[Result]) -> None:
        """Tells all of them their results."""
        for told, result in zip(self._told, results, strict=True):
            try:
                told(result)
            except Exception:
                # Whoever asked is gone; the others still want their results.
                _log.exception("a result could not be delivered")
