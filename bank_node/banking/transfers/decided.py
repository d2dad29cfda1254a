"""What this bank has decided to pay, until the payee's bank has it; also if that bank loses it.

A bank that went back to an old copy of its ledger, or was promoted without its latest blocks, knows
nothing of what it promised, and says so when it is told to keep it. Nothing of the transfer is in
the ledger that it has, so a promise under the same name, kept once, makes up for just what was
lost. Pure.
"""

import logging
from collections.abc import Callable, Iterable

from bank_node.banking.transfers.controls import Controls
from bank_node.banking.transfers.flights import Flight, Outcome, Recollection, Reply
from bank_node.errors import Reason
from bank_node.ledger.entries import bank_of
from bank_node.ledger.operations import Result
from bank_node.ledger.transfer_operations import Tell
from bank_node.ledger.transfers import Message, Transfer
from bank_node.protocol.transfer_messages import COMMITTED, PREPARED, TransferAnswer, Word
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

REMINDERS = 6
"""How often a bank is asked for what it once confirmed, within a quarter of a minute."""
# Account numbers and addresses are given away again: who is not there now could be somebody else
# later, so asking on would pay a stranger some day.
_NOBODY = frozenset((Reason.NO_SUCH_PAYEE, Reason.NO_SUCH_ADDRESS, Reason.PAYEE_CHANGED))
_GONE_MAX = 100_000
# Of the bank and not of the transfer: what it answers in a moment is something else.
_FOR_NOW = frozenset(
    (Reason.TOO_BUSY, Reason.STOPPING, Reason.NOT_LEADER, Reason.STORE_FULL, Reason.STORE_FAILED,
     Reason.STORE_AWAY, Reason.OUTCOME_UNKNOWN, Reason.INTERNAL)
)  # fmt: skip


class Decided:
    """See the module. Flights that are decided, and reminders of what has ended already."""

    def __init__(self, controls: Controls, recollection: Recollection) -> None:
        self._controls = controls
        self._recollection = recollection
        self._gone: dict[str, BankCode] = {}
        """Ended transfers whose payee is gone with the promise, and the banks that have said so."""

    def remind(self, ended: Iterable[Transfer], told: Callable[[Flight], object]) -> None:
        """Asks whether other banks still know of what they have taken or paid.

        One that has lost what it took is to promise it again, and takes it again. `told` hears of
        each when that is over: nothing was lost without `renewals` and `trouble`.
        """
        flights = self._controls.flights
        for record in ended:
            flight = Flight(record.key, bank_of(record.bank), None, record, reminder=told,
                            is_refused=record.key in self._gone)  # fmt: skip
            if flights.setdefault(record.key, flight) is flight:
                self.go_on(flight)
            else:
                told(flight)

    def insist(self, bank: BankCode, now: float) -> None:
        """Has a bank asked once more for promises that it did not want to make again."""
        for flight in self._controls.flights.values():
            if flight.bank == bank and flight.is_refused:
                flight.is_refused, flight.trouble, flight.next_at = False, "", now
        self._gone = {key: said for key, said in self._gone.items() if said != bank}

    def go_on(self, flight: Flight) -> None:
        """Has the other bank take what is paid; first of all promise it, if it has lost that."""
        record, controls = flight.record, self._controls
        assert record is not None
        controls.tell(flight, Outcome(record))
        if flight.reminder and flight.attempts >= REMINDERS and not flight.trouble:
            flight.trouble = f"{flight.bank} does not confirm it"
        if flight.reminder and flight.trouble:
            self._end(flight, flight.reminder)
        elif not flight.is_lost:
            # Of what came from there, that bank may have lost its own decision.
            controls.send(flight, Word.QUESTION if "/" in flight.key else Word.COMMIT)
        elif flight.tellings:
            flight.memo, flight.amount = flight.tellings[0]
            controls.send(flight, Word.PREPARE)
        else:
            controls.ask(flight, self._recollection.question(record))

    def recalled(self, flight: Flight, result: Result, now: float) -> None:
        """The ledger has told what a transfer was for whose promise is lost."""
        flight.tellings = self._recollection.tellings(result)
        self._next(flight, now, at_once=bool(flight.tellings))

    def answered(self, flight: Flight, word: Word, reply: Reply, now: float) -> None:
        """The other bank has answered, or it is certain that no answer will come."""
        answer = reply.answer
        if answer is None or answer.reason in _FOR_NOW:
            self._controls.pause(flight, now)
        elif word is Word.PREPARE:
            self._next(flight, now, at_once=_is_promised(flight, answer, self._recollection))
        elif answer.said != COMMITTED:
            self._next(flight, now, at_once=_is_to_be_promised(flight, word, answer))
        elif flight.reminder:
            self._end(flight, flight.reminder)
        else:
            confirmed = Tell(Message.ACKNOWLEDGE, flight.key, evidence=reply.evidence)
            self._controls.decide(flight, confirmed)

    def _next(self, flight: Flight, now: float, *, at_once: bool) -> None:
        if at_once:
            self.go_on(flight)
        else:
            self._controls.pause(flight, now)

    def _end(self, flight: Flight, told: Callable[[Flight], object]) -> None:
        del self._controls.flights[flight.key]
        if flight.is_refused and flight.trouble and len(self._gone) < _GONE_MAX:
            self._gone[flight.key] = flight.bank
        told(flight)


def _is_to_be_promised(flight: Flight, word: Word, answer: TransferAnswer) -> bool:
    """Whether a bank that does not take the money is to promise it now, as it has lost that."""
    if word is Word.QUESTION:
        _complain(flight, f"{flight.bank} does not know that it has paid it: {answer.text}")
        return False
    if answer.reason is not Reason.NO_SUCH_TRANSFER:
        _complain(flight, f"{flight.bank} answers {word.name}: {answer.text}")
        return False
    if flight.is_refused:
        _complain(flight, flight.trouble or f"{flight.bank} has lost its promise and its payee")
        return False
    flight.is_lost = True
    # Who makes promises and loses them again is not asked in a circle.
    return flight.renewals == 0


def _is_promised(flight: Flight, answer: TransferAnswer, recollection: Recollection) -> bool:
    """Whether there is more to say now about a lost promise: to keep it, or other words for it."""
    if answer.said == PREPARED:
        flight.is_lost, flight.tellings, flight.trouble = False, (), ""
        flight.renewals += 1
        return True
    reason = answer.reason or Reason.TRANSFER_ABORTED
    if len(flight.tellings) > 1 and recollection.is_gone(reason):
        flight.tellings = flight.tellings[1:]
        return True
    flight.is_lost, flight.tellings = False, ()
    flight.is_refused = reason in _NOBODY
    _complain(
        flight, f"{flight.bank} has lost its promise, and refuses to make it again: {reason.value}"
    )
    return False


def _complain(flight: Flight, trouble: str) -> None:
    if flight.trouble != trouble:
        _log.error("transfer %s: %s", flight.key, trouble)
    flight.trouble = trouble
