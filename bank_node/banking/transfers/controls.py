"""What can be done to a transfer on its way: decide it, say something about it, wait, end it.

Pure, and without an opinion of when: `engine.py` has that.
"""

from bank_node.banking.transfers.flights import Deposit, Flight, Outcome, Wait, outcome_of
from bank_node.errors import Reason
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Tell
from bank_node.protocol.transfer_messages import TransferMessage, Word
from bank_node.values import BankCode, TransferId

# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__
_RETRY_MIN_S, _RETRY_MAX_S = 0.25, 15.0


class Controls:
    """The flights of one bank. `operations`, `messages` and `deposits` are for the host to carry
    out, which empties them.
    """

    def __init__(self) -> None:
        self.flights: dict[str, Flight] = {}
        self.operations: list[tuple[str, Operation]] = []
        self.messages: list[tuple[str, BankCode, TransferMessage]] = []
        self.deposits: list[Deposit] = []

    def decide(self, flight: Flight, operation: Tell) -> None:
        """Has the ledger told something, again and again until it has taken it."""
        flight.decision = operation
        self.ask(flight, operation)

    def ask(self, flight: Flight, operation: Operation) -> None:
        """Asks the ledger, and waits for its word."""
        flight.wait = Wait.LEDGER
        self.operations.append((flight.key, operation))

    def send(self, flight: Flight, word: Word) -> None:
        """Says something to the other bank, and waits for its answer."""
        record = flight.record
        assert record is not None
        flight.wait = Wait.BANK
        if word is Word.PREPARE:
            message = _new(TransferMessage, (
                word, record.id, record.account, record.other, flight.amount or record.amount,
                flight.memo,
            ))  # fmt: skip
        else:
            message = _new(TransferMessage, (word, record.id, 0, 0, 0, ""))
        self.messages.append((flight.key, flight.bank, message))

    def say_abort(self, flight: Flight) -> None:
        """Says that nothing will come of a transfer, once; who does not hear it will ask."""
        abort = TransferMessage(Word.ABORT, TransferId(flight.key))
        self.messages.append((flight.key, flight.bank, abort))

    def pause(self, flight: Flight, now: float) -> None:
        """Tries again later, and later still the next time."""
        pause_s = min(_RETRY_MAX_S, _RETRY_MIN_S * 2**flight.attempts)
        flight.attempts = min(flight.attempts + 1, 10)
        flight.next_at = now + pause_s

    def leave_unknown(self, flight: Flight) -> None:
        """Waits for somebody who finds out what became of a deposit."""
        flight.trouble = "whether the deposit was carried out is unknown"
        self.tell(flight, Outcome(flight.record, Reason.TRANSFER_UNKNOWN))

    def tell(self, flight: Flight, outcome: Outcome) -> None:
        """Tells the clients that wait; each of them is told once."""
        clients, flight.clients = flight.clients, []
        for _, told in clients:
            told(outcome)

    def end(self, flight: Flight) -> None:
        """Nothing is to be done any more."""
        assert flight.record is not None
        self.tell(flight, outcome_of(flight.record))
        del self.flights[flight.key]
