"""What one round of a loop asks of the ledger is one submission, and each hears its own results."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bank_node.ledger.operations import Done, Operation, Result

_log = logging.getLogger(__name__)

Asked = tuple[Sequence[Operation], Done]


class Ledger(Protocol):
    """What is needed of the writer."""

    def submit(self, operations: Sequence[Operation], done: Done) -> None: ...

    def call(self, operation: Operation) -> Result: ...


class Submissions:
    """See the module. Belongs to one loop."""

    def __init__(self, ledger: Ledger, post: Callable[..., object]) -> None:
        """`post` has a call made on the loop, from any thread."""
        self._ledger = ledger
        self._post = post
        self._asked: list[Asked] = []

    def add(self, operations: Sequence[Operation], done: Done) -> None:
        """Operations of this round; `done` hears their results on the loop."""
        self._asked.append((operations, done))

    def submit(self) -> None:
        """The round is over."""
        if self._asked:
            asked, self._asked = self._asked, []
            operations = [each for batch, _ in asked for each in batch]
            self._ledger.submit(operations, lambda results: self._post(_deal, asked, results))


def _deal(asked: Sequence[Asked], results: Sequence[Any]) -> None:
    """Hands the results of one submission to those who asked for parts of it."""
    first = 0
    for operations, done in asked:
        last = first + len(operations)
        try:
            done(results[first:last])
        except Exception:
            _log.exception("the results of a transfer were not understood")
        first = last
