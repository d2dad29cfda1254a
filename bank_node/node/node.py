"""A node: builds the rooms, recovers, starts and stops them in order."""

import itertools
import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from bank_node import __version__
from bank_node.banking.payments.records import PAYMENTS
from bank_node.banking.transfers.caps import Caps
from bank_node.banking.transfers.chronicle import Chronicle
from bank_node.config import DEFAULT_FILE, Effective, Settings, log_folder
from bank_node.errors import StartupError
from bank_node.ledger.log import Log
from bank_node.ledger.notes import Note
from bank_node.ledger.office import Office
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.network.connection import Limits
from bank_node.network.server import Presence, Server
from bank_node.node.acquaintance import Acquaintance
from bank_node.node.around import Ears
from bank_node.node.attendant import Attendant
from bank_node.node.banks import Banks, own_code
from bank_node.node.clerk import Clerk, Concluding
from bank_node.node.correspondence import Correspondence
from bank_node.node.faults import Faults
from bank_node.node.inquiries import Inquiries
from bank_node.node.machine import CLOCK, Chance, raise_file_limit
from bank_node.node.neglected import Keepers, Neglected
from bank_node.node.operator import Entrance, Parts
from bank_node.node.payments import expecting, handle_of, open_counter, pin_threads
from bank_node.node.place import identity_of, open_office, take_place
from bank_node.node.providers import Providers
from bank_node.node.stores import open_store
from bank_node.node.succession import Succession
from bank_node.node.transfers import Transfers
from bank_node.protocol.messages import Catalogue
from bank_node.security.identity import Identity
from bank_node.service.calls import Bank, Network
from bank_node.service.counter import Counter
from bank_node.service.dispatch import Gate
from bank_node.service.flow import Flow
from bank_node.service.newsroom import Newsroom
from bank_node.service.payees import Around
from bank_node.service.workers import Workers
from bank_node.telemetry.events import Events
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic import Traffic, TrafficLog

_log = logging.getLogger(__name__)

NAME = "p2p-bank-node"

# How much of the reply time an acknowledgement may wait for followers.
_SHARE_FOR_FOLLOWERS = 0.9

# Files beside the clients' sockets: a scan, the ledger, logs, loops, and some air.
_FILES_BESIDE = 4096 + 256

# Surveys and plans: a few at once use what the processor has beside the clients' requests.
_WORKERS = 4
_WORK_WAITING_MAX = 64


class Node:
    """A bank: its ledger, its gate and its server."""

    def __init__(
        self,
        settings: Settings | Effective,
        *,
        settings_file: Path = DEFAULT_FILE,
        request_stop: Callable[[], object] | None = None,
    ) -> None:
        """`settings_file` is where an operator's changes are saved, if that is wanted.

        `request_stop` is called when an operator stops the node; whoever runs it then calls
        `stop`. Without one an operator cannot.
        """
        effective = settings if isinstance(settings, Effective) else Effective.of(settings)
        self.settings = effective.settings
        self.metrics = Metrics()
        self.events = Events(CLOCK.now_us)
        self._ears = Ears(self.events, CLOCK.now_us)
        self._chronicle = Chronicle(self.events, CLOCK.now_us)
        caps = self.settings.transfers
        self._caps = Caps(caps.debit_cap, caps.debit_caps)
        self.operator_address: tuple[str, int] | None = None
        self._effective = effective
        self._settings_file = settings_file
        self._request_stop = request_stop
        self._entrance: Entrance | None = None
        self._store: Store | None = None
        self._writer: Writer | None = None
        self._server: Server | None = None
        self._traffic: Traffic | None = None
        self._workers: Workers | None = None
        self._pin_workers: Workers | None = None
        self._newsroom: Newsroom | None = None
        self._flow: Flow | None = None
        self._attendant: Attendant | None = None
        self.banks: Banks | None = None
        self.transfers: Transfers | None = None
        self.succession: Succession | None = None

    def start(self) -> tuple[str, int]:
        """Recovers the ledger and accepts clients; returns the address. Raises BankError."""
        raise_file_limit(self.settings.network.connections_max + _FILES_BESIDE)
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> tuple[str, int]:
        self._faults = faults = Faults(self.settings)
        self._store = open_store(self.settings)
        identity, office = identity_of(self.settings), open_office(self.settings)
        self.settings = settings = take_place(self.settings, office)
        self._writer = Writer(
            self._store,
            self.metrics,
            CLOCK,
            settings.limits.batch_operations,
            patience_s=settings.network.timeout / 2,
        )
        self.succession = succession = self._succession(office, identity)
        succession.prepare()
        self._newsroom = newsroom = Newsroom(self._store, self._writer.call, CLOCK)
        self._flow = flow = Flow(CLOCK)

        def heard(payments: Sequence[Note], papers: Sequence[Note]) -> None:
            newsroom.heard(sorted((*payments, *papers), key=lambda note: note.entry))
            flow.heard(payments)
            self._papers_heard(papers)

        clerk = Clerk(self._writer, heard, self._papers_heard)
        self._writer.tell(clerk.heard)
        self._writer.start()
        self._traffic = traffic = self._open_traffic()
        self.banks = banks = Banks(
            settings, self._writer, self.metrics, traffic.extend, self._ears.heard
        )
        banks.watch.concerns(own_code(settings), identity.key, succession.seen)
        banks.start()
        around = self._open_transfers(banks, identity, faults)
        self._take_up(clerk, office)
        self._workers = Workers(_WORKERS, _WORK_WAITING_MAX)
        newsroom.start(self._workers)
        counter = self._counter(identity, around)
        self._attend(counter, identity, office)
        gate = Gate(
            self._bank(banks, self._store, identity, counter),
            self._writer,
            self.metrics,
            CLOCK,
            traffic.log,
            settings.limits.requests_queued,
            self._workers,
            itertools.count(1).__next__,
        )
        presence = Presence(
            self._connections_changed, self._connection_refused, self._connection_dropped
        )
        self._server = Server(
            settings.network.host,
            settings.network.port,
            self._limits(),
            settings.network.io_threads,
            lambda run_soon: gate.desk(run_soon, banks.proxy()),
            CLOCK.monotonic_ns,
            presence,
        )
        address = self._server.start()
        succession.start("{}:{}".format(*address))
        if settings.operator.enabled:
            parts = Parts(
                gate, presence, self._store, self._writer, self.metrics, traffic,
                banks, self._ears, address, self._caps, self._chronicle,
            )  # fmt: skip
            self._let_operators_in(parts)
        return address

    def _open_transfers(self, banks: Banks, identity: Identity, faults: Faults) -> Around:
        """What carries money to other banks, and knows whom they serve."""
        assert self._writer is not None
        acquaintance = Acquaintance(
            banks.neighbourhood, banks.keyring, CLOCK.now_us, self.settings.payments.currency
        )
        self.transfers = transfers = Transfers(
            banks.own,
            identity,
            faults.ledger(Concluding(self._writer)),
            acquaintance,
            lambda: faults.post(banks.proxy()),
            self._caps.of,
            self._chronicle,
            expecting(self.settings),
        )
        return Providers(
            banks.own, handle_of(self.settings), banks.neighbourhood.directory, acquaintance,
            transfers, self._caps.of, CLOCK,
        )  # fmt: skip

    def _take_up(self, clerk: Clerk, office: Office) -> None:
        """What is open belongs to whoever leads the bank, from the moment on when it does."""
        store, transfers, succession = self._store, self.transfers, self.succession
        assert store is not None
        assert transfers is not None
        assert succession is not None

        def sweep() -> None:
            for kind in PAYMENTS:
                clerk.sweep(store.open_notes(kind))

        keepers = Keepers(transfers.flight, transfers.take_up, clerk.sweep)
        self._neglected = Neglected(store, keepers)

        def promoted() -> None:
            transfers.take_up(store.open_transfers())
            sweep()
            epoch = succession.epoch
            told = f"this node leads the bank, in epoch {epoch}"
            self.events.tell("NodePromoted", told, "warning", epoch=epoch)

        transfers.start(store.open_transfers() if office.leads else ())
        if office.leads:
            sweep()
        succession.promoted = promoted

    def _let_operators_in(self, parts: Parts) -> None:
        self._entrance = Entrance(
            self._effective,
            self._settings_file,
            parts,
            self.events,
            self._request_stop,
            self._settings_changed,
        )
        self.operator_address = self._entrance.start()

    def _settings_changed(self, settings: Settings) -> None:
        self.settings = settings
        self._caps.adopt(settings.transfers.debit_cap, settings.transfers.debit_caps)
        self._faults.adopt(settings)

    def _succession(self, office: Office, identity: Identity) -> Succession:
        assert self._store is not None
        assert self._writer is not None
        wait_for = self.settings.replication.wait_for
        # Just before the clients are told by their own deadline.
        patience_s = self.settings.network.timeout * _SHARE_FOR_FOLLOWERS
        return Succession(
            self._store,
            self._writer,
            office,
            identity,
            own_code(self.settings),
            Quorum(wait_for, patience_s, CLOCK.monotonic_ns) if wait_for else None,
            lambda: secrets.randbits(62) + 1,
            CLOCK,
        )

    def stop(self) -> None:
        """Answers what was accepted, makes it durable, and lets go of everything."""
        if self._entrance:
            self._entrance.stop(self.settings.network.timeout)
        if self._newsroom:
            self._newsroom.hush()
        if self._attendant:
            self._attendant.stop()
        if self.succession:
            self.succession.hush()
        if self._server:
            self._server.stop(self.settings.network.timeout)
        if self.transfers:
            self.transfers.stop()
        if self.banks:
            self.banks.stop(self.settings.network.timeout)
        if self.succession:
            self.succession.stop()
        has_ended = self._writer is None or self._writer.stop(self.settings.network.timeout)
        if not has_ended:
            _log.error("the disk does not return, stopping without it")
        elif self._store:
            self._store.close()
        if self._traffic:
            self._traffic.close()
        if self._newsroom:
            self._newsroom.stop()
        for workers in filter(None, (self._workers, self._pin_workers)):
            workers.close()
        self._workers = self._pin_workers = self._entrance = self._newsroom = None
        self.banks = self.transfers = self.succession = None
        self._server = self._writer = self._store = self._traffic = None

    def _attend(self, counter: Counter, identity: Identity, office: Office) -> None:
        assert self._store is not None
        assert self._writer is not None
        own = own_code(self.settings)
        inquiries = Inquiries(self._writer, counter, identity, own)
        correspondence = Correspondence(self._writer, counter, identity, own)
        self._attendant = Attendant(
            self._store, self._writer, counter, own, lambda: office.leads, inquiries,
            correspondence, self._neglected,
        )  # fmt: skip
        self._attendant.start()

    def _papers_heard(self, notes: Sequence[Note]) -> None:
        if notes and self._attendant:
            self._attendant.heard(notes)

    def _counter(self, identity: Identity, around: Around) -> Counter:
        assert self._writer is not None
        self._pin_workers = Workers(pin_threads(), self.settings.limits.requests_queued)
        assert self._newsroom
        assert self._flow
        return open_counter(
            self.settings,
            identity,
            self._writer,
            self._pin_workers,
            around,
            self._newsroom,
            self._flow,
        )

    def _bank(self, network: Network, store: Store, identity: Identity, counter: Counter) -> Bank:
        code, succession = own_code(self.settings), self.succession
        assert succession is not None
        assert self.transfers
        return Bank(
            code=code,
            name=NAME,
            version=__version__,
            extensions=self.settings.protocol.extensions,
            catalogue=Catalogue(self.settings.language),
            draw=Chance(),
            network=network,
            identity=identity,
            log=Log(store, code, identity, CLOCK.now_us, lambda: succession.epoch),
            journal=store,
            transfers=self._faults.counter(self.transfers),
            following=succession,
            clock=CLOCK,
            timeout_s=self.settings.network.timeout,
            counter=counter,
            objective=self.settings.robbery.objective,
        )

    def _limits(self) -> Limits:
        network, limits = self.settings.network, self.settings.limits
        return Limits(
            timeout_s=network.timeout,
            client_time_out_s=network.client_time_out,
            line_time_out_s=network.line_time_out,
            requests_in_flight=limits.requests_in_flight,
            write_buffer_bytes=limits.write_buffer_bytes,
            connections_max=network.connections_max,
        )

    def _open_traffic(self) -> Traffic:
        try:
            return Traffic(self._open_traffic_log, is_on=self.settings.log.traffic)
        except OSError as error:
            raise StartupError(f"the traffic log cannot be written: {error}") from None

    def _open_traffic_log(self) -> TrafficLog:
        log = self.settings.log
        return TrafficLog(
            log_folder(self.settings) / "traffic.log",
            as_json=log.format == "json",
            file_bytes=log.file_bytes,
            files_kept=log.files_kept,
            lost=self._traffic_lost,
        )

    def _traffic_lost(self, lines: int) -> None:
        self.metrics.traffic_lines_lost += lines

    def _connections_changed(self, count: int) -> None:
        if count > self.metrics.connections:
            self.metrics.connections_accepted += 1
        self.metrics.connections = count

    def _connection_refused(self) -> None:
        self.metrics.connections_refused += 1

    def _connection_dropped(self) -> None:
        self.metrics.connections_dropped += 1
