"""Closes the records of payments to and from other banks once their transfers have ended.

It hears what the ledger has made durable, on the ledger thread, and remembers nothing that a
start could not find again: the open records are in the ledger.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from bank_node.banking.payments.abroad import Finish, record_key
from bank_node.errors import Reason
from bank_node.ledger.notes import Note, ReadNotes
from bank_node.ledger.operations import Result
from bank_node.ledger.transfer_operations import ReadTransfer
from bank_node.ledger.transfers import Transfer
from bank_node.ledger.writer import Writer

_log = logging.getLogger(__name__)

KINDS = ("p:", "i:")
"""The kinds of notes that are records of payments."""


class Clerk:
    """See the module."""

    def __init__(self, ledger: Writer, news: Callable[[Sequence[Note]], object]) -> None:
        """`news` is told of records of payments that were written, on the ledger thread."""
        self._ledger = ledger
        self._news = news
        self._again: list[Finish] = []

    def heard(self, records: Sequence[Transfer | Note]) -> None:
        """Takes in what became durable; called on the ledger thread."""
        ended = [r for r in records if isinstance(r, Transfer) and not r.is_open]
        self._finish(ended)
        notes = [r for r in records if isinstance(r, Note) and r.key[:2] in KINDS]
        if notes:
            self._news(notes)

    def sweep(self, open_notes: Iterable[Note]) -> None:
        """Closes what an earlier run, or another node, has left open though it has ended."""
        asked = [ReadTransfer(_transfer_key(note)) for note in open_notes]
        if asked:
            self._ledger.submit(asked, self._found)

    def _found(self, results: Sequence[Result]) -> None:
        self._finish([r for r in results if isinstance(r, Transfer) and not r.is_open])

    def _finish(self, ended: Sequence[Transfer]) -> None:
        wanted, self._again = self._again, []
        for transfer in ended:
            key = record_key(transfer)
            # Most transfers are no payments, and a look is cheaper than an operation.
            if not self._ledger.reads_are_instant or self._is_open(key):
                wanted.append(Finish(key, transfer))
        if wanted:
            self._ledger.submit(wanted, lambda results: self._finished(wanted, results))

    def _is_open(self, key: str) -> bool:
        found = self._ledger.read(ReadNotes((key,)))
        return isinstance(found, tuple) and found[0] is not None

    def _finished(self, wanted: Sequence[Finish], results: Sequence[Result]) -> None:
        for operation, result in zip(wanted, results, strict=True):
            if isinstance(result, Reason) and result is not Reason.NO_SUCH_PAYMENT:
                _log.warning("a payment is not closed yet, %s: %s", operation.key, result.value)
                if result is not Reason.STOPPING:
                    self._again.append(operation)


def _transfer_key(note: Note) -> str:
    return note.key.partition(":")[2]
