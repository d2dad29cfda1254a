"""Reminding another bank of everything between the two, in case it has lost some of it.

What ended long ago nobody speaks of any more. So a bank that went back to an old backup is asked,
transfer by transfer and the latest first, whether it still has what it has confirmed; what it does
not have it promises and takes again. What it has paid it cannot be made to pay again: that its
ledger knows nothing of it, operators of both banks are told. Blocks a thread of its own.
"""

import logging
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import NamedTuple, Protocol

from bank_node.banking.transfers.decided import REMINDERS
from bank_node.banking.transfers.flights import Flight
from bank_node.ledger import tracing
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.events import Events, Level
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

_AT_ONCE = 256
# What a bank has lost is the end of its history. Who has so many in a row has the rest as well,
# although confirmations may have come in another order than the money.
_ENOUGH = 10_000
# How many a bank may cost without an operator's word, and how often: it could be lying.
_UNASKED_MAX = 100_000
_UNASKED_EVERY_NS = 3_600_000_000_000
# Clients are to have most of the time of the interpreter, and reading a journal takes it.
_PAUSES = 3
_LOOK_S = 0.1


class Asks(Protocol):
    """The transfers of a node, as far as this needs them."""

    def remind(self, ended: Sequence[Transfer], told: Callable[[Flight], object]) -> None:
        """Asks other banks about ended transfers; `told` hears of each, on another thread."""

    def insist(self, bank: BankCode) -> None:
        """Has a bank asked once more for promises that it did not want to make again."""


class Progress(NamedTuple):
    """How far it is with one bank."""

    bank: BankCode | None = None
    running: bool = False
    asked: int = 0
    kept: int = 0
    """The other bank knows of them."""
    renewed: int = 0
    """It had lost them, and has taken them again."""
    denied: int = 0
    """It has paid them, and knows nothing of it any more."""
    failed: int = 0
    trouble: str = ""
    """Of one of those that were denied or have failed."""


class Reminders:
    """See the module."""

    def __init__(
        self, store: Store, asks: Asks, leads: Callable[[], bool], events: Events, clock: Clock
    ) -> None:
        """`leads`: whether this node speaks for its bank."""
        self._store = store
        self._asks = asks
        self.leads = leads
        self._events = events
        self._now_ns = clock.monotonic_ns
        self._lock = Lock()
        self._wanted: SimpleQueue[tuple[BankCode, int | None] | None] = SimpleQueue()
        self._noticed: dict[BankCode, int] = {}
        self._thread: Thread | None = None
        self._ending, self._cancelled = Event(), Event()
        self.progress = Progress()

    def noticed(self, bank: BankCode) -> None:
        """A bank seems to have gone back in its history. Never blocks; from any thread.

        Whose history is another one once is noticed for ever. It is reminded again all the same,
        because it may go back a second time.
        """
        if self._is_time(bank):
            self._want(bank, _UNASKED_MAX)

    def _is_time(self, bank: BankCode) -> bool:
        """Whether a bank has not been reminded for a while; it is now."""
        now_ns = self._now_ns()
        with self._lock:
            before = self._noticed.get(bank)
            is_time = before is None or now_ns - before >= _UNASKED_EVERY_NS
            if is_time:
                self._noticed[bank] = now_ns
            return is_time

    def start(self, bank: BankCode) -> None:
        """An operator wants a bank to be reminded, after those that are waiting for it already."""
        # What comes to light by that need not begin it once more.
        self._is_time(bank)
        self._want(bank, None)

    def cancel(self) -> None:
        """Ends what is under way; who was to have a turn after it has none."""
        with self._lock:
            if self._ending.is_set():
                return
            while not self._wanted.empty():
                self._wanted.get_nowait()
            if self.progress.running:
                self._cancelled.set()

    def stop(self, deadline_s: float) -> None:
        """Ends the thread."""
        with self._lock:
            self._ending.set()
            self._cancelled.set()
            self._wanted.put(None)
        if self._thread is not None:
            self._thread.join(deadline_s)

    def _want(self, bank: BankCode, at_most: int | None) -> None:
        with self._lock:
            if not self.progress.running:
                self.progress = Progress(bank, running=True)
            self._wanted.put((bank, at_most))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="reminders", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (wanted := self._wanted.get()) and not self._ending.is_set():
            try:
                if self.leads():
                    self._remind(*wanted)
            except Exception:
                _log.exception("reminding %s failed", wanted[0])
            finally:
                with self._lock:
                    self._cancelled.clear()
                    # Whoever waits for the end of it wants to hear of those that wait for it too.
                    more = not self._wanted.empty()
                    self.progress = self.progress._replace(running=more)

    def _remind(self, bank: BankCode, at_most: int | None) -> None:
        self.progress = Progress(bank, running=True)
        if at_most is None:
            self._asks.insist(bank)
        number, in_a_row, before = settlement_account(bank), 0, None
        while in_a_row < _ENOUGH and (at_most is None or self.progress.asked < at_most):
            began_ns = self._now_ns()
            page = tracing.ended(self._store, before, _AT_ONCE)
            self._cancelled.wait((self._now_ns() - began_ns) / 1e9 * _PAUSES)
            records = [record for line in page.lines if (record := line.transfer)]
            flights = self._asked([r for r in records if r.bank == number and r[1:3] in _BETWEEN])
            for flight in flights:
                in_a_row = 0 if flight.renewals or flight.trouble else in_a_row + 1
            is_silent = flights and all(flight.attempts >= REMINDERS for flight in flights)
            before = page.next
            if before is None or is_silent or self._is_over():
                break
        self._tell(self.progress)

    def _is_over(self) -> bool:
        return self._cancelled.is_set() or self._ending.is_set()

    def _asked(self, ended: Sequence[Transfer]) -> list[Flight]:
        """What came of asking about some, the latest first."""
        heard: SimpleQueue[Flight] = SimpleQueue()
        if ended:
            self._asks.remind(ended, heard.put)
        flights: dict[str, Flight] = {}
        while len(flights) < len(ended) and not self._is_over():
            try:
                flight = heard.get(timeout=_LOOK_S)
            except Empty:
                continue
            flights[flight.key] = flight
            self._count(flight)
        return [flights[record.key] for record in ended if record.key in flights]

    def _count(self, flight: Flight) -> None:
        known = self.progress
        is_renewed = bool(flight.renewals) and not flight.trouble
        is_answered = bool(flight.trouble) and flight.attempts < REMINDERS
        is_denied = is_answered and "/" in flight.key
        self.progress = known._replace(
            asked=known.asked + 1,
            kept=known.kept + (not flight.renewals and not flight.trouble),
            renewed=known.renewed + is_renewed,
            denied=known.denied + is_denied,
            failed=known.failed + (bool(flight.trouble) and not is_denied),
            trouble=f"{flight.key}: {flight.trouble}" if flight.trouble else known.trouble,
        )

    def _tell(self, progress: Progress) -> None:
        bank, _, asked, kept, renewed, denied, failed, trouble = progress
        text = f"{bank} was asked about {asked} transfers: {kept} are there, {renewed} again"
        if denied:
            text += f", {denied} that it has paid are not"
        if failed:
            text += f", {failed} are not"
        if trouble:
            text += f", such as {trouble}"
        level: Level = "error" if denied else "warning" if failed else "info"
        self._events.tell("RemindersEnded", text, level, bank=bank or "", asked=asked,
                          renewed=renewed, denied=denied, failed=failed)  # fmt: skip


# What has ended between this bank and another one of its kind.
_BETWEEN = ((Role.PAYER, Phase.ENDED), (Role.PAYEE, Phase.ENDED))
