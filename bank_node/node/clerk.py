"""Closes the records of payments to and from other banks once their transfers have ended.

It hears what the ledger has made durable, on the ledger thread, and remembers nothing that a
start could not find again: the open records are in the ledger.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from bank_node.banking.payments.abroad import record_key
from bank_node.banking.payments.closing import Conclude, Finish, concerned
from bank_node.banking.payments.papers import REQUESTS, mandate_key
from bank_node.banking.payments.records import PAYMENTS, Payment, read
from bank_node.errors import Reason
from bank_node.ledger.notes import Note, ReadNote, ReadNotes
from bank_node.ledger.operations import Done, Operation, Result
from bank_node.ledger.transfer_operations import ReadTransfer, Tell
from bank_node.ledger.transfers import Message, Role, Transfer
from bank_node.ledger.writer import Writer

_log = logging.getLogger(__name__)

_ENDS = frozenset((Message.CREDIT, Message.ACKNOWLEDGE))


class Clerk:
    """See the module."""

    def __init__(
        self,
        ledger: Writer,
        news: Callable[[Sequence[Note], Sequence[Note]], object],
        papers: Callable[[Sequence[Note]], object],
    ) -> None:
        """`news` is told of records of payments, and of requests and mandates, that were written.

        `papers` hears of mandates that changed with a payment. Both on the ledger thread.
        """
        self._ledger = ledger
        self._news = news
        self._papers = papers
        self._again: list[Transfer] = []

    def heard(self, records: Sequence[Transfer | Note]) -> None:
        """Takes in what became durable; called on the ledger thread."""
        ended: list[Transfer] = []
        payments: list[Note] = []
        papers: list[Note] = []
        for record in records:
            if not isinstance(record, Note):
                if record.role is not Role.LOCAL and not record.is_open:
                    ended.append(record)
            elif record.key[:2] in PAYMENTS:
                payments.append(record)
            elif record.key[:2] in REQUESTS:
                papers.append(record)
        self._finish(ended)
        if payments or papers:
            self._news(payments, papers)
        if payments:
            self._look_up([ReadNote(key) for key in map(_mandate_of, payments) if key])

    def _look_up(self, papers: Sequence[ReadNote]) -> None:
        """Looks at the mandates that payments were for: they have changed in the same blocks."""
        if papers:
            self._ledger.submit(
                papers, lambda found: self._papers([r for r in found if isinstance(r, Note)])
            )

    def sweep(self, open_notes: Iterable[Note]) -> None:
        """Closes what an earlier run, or another node, has left open though it has ended."""
        asked = [ReadTransfer(_transfer_key(note)) for note in open_notes]
        if asked:
            self._ledger.submit(asked, self._found)

    def _found(self, results: Sequence[Result]) -> None:
        self._finish([r for r in results if isinstance(r, Transfer) and not r.is_open])

    def _finish(self, ended: Sequence[Transfer]) -> None:
        wanted, self._again = [*self._again, *ended], []
        if not wanted:
            return
        read_records = ReadNotes(tuple(record_key(each.key) for each in wanted))
        # Most transfers are no payments, and a look is cheaper than an operation.
        if self._ledger.reads_are_instant:
            self._close(wanted, self._ledger.read(read_records))
        else:
            self._ledger.submit((read_records,), lambda results: self._close(wanted, results[0]))

    def _close(self, ended: Sequence[Transfer], notes: Result) -> None:
        """Closes the records of transfers that have one."""
        if isinstance(notes, Reason):
            self._again += ended if notes is not Reason.STOPPING else ()
            return
        assert isinstance(notes, tuple)
        wanted = [
            Finish(note.key, transfer, concerned(read(Payment, note)))
            for transfer, note in zip(ended, notes, strict=True)
            if note is not None and note.is_open
        ]
        if wanted:
            self._ledger.submit(wanted, lambda results: self._finished(wanted, results))

    def _finished(self, wanted: Sequence[Finish], results: Sequence[Result]) -> None:
        for operation, result in zip(wanted, results, strict=True):
            if isinstance(result, Reason) and result is not Reason.NO_SUCH_PAYMENT:
                _log.warning("a payment is not closed yet, %s: %s", operation.key, result.value)
                if result is not Reason.STOPPING:
                    self._again.append(operation.transfer)


class Concluding:
    """The ledger as transfers see it: what ends one well closes the record of its payment with it.

    So most payments between banks have no operation of their own for that, and are told of with
    the block that their money arrives in.
    """

    def __init__(self, ledger: Writer) -> None:
        self._ledger = ledger

    def submit(self, operations: Sequence[Operation], done: Done) -> None:
        """As the ledger's."""
        ends = [each for each in operations if type(each) is Tell and each.message in _ENDS]
        if ends and self._ledger.reads_are_instant:
            operations = self._concluding(operations, ends)
        self._ledger.submit(operations, done)

    def call(self, operation: Operation) -> Result:
        """As the ledger's."""
        return self._ledger.call(operation)

    def _concluding(
        self, operations: Sequence[Operation], ends: Sequence[Tell]
    ) -> Sequence[Operation]:
        notes = self._ledger.read(ReadNotes(tuple([record_key(each.key) for each in ends])))
        assert isinstance(notes, tuple)
        # A transfer without a payment is by far cheaper to look up here than in its batch.
        keys = {each.key: note.key for each, note in zip(ends, notes, strict=True) if note}
        if not keys:
            return operations
        return [
            Conclude(each, keys[each.key])
            if type(each) is Tell and each.message in _ENDS and each.key in keys
            else each
            for each in operations
        ]


# Most payments are for no mandate, and a look is cheaper than reading all of them.
_FOR_MANDATE = b'"kind":"mandate"'
_KIND_BYTES = 96


def _mandate_of(note: Note) -> str:
    """The key of the mandate that a payment is for; empty for others."""
    is_one = _FOR_MANDATE in note.body[:_KIND_BYTES]
    return mandate_key(read(Payment, note).of) if is_one else ""


def _transfer_key(note: Note) -> str:
    return note.key.partition(":")[2]
