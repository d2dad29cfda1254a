"""A node: builds the rooms, recovers, starts and stops them in order."""

import itertools
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from bank_node import __version__
from bank_node.banking.payments.again import recollection
from bank_node.banking.transfers.caps import Caps
from bank_node.banking.transfers.chronicle import Chronicle
from bank_node.config import DEFAULT_FILE, Effective, Settings, log_folder
from bank_node.errors import StartupError
from bank_node.ledger.log import Log
from bank_node.ledger.office import Office
from bank_node.ledger.quorum import Quorum
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.network.connection import Limits
from bank_node.network.server import Presence, Server
from bank_node.node.acquaintance import Acquaintance
from bank_node.node.around import Ears
from bank_node.node.banks import Banks, own_code
from bank_node.node.clerk import Concluding
from bank_node.node.faults import Faults
from bank_node.node.machine import CLOCK, Chance, raise_file_limit
from bank_node.node.operator import Entrance, Parts
from bank_node.node.payment_rules import expecting, handle_of
from bank_node.node.payments import Payments
from bank_node.node.place import identity_of, open_office, take_place
from bank_node.node.post_office import WhileLeading
from bank_node.node.providers import Providers
from bank_node.node.stores import open_store
from bank_node.node.succession import Succession
from bank_node.node.transfers import Transfers
from bank_node.protocol.messages import Catalogue
from bank_node.security.identity import Identity
from bank_node.service.calls import Bank
from bank_node.service.counter import Counter
from bank_node.service.gate import Gate
from bank_node.service.reminders import Reminders
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
        self.payments: Payments | None = None
        self.banks: Banks | None = None
        self.transfers: Transfers | None = None
        self.succession: Succession | None = None
        self._reminders: Reminders | None = None

    def start(self) -> tuple[str, int]:
        """Recovers the ledger and accepts clients; returns the address. Raises BankError."""
        raise_file_limit(self.settings.network.connections_max + _FILES_BESIDE)
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> tuple[str, int]:
        self._faults = Faults(self.settings)
        self._store = store = open_store(self.settings)
        identity, office = identity_of(self.settings), open_office(self.settings)
        self.settings = settings = take_place(self.settings, office)
        self._writer = writer = Writer(
            store,
            self.metrics,
            CLOCK,
            settings.limits.batch_operations,
            patience_s=settings.network.timeout / 2,
        )
        self.succession = succession = self._succession(store, writer, office, identity)
        succession.prepare()
        self.payments = payments = Payments(store, writer, lambda: office.leads)
        writer.tell(payments.heard)
        writer.start()
        self._traffic = traffic = self._open_traffic()
        self.banks = banks = Banks(settings, writer, self.metrics, traffic.extend, self._ears.heard)
        banks.watch.concerns(own_code(settings), identity.key, succession.seen)
        banks.start()
        acquaintance = Acquaintance(
            banks.neighbourhood, banks.keyring, CLOCK.now_us, settings.payments.currency
        )
        self.transfers = transfers = self._open_transfers(
            writer, banks, identity, acquaintance, lambda: office.leads
        )
        self._reminders = reminders = Reminders(
            store, transfers, lambda: office.leads, self.events, CLOCK
        )
        banks.watch.found = self._chronicle.seems_lost = reminders.noticed
        self._take_up(store, office, succession, transfers, payments)
        self._workers = Workers(_WORKERS, _WORK_WAITING_MAX)
        providers = Providers(
            banks.own, handle_of(settings), banks.neighbourhood.directory, acquaintance,
            transfers, self._caps.of, CLOCK,
        )  # fmt: skip
        counter = payments.open(settings, identity, providers, transfers, self._workers)
        gate = Gate(
            self._bank(store, identity, banks, succession, transfers, counter),
            writer,
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
        address = self._serve(gate, banks, presence)
        succession.start("{}:{}".format(*address))
        if settings.operator.enabled:
            parts = Parts(
                gate, presence, store, writer, self.metrics, traffic,
                banks, self._ears, address, self._caps, self._chronicle, reminders,
            )  # fmt: skip
            self._let_operators_in(parts)
        return address

    def _serve(self, gate: Gate, banks: Banks, presence: Presence) -> tuple[str, int]:
        """Accepts clients; the address on which it does."""
        network = self.settings.network
        self._server = Server(
            network.host,
            network.port,
            self._limits(),
            network.io_threads,
            lambda run_soon: gate.desk(run_soon, banks.proxy()),
            CLOCK.monotonic_ns,
            presence,
        )
        return self._server.start()

    def _open_transfers(
        self, writer: Writer, banks: Banks, identity: Identity, acquaintance: Acquaintance,
        leads: Callable[[], bool],
    ) -> Transfers:  # fmt: skip
        """What carries money to other banks."""
        return Transfers(
            banks.own,
            identity,
            self._faults.ledger(Concluding(writer)),
            acquaintance,
            lambda: WhileLeading(self._faults.post(banks.proxy()), leads),
            self._caps.of,
            self._chronicle,
            expecting(self.settings),
            recollection(self.settings.payments.currency),
        )

    def _take_up(
        self, store: Store, office: Office, succession: Succession, transfers: Transfers,
        payments: Payments,
    ) -> None:  # fmt: skip
        """What is open belongs to whoever leads the bank, from the moment on when it does."""

        def promoted() -> None:
            transfers.take_up(store.open_transfers())
            payments.take_up()
            epoch = succession.epoch
            told = f"this node leads the bank, in epoch {epoch}"
            self.events.tell("NodePromoted", told, "warning", epoch=epoch)

        transfers.start(store.open_transfers() if office.leads else ())
        if office.leads:
            payments.take_up()
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

    def _succession(
        self, store: Store, writer: Writer, office: Office, identity: Identity
    ) -> Succession:
        wait_for = self.settings.replication.wait_for
        # Just before the clients are told by their own deadline.
        patience_s = self.settings.network.timeout * _SHARE_FOR_FOLLOWERS
        return Succession(
            store,
            writer,
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
        if self.payments:
            self.payments.hush()
        if self.succession:
            self.succession.hush()
        if self._server:
            self._server.stop(self.settings.network.timeout)
        if self._reminders:
            self._reminders.stop(self.settings.network.timeout)
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
        if self.payments:
            self.payments.stop()
        if self._workers:
            self._workers.close()
        self._workers = self._entrance = self.payments = self._reminders = None
        self.banks = self.transfers = self.succession = None
        self._server = self._writer = self._store = self._traffic = None

    def _bank(
        self, store: Store, identity: Identity, banks: Banks, succession: Succession,
        transfers: Transfers, counter: Counter,
    ) -> Bank:  # fmt: skip
        code = own_code(self.settings)
        return Bank(
            code=code,
            name=NAME,
            version=__version__,
            extensions=self.settings.protocol.extensions,
            catalogue=Catalogue(self.settings.language),
            draw=Chance(),
            network=banks,
            identity=identity,
            log=Log(store, code, identity, CLOCK.now_us, lambda: succession.epoch),
            journal=store,
            transfers=self._faults.counter(transfers),
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
