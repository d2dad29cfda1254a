"""Transfers between banks, brought to life: one thread with a loop that feeds the pure engine.

What the engine wants of the ledger in one round of the loop is one submission, and what it wants
of another bank travels in as few signed lines as it fits into.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event, Thread

from bank_node.banking.transfers.chronicle import Chronicle
from bank_node.banking.transfers.engine import Engine
from bank_node.banking.transfers.flights import (
    Flight,
    Order,
    Outcome,
    Parcel,
    Recollection,
    Reply,
    Told,
)
from bank_node.banking.transfers.gathering import Gathering
from bank_node.banking.transfers.participant import operation_of
from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.transfer_operations import ReadTransfer, Tell
from bank_node.ledger.transfers import Message, Phase, Role, Transfer
from bank_node.network.loops import Inbox, new_loop
from bank_node.network.peers import Peer
from bank_node.node.acquaintance import Acquaintance
from bank_node.node.deposits import Deposits
from bank_node.node.post_office import Envelope, PostOffice
from bank_node.node.reception import Hears, Reception
from bank_node.node.submissions import Ledger, Submissions
from bank_node.protocol.transfer_messages import Messages
from bank_node.security.identity import Identity
from bank_node.service.calls import Answer, Call, Elsewhere
from bank_node.values import AMOUNT_MAX, BankCode

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_STOP_S = 5.0


class Transfers:
    """See the module. Everything public may be called from any thread."""

    def __init__(
        self,
        own: BankCode,
        identity: Identity,
        ledger: Ledger,
        acquaintance: Acquaintance,
        new_proxy: Callable[[], Elsewhere],
        cap_of: Callable[[BankCode], int],
        chronicle: Chronicle,
        expecting: Callable[[Operation, str], Operation],
        recollection: Recollection,
    ) -> None:
        """`new_proxy` is called on the loop of this thread.

        `cap_of`: what this bank may owe another one, and the other one this bank. `expecting`
        makes what the memo of a message asks for part of its operation, `recollection` finds out
        what this bank has asked for.
        """
        self._expecting = expecting
        self._own = own
        self._identity = identity
        self._ledger = ledger
        self._acquaintance = acquaintance
        self._new_proxy = new_proxy
        self._cap_of = cap_of
        self._chronicle = chronicle
        self._engine = Engine(cap_of, recollection)
        self._loop = new_loop()
        self._inbox = Inbox(self._loop)
        self._reception = Reception(own, identity, acquaintance, self._loop, self._decide)
        self._proxy: Elsewhere
        self._is_flushing = False
        self._outcomes: list[tuple[Told, Outcome]] = []
        self._submissions = Submissions(ledger, self._post)
        self._ready = Event()
        self._thread = Thread(target=self._run, name="transfers", daemon=True)

    def start(self, open_transfers: Sequence[Transfer]) -> None:
        """Takes up what an earlier run left open, and begins to serve."""
        self._left_open = open_transfers
        self._thread.start()
        self._ready.wait()

    def take_up(self, open_transfers: Sequence[Transfer]) -> None:
        """Goes on with what another node of this bank left open: this one leads from now on."""
        self._post(self._take_up, open_transfers)

    def stop(self) -> None:
        """Begins nothing more; what is under way goes on at the next start."""
        if self._thread.is_alive():
            self._post(self._loop.stop)
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._live)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._close())
            self._loop.close()

    def _live(self) -> None:
        self._proxy = self._new_proxy()
        self._post_office = PostOffice(
            self._own, self._identity, self._acquaintance, self._proxy, self._replied,
            self._engine.awaits,
        )  # fmt: skip
        self._gathering = Gathering(self._post_office.is_on_its_way)
        self._deposits = Deposits(self._proxy, self._deposited)
        self._recover(self._left_open)
        self._tick()
        self._ready.set()

    def _take_up(self, open_transfers: Sequence[Transfer]) -> None:
        self._recover(open_transfers)
        self._carry_out()

    def _recover(self, open_transfers: Sequence[Transfer]) -> None:
        self._engine.recover(open_transfers, self._loop.time())
        self._chronicle.recovered(open_transfers)

    async def _close(self) -> None:
        self._proxy.close()
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*pending, return_exceptions=True)

    def _post(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            self._inbox.post(call, *arguments)
        except RuntimeError:
            _log.debug("transfers have ended")

    def _tick(self) -> None:
        self._gathering.end()
        self._engine.tick(self._loop.time())
        self._chronicle.tell()
        self._carry_out()
        self._post_office.tick()
        self._loop.call_later(_TICK_S, self._tick)

    # What clients want

    def begin(self, call: Call, order: Order, done: Callable[[Answer], None]) -> None:
        """A transfer to another bank; `done` hears what became of it within the reply time.

        Raises Refused(OUT_OF_REACH).
        """
        if not self._acquaintance.may_dial(order.payee.bank):
            raise Refused(Reason.OUT_OF_REACH, bank=order.payee.bank, own=self._own)
        self._post(self._begin, order, call.seconds_left(), done)

    def carry(self, parcel: Parcel, within_s: float, told: Told) -> None:
        """A transfer that a payment has set money aside for goes on its way.

        `told` hears what became of it within so many seconds.
        """
        self._post(self._carry, parcel, within_s, told)

    def _carry(self, parcel: Parcel, within_s: float, told: Told) -> None:
        until = self._loop.time() + within_s
        self._engine.carry(parcel, partial(self._put_off, told), until)
        self._soon()

    def lend(self, use: Callable[[Engine, Elsewhere, float], object]) -> None:
        """Has something done with the engine and the way to other banks, on their thread.

        The third argument of `use` is the time there. It must not block.
        """

        def work() -> None:
            use(self._engine, self._proxy, self._loop.time())
            self._soon()

        self._post(work)

    def has_received(self, key: str) -> bool:
        """Whether a transfer is known that nothing has been set aside for yet."""
        flight = self._engine.flights.get(key)
        return flight is not None and flight.record is None

    def _begin(self, order: Order, within_s: float, done: Callable[[Answer], None]) -> None:
        until = self._loop.time() + within_s

        def known(peer: Peer | None) -> None:
            refusal = self._acquaintance.why_no_transfer(peer)
            is_classic = peer is not None and bool(self._acquaintance.is_classic(peer))
            if refusal is None:
                self._chronicle.received(order)
            self._engine.begin(order, told, until, is_classic=is_classic, refusal=refusal)
            self._soon()

        told = partial(self._put_off, partial(self._told, order, done))
        if order.id in self._engine.flights:
            self._engine.begin(order, told, until, is_classic=False)
        else:
            self._acquaintance.meet(self._loop, order.payee.bank, within_s / 2, known)

    def _told(self, order: Order, done: Callable[[Answer], None], outcome: Outcome) -> None:
        if outcome.reason is None:
            done(f"TR {order.id} committed")
        else:
            done(Refused(outcome.reason, bank=order.payee.bank, own=self._own, id=order.id))

    def _put_off(self, told: Told, outcome: Outcome) -> None:
        """Who waits is told when the lines of this round have left for other banks.

        Those begin to work on them meanwhile, and what they are told is for clients who wait, too.
        """
        if not self._outcomes:
            # The round ends, the lines leave in the next one, and then it is time.
            self._loop.call_soon(self._loop.call_soon, self._loop.call_soon, self._tell)
        self._outcomes.append((told, outcome))

    def _tell(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        for told, outcome in outcomes:
            try:
                told(outcome)
            except Exception:
                # Whoever asked is gone; the others still want to hear.
                _log.exception("the outcome of a transfer could not be told")

    # What the engine wants

    def _soon(self) -> None:
        """Everything that this round of the loop leads to is carried out at its end."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._carry_out)

    def _carry_out(self) -> None:
        self._is_flushing = False
        engine = self._engine
        if engine.operations and not self._gathering.goes_on(engine.operations):
            wanted, engine.operations = engine.operations, []
            operations = [each for _, each in wanted]
            self._submissions.add(operations, partial(self._booked, wanted))
        self._submissions.submit()
        if engine.messages:
            messages, engine.messages = engine.messages, []
            self._post_office.send(messages)
        deposits, engine.deposits = engine.deposits, []
        for deposit in deposits:
            self._deposits.send(deposit)

    def _booked(self, wanted: Sequence[tuple[str, Operation]], results: Sequence[Result]) -> None:
        now = self._loop.time()
        news = []
        for (key, operation), result in zip(wanted, results, strict=True):
            self._engine.booked(key, operation, result, now)
            if type(operation) is not ReadTransfer:
                news.append(result)
        self._chronicle.reached(news)
        self._soon()

    def _replied(self, envelopes: Sequence[Envelope], replies: Sequence[Reply]) -> None:
        now = self._loop.time()
        self._gathering.end()
        flights = self._engine.flights
        for (key, message), reply in zip(envelopes, replies, strict=True):
            flight = flights.get(key)
            if flight is not None and flight.record is not None:
                before = flight.trouble, flight.is_lost, flight.renewals
                self._engine.answered(key, message, reply, now)
                # Nearly all are answered as they should be, and there are thousands a second.
                if flight.attempts or flight.is_lost or flight.renewals:
                    self._chronicle.answered(flight, *before)
        self._soon()

    def _deposited(self, key: str, reason: Reason | None, text: str) -> None:
        self._engine.deposited(key, reason, text)
        flight = self._engine.flights.get(key)
        if flight is not None and flight.is_in_doubt and flight.record is not None:
            self._chronicle.doubted(flight.record)
        self._soon()

    # What other banks say

    def receive(
        self, sender: BankCode, messages: Messages, signature: str, done: Callable[[Answer], None]
    ) -> None:
        """Messages of another bank, in form; `done` hears the reply."""
        self._post(self._reception.receive, sender, messages, signature, done)

    def _decide(self, sender: BankCode, messages: Messages, evidence: bytes, hears: Hears) -> None:
        has_room = self._engine.has_room(sender)
        # No room for anything more is a cap that nothing new stays below.
        cap = self._cap_of(sender) if has_room else -AMOUNT_MAX
        operations = [
            self._expecting(operation_of(sender, each, cap, evidence), each.memo)
            for each in messages
        ]
        done = partial(self._decided, sender, messages, hears, has_room)
        self._submissions.add(operations, done)
        self._soon()

    def _decided(
        self, sender: BankCode, messages: Messages, hears: Hears, has_room: bool,
        results: Sequence[Result],
    ) -> None:  # fmt: skip
        now = self._loop.time()
        if not has_room:
            full = Reason.TOO_MANY_PROMISES
            results = [full if each is Reason.DEBIT_CAP else each for each in results]
        # The other bank waits for the answers, and nobody for the rest.
        hears(results)
        self._chronicle.reached(results)
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, Transfer):
                if result.role is Role.PAYEE and result.phase is Phase.RESERVED:
                    self._engine.promised(result, now)
                self._engine.settled(result)
            elif result is Reason.NO_SUCH_TRANSFER:
                # Nobody says anything of what was not promised, or set aside, here before.
                self._chronicle.behind(sender, message.id)
        self._soon()

    # What was paid long ago

    def remind(self, ended: Sequence[Transfer], told: Callable[[Flight], object]) -> None:
        """Asks other banks whether they still have what they were paid; see `Decided.remind`.

        `told` hears of it on the thread of the transfers.
        """
        self._post(self._remind, ended, told)

    def _remind(self, ended: Sequence[Transfer], told: Callable[[Flight], object]) -> None:
        self._engine.decided.remind(ended, told)
        self._soon()

    def insist(self, bank: BankCode) -> None:
        """Has a bank asked once more for promises that it did not want to make again."""
        self._post(lambda: self._engine.decided.insist(bank, self._loop.time()))

    # What the operator wants

    def flights(self) -> list[Flight]:
        """The transfers under way, as of one moment; only to be looked at."""
        return [each for each in self._engine.flights.copy().values() if not each.reminder]

    def flight(self, key: str) -> Flight | None:
        """One of those under way; only to be looked at."""
        return self._engine.flights.get(key)

    def find(self, key: str) -> Result:
        """The record of a transfer, or why there is none. Blocks."""
        return self._ledger.call(ReadTransfer(key))

    def now(self) -> float:
        """The time that the moments of flights are told by."""
        return self._loop.time()

    def settle(self, key: str, note: str, *, commit: bool) -> Result:
        """The operator decides a transfer that is in doubt. Blocks until that is on disk.

        `note` tells who and why; the ledger keeps it. The result is the record as it is then, or
        why nothing was done: NO_SUCH_TRANSFER for one that is not open, NOT_IN_DOUBT for one
        that goes on by itself, or what the ledger says.
        """
        flight = self._engine.flights.get(key)
        if flight is None or flight.record is None:
            return Reason.NO_SUCH_TRANSFER
        if not flight.is_in_doubt:
            return Reason.NOT_IN_DOUBT
        if flight.record.role is Role.PAYEE:
            message = Message.CREDIT if commit else Message.RELEASE
        else:
            message = Message.POST if commit else Message.VOID
        reason = "" if commit else Reason.TRANSFER_ABORTED.value
        result = self._ledger.call(Tell(message, key, reason=reason, note=note))
        if isinstance(result, Transfer):
            _log.warning("transfer %s was decided by hand, %s: %s", key, result.state, note)
            self._chronicle.decided(result)
            self._post(self._by_hand, result)
        return result

    def _by_hand(self, record: Transfer) -> None:
        self._engine.by_hand(record, self._loop.time())
        self._soon()
