"""A payee's bank that has lost its promise: it is to make it again, and then to keep it.

A bank that went back to an old copy of its ledger, or was promoted without its latest blocks, knows
nothing of what it promised, and says so when it is told to keep it. Nothing of the transfer is in
the ledger that it has, so a promise under the same name, kept once, makes up for just what was
lost. Pure.
"""

import logging

from bank_node.banking.transfers.flights import Flight, Recollection
from bank_node.errors import Reason
from bank_node.ledger.operations import Operation, Result
from bank_node.protocol.transfer_messages import PREPARED, TransferAnswer, Word

_log = logging.getLogger(__name__)

# Account numbers and addresses are given away again: who is not there now could be somebody else
# later, so asking on would pay a stranger some day.
_NOBODY = frozenset((Reason.NO_SUCH_PAYEE, Reason.NO_SUCH_ADDRESS, Reason.PAYEE_CHANGED))


class Renewal:
    """See the module. What is done next is in the flight; each method tells whether at once."""

    def __init__(self, recollection: Recollection) -> None:
        self._recollection = recollection

    def question(self, flight: Flight) -> Operation:
        """What the ledger is asked before a promise can be made again."""
        assert flight.record is not None
        return self._recollection.question(flight.record)

    def recalled(self, flight: Flight, result: Result) -> bool:
        """The ledger has told what a transfer was for."""
        flight.tellings = self._recollection.tellings(result)
        return bool(flight.tellings)

    def answered(self, flight: Flight, word: Word, answer: TransferAnswer) -> bool:
        """The other bank has answered something else than that it has taken the money."""
        if word is Word.PREPARE:
            return self._promised(flight, answer)
        if word is Word.QUESTION:
            _complain(flight, f"{flight.bank} does not know that it has paid it: {answer.text}")
            return False
        if answer.reason is not Reason.NO_SUCH_TRANSFER:
            _complain(flight, f"{flight.bank} answers {word.name}: {answer.text}")
            return False
        if flight.is_refused:
            return False
        flight.is_lost = True
        # Who makes promises and loses them again is not asked in a circle.
        return flight.renewals == 0

    def _promised(self, flight: Flight, answer: TransferAnswer) -> bool:
        if answer.said == PREPARED:
            flight.is_lost, flight.tellings, flight.trouble = False, (), ""
            flight.renewals += 1
            return True
        reason = answer.reason or Reason.TRANSFER_ABORTED
        if len(flight.tellings) > 1 and self._recollection.is_gone(reason):
            flight.tellings = flight.tellings[1:]
            return True
        flight.is_lost, flight.tellings = False, ()
        flight.is_refused = reason in _NOBODY
        _complain(
            flight,
            f"{flight.bank} has lost its promise, and refuses to make it again: {reason.value}",
        )
        return False


def _complain(flight: Flight, trouble: str) -> None:
    if flight.trouble != trouble:
        _log.error("transfer %s: %s", flight.key, trouble)
    flight.trouble = trouble
