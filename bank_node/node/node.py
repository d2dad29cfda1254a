"""A node: builds the rooms, recovers, starts and stops them in order."""

import logging
import secrets

from bank_node import __version__
from bank_node.config import Settings, log_folder
from bank_node.errors import StartupError
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.network.connection import Limits
from bank_node.network.server import Presence, Server
from bank_node.node.machine import (
    CLOCK,
    raise_file_limit,
    share_the_interpreter,
    spare_the_collector,
)
from bank_node.node.stores import open_store
from bank_node.protocol.messages import Catalogue
from bank_node.service.dispatch import Gate
from bank_node.service.handlers import Bank
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic import TrafficLog
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

NAME = "p2p-bank-node"

# Files beside the clients' sockets: the ledger, logs, loops, and some air.
_FILES_BESIDE = 256


class Node:
    """A bank: its ledger, its gate and its server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._store: Store | None = None
        self._writer: Writer | None = None
        self._server: Server | None = None
        self._traffic: TrafficLog | None = None

    def start(self) -> tuple[str, int]:
        """Recovers the ledger and accepts clients; returns the address. Raises BankError."""
        share_the_interpreter()
        raise_file_limit(self.settings.network.connections_max + _FILES_BESIDE)
        try:
            address = self._start()
            spare_the_collector()
            return address
        except BaseException:
            self.stop()
            raise

    def _start(self) -> tuple[str, int]:
        settings = self.settings
        self._store = open_store(settings)
        self._writer = Writer(self._store, self.metrics, CLOCK, settings.limits.batch_operations)
        self._writer.start()
        self._traffic = self._open_traffic_log()
        gate = Gate(
            self._bank(),
            self._writer,
            self.metrics,
            CLOCK,
            self._traffic.extend if self._traffic else None,
            settings.limits.requests_queued,
        )
        self._server = Server(
            settings.network.host,
            settings.network.port,
            self._limits(),
            settings.network.io_threads,
            gate.desk,
            CLOCK.monotonic_ns,
            Presence(self._connections_changed, self._connection_refused),
        )
        return self._server.start()

    def stop(self) -> None:
        """Answers what was accepted, makes it durable, and lets go of everything."""
        if self._server:
            self._server.stop(self.settings.network.timeout)
        has_ended = self._writer is None or self._writer.stop(self.settings.network.timeout)
        if not has_ended:
            _log.error("the disk does not return, stopping without it")
        elif self._store:
            self._store.close()
        if self._traffic:
            self._traffic.close()
        self._server = self._writer = self._store = self._traffic = None

    def _bank(self) -> Bank:
        return Bank(
            code=BankCode(self.settings.network.host),
            name=NAME,
            version=__version__,
            extensions=self.settings.protocol.extensions,
            catalogue=Catalogue(self.settings.language),
            draw=lambda: secrets.randbits(64),
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

    def _open_traffic_log(self) -> TrafficLog | None:
        log = self.settings.log
        if not log.traffic:
            return None
        try:
            return TrafficLog(
                log_folder(self.settings) / "traffic.log",
                as_json=log.format == "json",
                file_bytes=log.file_bytes,
                files_kept=log.files_kept,
                lost=self._traffic_lost,
            )
        except OSError as error:
            raise StartupError(f"the traffic log cannot be written: {error}") from None

    def _traffic_lost(self, lines: int) -> None:
        self.metrics.traffic_lines_lost += lines

    def _connections_changed(self, count: int) -> None:
        if count > self.metrics.connections:
            self.metrics.connections_accepted += 1
        self.metrics.connections = count

    def _connection_refused(self) -> None:
        self.metrics.connections_refused += 1
