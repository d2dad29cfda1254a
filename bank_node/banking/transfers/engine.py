"""The side that acts: drives each open transfer of this bank from where it stands to its end.

Pure. The ledger's record is the truth and this only its memory of what to do next: everything
here can be lost at any moment and is built again from the open records. One at a time a transfer
waits for the ledger, for another bank, or for a moment to try again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from bank_node.banking.transfers.controls import Controls
from bank_node.banking.transfers.decided import Decided
from bank_node.banking.transfers.flights import (
    NOT_HEARD,
    NOTHING_TO_RECALL,
    Deposit,
    Flight,
    Order,
    Outcome,
    Parcel,
    Recollection,
    Reply,
    Told,
    Wait,
    order_of,
    outcome_of,
)
from bank_node.errors import Reason
from bank_node.ledger.entries import bank_of, settlement_account
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfer_operations import Hold, ReadTransfer, Tell
from bank_node.ledger.transfers import Message, Phase, Role, Transfer
from bank_node.protocol.transfer_messages import (
    ABORTED,
    COMMITTED,
    PREPARED,
    TransferMessage,
    Word,
)
from bank_node.values import AccountNumber, Amount, BankCode

_log = logging.getLogger(__name__)

FLIGHTS_MAX = 100_000
PROMISES_MAX = 25_000
"""How many promises one bank may leave undecided before it gets no more of them."""
# A promise is asked about when the payer's bank has had ample time to say what became of it.
_ASK_AFTER_S = 10.0
_PROMISE = (Role.PAYEE, Phase.RESERVED)


class Engine(Controls):
    """All open transfers of one bank; the host reports by `booked`, `answered` and `deposited`."""

    def __init__(
        self,
        cap_of: Callable[[BankCode], int],
        recollection: Recollection = NOTHING_TO_RECALL,
    ) -> None:
        """`cap_of` is how much this bank may owe to another one."""
        super().__init__()
        self.decided = Decided(self, recollection)
        self._cap_of = cap_of
        self._promises: Counter[BankCode] = Counter()

    def begin(
        self, order: Order, told: Told, until: float, *, is_classic: bool,
        refusal: Reason | None = None,
    ) -> None:  # fmt: skip
        """A client wants a transfer to another bank and waits until a moment to hear of it.

        With a `refusal` none can begin now, and only what the same one came to before is told.
        """
        flight = self.flights.get(order.id)
        if flight is not None:
            self._join(flight, order, told, until)
            return
        if len(self.flights) >= FLIGHTS_MAX:
            told(Outcome(None, Reason.TOO_BUSY))
            return
        flight = Flight(order.id, order.payee.bank, order)
        flight.clients.append((until, told))
        flight.wait = Wait.LEDGER
        self.flights[order.id] = flight
        if refusal is not None:
            flight.refusal = refusal
            self.operations.append((order.id, ReadTransfer(order.id)))
            return
        if is_classic:
            # The look before tells whether this hold is the one that sets the money aside.
            self.operations.append((order.id, ReadTransfer(order.id)))
        hold = Hold(order.id, order.payer, settlement_account(order.payee.bank),
                    order.payee.number, order.amount, is_classic,
                    self._cap_of(order.payee.bank))  # fmt: skip
        self.operations.append((order.id, hold))

    def carry(self, parcel: Parcel, told: Told, until: float) -> None:
        """A transfer whose money was set aside a moment ago, by a payment, goes on its way.

        For one that is on its way already, another client waits to hear of it.
        """
        record, memo, amount = parcel
        flight = self.flights.get(record.key)
        if flight is None:
            flight = Flight(record.key, bank_of(record.bank), None, record, memo=memo,
                            amount=amount)  # fmt: skip
            self.flights[record.key] = flight
            flight.clients.append((until, told))
            self._go_on(flight)
        elif flight.is_decided:
            told(Outcome(flight.record))
        else:
            flight.clients.append((until, told))

    def _join(self, flight: Flight, order: Order, told: Told, until: float) -> None:
        known = flight.order or order_of(flight.record)
        if known != order:
            told(Outcome(None, Reason.TRANSFER_ID_TAKEN))
        elif flight.is_decided:
            told(Outcome(flight.record))
        elif (
            flight.record is not None
            and flight.record.phase is Phase.SENT
            and (flight.wait is Wait.NOTHING)
        ):
            told(Outcome(flight.record, Reason.TRANSFER_UNKNOWN))
        else:
            flight.clients.append((until, told))

    def recover(self, transfers: Iterable[Transfer], now: float) -> None:
        """Takes up what an earlier run left open."""
        for record in transfers:
            if record.key not in self.flights:
                self.flights[record.key] = self._taken_up(record, now)

    def _taken_up(self, record: Transfer, now: float) -> Flight:
        flight = Flight(record.key, bank_of(record.bank), None, record, next_at=now)
        if record.phase is Phase.RESERVED and record.role is Role.PAYER:
            # Nothing was decided, and whoever asked meanwhile was told so. The other bank may have
            # made a promise, which it need not keep any longer.
            flight.decision = _void(flight, Reason.TRANSFER_ABORTED)
            self.say_abort(flight)
        elif record.phase is Phase.SENT:
            flight.trouble = "whether the deposit was carried out is unknown"
        return flight

    def promised(self, record: Transfer, now: float) -> None:
        """This bank has made a promise: it will ask if it does not hear what became of it."""
        if record.key not in self.flights:
            flight = Flight(record.key, bank_of(record.bank), None, record)
            flight.next_at = now + _ASK_AFTER_S
            self.flights[record.key] = flight
            self._promises[flight.bank] += 1

    def has_room(self, bank: BankCode) -> bool:
        """Whether a bank may be promised more: it has not left too much undecided."""
        return self._promises[bank] < PROMISES_MAX

    def settled(self, record: Transfer) -> None:
        """A transfer has come to its end without the doing of this engine."""
        flight = self.flights.get(record.key)
        if flight is not None and not record.is_open and flight.reminder is None:
            flight.record = record
            self.end(flight)

    def booked(self, key: str, operation: Operation, result: Result, now: float) -> None:
        """The ledger has decided an operation, and what it decided is on disk."""
        flight = self.flights.get(key)
        if flight is None:
            return
        if isinstance(operation, ReadTransfer) and flight.record is None:
            if flight.refusal is not None:
                self._refuse(flight, flight.refusal, result)
            flight.is_fresh = result is Reason.NO_SUCH_TRANSFER
            return
        flight.wait = Wait.NOTHING
        if flight.is_lost:
            self.decided.recalled(flight, result, now)
        elif isinstance(operation, Hold):
            self._held(flight, result)
        elif isinstance(operation, ReadTransfer):
            self._found(flight, result, now)
        else:
            assert isinstance(operation, Tell)
            self._told(flight, operation, result, now)

    def _held(self, flight: Flight, result: Result) -> None:
        if not isinstance(result, Transfer):
            assert isinstance(result, Reason)
            self.tell(flight, Outcome(None, result))
            del self.flights[flight.key]
            return
        flight.record = result
        if not result.is_open:
            self.end(flight)
        elif result.phase is Phase.SENT and not flight.is_fresh:
            # It was sent before, by somebody who did not live to hear the answer.
            self.leave_unknown(flight)
        else:
            self._go_on(flight)

    def _refuse(self, flight: Flight, refusal: Reason, found: Result) -> None:
        """Refuses what cannot begin, but for what has begun already under the same id."""
        del self.flights[flight.key]
        if not isinstance(found, Transfer):
            is_new = found is Reason.NO_SUCH_TRANSFER
            assert isinstance(found, Reason)
            self.tell(flight, Outcome(None, refusal if is_new else found))
        elif order_of(found) != flight.order:
            self.tell(flight, Outcome(None, Reason.TRANSFER_ID_TAKEN))
        else:
            self.tell(flight, outcome_of(found))

    def _told(self, flight: Flight, operation: Tell, result: Result, now: float) -> None:
        if isinstance(result, Transfer):
            flight.record, flight.decision, flight.is_sent = result, None, False
            flight.attempts, flight.next_at = 0, now
            self._go_on(flight)
        elif result is Reason.TRANSFER_ABORTED or result is Reason.TRANSFER_COMMITTED:
            # It was decided otherwise meanwhile: by a question, or by hand.
            flight.decision = None
            self.ask(flight, ReadTransfer(flight.key))
        elif result is Reason.NO_SUCH_TRANSFER:
            _log.error("transfer %s is not in the ledger any more", flight.key)
            del self.flights[flight.key]
        else:
            # The ledger could not take it now; it has to, so it is told again.
            flight.decision = operation
            self.pause(flight, now)

    def _found(self, flight: Flight, result: Result, now: float) -> None:
        if isinstance(result, Transfer):
            flight.record = result
            self._go_on(flight)
        else:
            self.pause(flight, now)

    def _go_on(self, flight: Flight) -> None:
        """Does the next thing for a flight that waits for nothing."""
        record = flight.record
        assert record is not None
        if flight.decision is not None:
            self.decide(flight, flight.decision)
        elif flight.is_decided:
            self.decided.go_on(flight)
        elif not record.is_open:
            self.end(flight)
        elif record.phase is Phase.SENT:
            if flight.is_fresh and not flight.is_sent:
                flight.is_sent, flight.wait = True, Wait.BANK
                self.deposits.append(Deposit(record.key, flight.bank, AccountNumber(record.other),
                                             Amount(record.amount)))  # fmt: skip
        elif record.role is Role.PAYEE:
            self.send(flight, Word.QUESTION)
        else:
            self.send(flight, Word.PREPARE)

    def awaits(self, key: str, message: TransferMessage) -> bool:
        """Whether it still matters what another bank says to a message.

        While a question waits to be asked, the answer may come by itself.
        """
        return key in self.flights or message.word is Word.ABORT

    def answered(self, key: str, message: TransferMessage, reply: Reply, now: float) -> None:
        """The other bank has answered a message, or it is certain that no answer will come."""
        flight = self.flights.get(key)
        if flight is None or flight.wait is not Wait.BANK or message.word is Word.ABORT:
            # What is said to an abort changes nothing: who has not heard it will ask.
            return
        flight.wait = Wait.NOTHING
        if reply.answer is None or flight.unheard:
            is_unheard = reply.answer is None and reply.reason in NOT_HEARD
            flight.unheard = reply.reason if is_unheard else None
        said = reply.answer.said if reply.answer else ""
        if flight.is_decided:
            self.decided.answered(flight, message.word, reply, now)
        elif message.word is Word.PREPARE:
            self._prepared(flight, reply)
        elif message.word is Word.QUESTION and said in (COMMITTED, ABORTED):
            self._heard(flight, said, reply)
        else:
            if reply.answer is not None:
                flight.trouble = f"{flight.bank} answers {message.word.name}: {reply.answer.text}"
                _log.error("transfer %s: %s", key, flight.trouble)
            self.pause(flight, now)

    def _prepared(self, flight: Flight, reply: Reply) -> None:
        answer = reply.answer
        if answer is not None and answer.said == PREPARED:
            self.decide(flight, Tell(Message.POST, flight.key, evidence=reply.evidence))
            return
        reason = reply.reason
        if answer is not None:
            reason = answer.reason or Reason.TRANSFER_ABORTED
        self.decide(flight, _void(flight, reason))
        if answer is None and reply.was_sent:
            self.say_abort(flight)

    def _heard(self, flight: Flight, said: str, reply: Reply) -> None:
        message = Message.CREDIT if said == COMMITTED else Message.RELEASE
        assert flight.record is not None
        self.decide(flight, Tell(message, flight.key, reason="" if said == COMMITTED else (
            Reason.TRANSFER_ABORTED.value), evidence=reply.evidence))  # fmt: skip

    def deposited(self, key: str, reason: Reason | None, text: str) -> None:
        """What became of a deposit at a classic bank.

        Without a reason it was carried out; BANK_OUTCOME_UNKNOWN is the only reason that leaves
        that open. `text` is what the other bank said.
        """
        flight = self.flights.get(key)
        if flight is None or flight.wait is not Wait.BANK:
            return
        flight.wait = Wait.NOTHING
        if reason is None:
            self.decide(flight, Tell(Message.POST, key, evidence=text.encode()[:400]))
        elif reason is Reason.BANK_OUTCOME_UNKNOWN:
            self.leave_unknown(flight)
        else:
            self.decide(flight, _void(flight, reason, text.encode()[:400]))

    def by_hand(self, record: Transfer, now: float) -> None:
        """The operator has decided a transfer: what is open of it goes on from there."""
        flight = self.flights.get(record.key)
        if flight is None:
            self.recover((record,) if record.is_open else (), now)
        elif flight.wait is Wait.NOTHING:
            flight.record, flight.decision = record, None
            self._go_on(flight)

    def tick(self, now: float) -> None:
        """Looks at what is due; called a few times a second."""
        self._promises.clear()
        for flight in list(self.flights.values()):
            if flight.record is not None and flight.record[1:3] == _PROMISE:
                self._promises[flight.bank] += 1
            if flight.clients and flight.clients[0][0] <= now:
                self.tell(flight, Outcome(flight.record, Reason.TRANSFER_PENDING))
            if flight.wait is Wait.NOTHING and flight.next_at <= now and flight.record is not None:
                self._go_on(flight)


def _void(flight: Flight, reason: Reason, evidence: bytes = b"") -> Tell:
    return Tell(Message.VOID, flight.key, reason=reason.value, evidence=evidence)
