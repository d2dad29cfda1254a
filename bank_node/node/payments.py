"""Payments in a node: who hears of their records, where clients are served, what has a time.

Begins before the ledger does, so that nothing durable is missed, and serves once there is a way to
other banks.
"""

import logging
import os
import secrets
from collections.abc import Callable, Sequence

from bank_node.banking.payments.exchange import rates_of
from bank_node.banking.payments.records import PAYMENTS
from bank_node.config import Settings
from bank_node.ledger.notes import Note
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import Transfer
from bank_node.ledger.writer import Writer
from bank_node.node.attendant import Attendant
from bank_node.node.banks import own_code
from bank_node.node.clerk import Clerk
from bank_node.node.correspondence import Correspondence
from bank_node.node.inquiries import Inquiries
from bank_node.node.machine import CLOCK
from bank_node.node.neglected import Keepers, Neglected
from bank_node.node.payment_rules import calendar, handle_of, rules_of
from bank_node.node.transfers import Transfers
from bank_node.security.identity import Identity
from bank_node.security.pins import PROFILES, SALT_BYTES
from bank_node.security.signing import CodeKey
from bank_node.service.counter import Counter
from bank_node.service.flow import Flow
from bank_node.service.newsroom import Newsroom
from bank_node.service.payees import Around
from bank_node.service.steps import Pins
from bank_node.service.workers import Workers

_log = logging.getLogger(__name__)


class Payments:
    """See the module."""

    def __init__(self, store: Store, writer: Writer, leads: Callable[[], bool]) -> None:
        """`leads` says whether this node leads its bank now: only then it pays what is due."""
        self._store = store
        self._writer = writer
        self._leads = leads
        self.newsroom = Newsroom(store, writer.call, CLOCK, leads)
        self.flow = Flow(CLOCK)
        self.attendant: Attendant | None = None
        self._clerk = Clerk(writer, self._news, self._papers_heard)
        self._pin_workers: Workers | None = None

    def heard(self, records: Sequence[Transfer | Note]) -> None:
        """Takes in what became durable; called on the ledger thread."""
        self._clerk.heard(records)

    def take_up(self) -> None:
        """This node leads from now on: closes the records of payments that were left open."""
        self.newsroom.begin()
        for kind in PAYMENTS:
            self._clerk.sweep(self._store.open_notes(kind))

    def open(
        self,
        settings: Settings,
        identity: Identity,
        around: Around,
        transfers: Transfers,
        workers: Workers,
    ) -> Counter:
        """Begins to serve; the counter for clients.

        `workers` look old news up in the journal; PINs have threads of their own.
        """
        self.newsroom.start(workers)
        self._pin_workers = Workers(_pin_threads(), settings.limits.requests_queued)
        counter = self._counter(settings, identity, around, self._pin_workers)
        own = own_code(settings)
        keepers = Keepers(transfers.flight, transfers.take_up, self._clerk.sweep)
        self.attendant = Attendant(
            self._store, self._writer, counter, own, self._leads,
            Inquiries(self._writer, counter, identity, own),
            Correspondence(self._writer, counter, identity, own),
            Neglected(self._store, keepers, settings.network.timeout),
        )  # fmt: skip
        self.attendant.start()
        return counter

    def hush(self) -> None:
        """Lets nobody wait for news any more, and begins nothing by itself."""
        self.newsroom.hush()
        if self.attendant:
            self.attendant.stop()

    def stop(self) -> None:
        """Ends the threads, once the ledger has ended."""
        self.newsroom.stop()
        if self._pin_workers:
            self._pin_workers.close()

    def _news(self, payments: Sequence[Note], papers: Sequence[Note]) -> None:
        self.newsroom.heard(sorted((*payments, *papers), key=lambda note: note.entry))
        self.flow.heard(payments)
        self._papers_heard(papers)

    def _papers_heard(self, notes: Sequence[Note]) -> None:
        if notes and self.attendant:
            self.attendant.heard(notes)

    def _counter(
        self, settings: Settings, identity: Identity, around: Around, pin_workers: Workers
    ) -> Counter:
        chosen = settings.payments
        if chosen.pins_in_the_open:
            _log.warning(
                "payments.pins_in_the_open is set: everybody on the way can read the PINs of "
                "clients"
            )
        if chosen.pin_profile != "standard":
            _log.warning("payments.pin_profile is light: stolen PINs could be guessed in no time")
        return Counter(
            handle=handle_of(settings),
            currency=chosen.currency,
            rates=rates_of(chosen.rates),
            rules=rules_of(settings),
            ledger=self._writer,
            pins=Pins(pin_workers, identity.derive("pins"), PROFILES[chosen.pin_profile]),
            code_key=CodeKey(identity.derive("codes")),
            ids_key=identity.derive("ids of payments"),
            vmids_key=identity.derive("tokens of merchants"),
            clock=CLOCK,
            day_of=calendar(chosen.time_zone),
            new_salt=lambda: secrets.token_bytes(SALT_BYTES),
            newsroom=self.newsroom,
            flow=self.flow,
            around=around,
            may_be_overheard=chosen.pins_in_the_open,
        )


def _pin_threads() -> int:
    """One for each processor: a check is nothing but computing, outside of the interpreter."""
    return os.cpu_count() or 1
