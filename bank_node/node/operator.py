"""The operator's entrance of a node: its office, its gate, and the port it listens on."""

import logging
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from bank_node.banking.transfers.caps import Caps
from bank_node.banking.transfers.chronicle import Chronicle
from bank_node.config import (
    DEFAULT_ORIGIN,
    EXPORT_FOLDER,
    OPERATOR_ADDRESS_FILE,
    OPERATOR_TOKEN_FILE,
    Effective,
    Settings,
    data_folder,
)
from bank_node.errors import Reason, Refused, StartupError
from bank_node.ledger.listing import Listing
from bank_node.ledger.store import Store
from bank_node.ledger.writer import Writer
from bank_node.network.connection import Limits
from bank_node.network.reach import is_loopback
from bank_node.network.server import Presence, Server
from bank_node.node.around import Around, Ears
from bank_node.node.banks import Banks
from bank_node.node.faults import describe
from bank_node.node.machine import CLOCK, disk_free, usage
from bank_node.protocol.commands import Audience, Effect
from bank_node.protocol.messages import Catalogue
from bank_node.protocol.operator import WAIT_MAX_S
from bank_node.security.attempts import Attempts
from bank_node.security.tokens import TOKEN_BYTES, obtain_token
from bank_node.service.calls import Bank
from bank_node.service.export import Export
from bank_node.service.gate import Gate
from bank_node.service.jobs import Job
from bank_node.service.live import LiveSettings
from bank_node.service.office import Office, OwnFigures, Usage, Warning
from bank_node.service.operator_desk import OperatorDesk, public_only
from bank_node.service.reminders import Reminders
from bank_node.service.verification import Verification
from bank_node.service.waiting import Waits
from bank_node.service.workers import Workers
from bank_node.telemetry.events import Events
from bank_node.telemetry.logs import LogTail
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic import Traffic
from bank_node.telemetry.traffic_lines import Answered

_log = logging.getLogger(__name__)

CONNECTIONS_MAX = 128
_IN_FLIGHT = 64
_WAITS_MAX = 1024
# Pages of accounts and journal; more at once would only share the same interpreter.
_WORKERS = 2
_WORK_WAITING_MAX = 256
_REQUESTS_QUEUED = 10_000
# Nobody waits longer than this beyond the longest wait for news.
_SLACK_S = 10.0
_JOB_END_S = 2.0
_DISK_LEFT_MIN = 256 * 2**20
_UNCAPPED = (
    "any bank of the network may come to owe this one any sum; transfers.debit_cap bounds that, "
    "and set to the largest number it says that this is meant"
)


class Parts(NamedTuple):
    """What the entrance needs of the node that it belongs to."""

    gate: Gate
    presence: Presence
    store: Store
    writer: Writer
    metrics: Metrics
    traffic: Traffic
    banks: Banks
    ears: Ears
    address: tuple[str, int]
    """Where clients connect."""
    caps: Caps
    chronicle: Chronicle
    reminders: Reminders


class Entrance:
    """See the module."""

    def __init__(
        self,
        effective: Effective,
        settings_file: Path,
        parts: Parts,
        events: Events,
        request_stop: Callable[[], object] | None,
        changed: Callable[[Settings], object],
    ) -> None:
        """`request_stop` begins the end of the node; `changed` hears of new settings.

        Raises StartupError.
        """
        settings = effective.settings
        self._settings = settings
        self._is_default_port = effective.origins["operator.port"] == DEFAULT_ORIGIN
        self._data = data_folder(settings)
        self._started_us = CLOCK.now_us()
        token = obtain_token(
            self._data / OPERATOR_TOKEN_FILE, lambda: secrets.token_urlsafe(TOKEN_BYTES)
        )
        self._parts = parts
        self._events = events
        self._request_stop = request_stop
        self._changed = changed
        self._state = "serving"
        self._log_tail = LogTail()
        self._waits = Waits(_WAITS_MAX, CLOCK.monotonic_ns)
        self._workers = Workers(_WORKERS, _WORK_WAITING_MAX)
        store = parts.store
        export = self._data / EXPORT_FOLDER
        self._verification = Verification(store, _job("verification"), events)
        self._export = Export(store, export, _job("export"), events, CLOCK.now_us)
        office = Office(
            token=token,
            attempts=Attempts(),
            metrics=parts.metrics,
            usage=lambda: Usage(*usage()),
            store=store,
            listing=Listing(store, CLOCK.monotonic_ns),
            events=events,
            log_lines=self._log_tail.ring,
            traffic=parts.traffic.ring,
            waits=self._waits,
            settings=LiveSettings(effective, settings_file, self._apply, events),
            verification=self._verification,
            export=self._export,
            control=self,
            address=parts.address,
            started_us=self._started_us,
            data=str(self._data),
            pid=os.getpid(),
            around=Around(parts.banks, parts.ears, CLOCK, self._own_figures),
            stages=parts.chronicle.stages,
            keyring=parts.banks.keyring,
            cap_of=parts.caps.of,
            reminders=parts.reminders,
        )
        self._office = office
        self._strangers = self._new_gate(Audience.STRANGER)
        self._operators = self._new_gate(Audience.OPERATOR)
        self._refuse_what_is_closed(settings)
        self._server = self._new_server(settings.operator.port)

    def start(self) -> tuple[str, int]:
        """Lets operators in; returns the address. Raises StartupError.

        A port that is taken, by another bank of this machine perhaps, is no reason not to serve:
        any free one does, and the data folder tells which.
        """
        try:
            address = self._server.start()
        except StartupError as error:
            self._server = self._new_server(0)
            address = self._server.start()
            level = logging.INFO if self._is_default_port else logging.WARNING
            _log.log(level, "%s; operators connect to %s:%d instead", error, *address)
        with suppress(OSError):
            (self._data / OPERATOR_ADDRESS_FILE).write_text(
                "{}:{}\n".format(*address), encoding="ascii"
            )
        logging.getLogger().addHandler(self._log_tail)
        if self._is_uncapped:
            _log.warning(_UNCAPPED)
        self._events.tell(
            "NodeStarted", "{}:{} serves".format(*self._parts.address), address=address[0],
            port=address[1],
        )  # fmt: skip
        return address

    def stop(self, deadline_s: float) -> None:
        """Answers everybody, ends what runs in the background, and closes the port."""
        self._state = "stopping"
        self._events.tell("NodeStopping", "the node is stopping")
        self._waits.close()
        self._verification.job.cancel()
        self._export.job.cancel()
        self._server.stop(deadline_s)
        self._verification.job.join(_JOB_END_S)
        self._export.job.join(_JOB_END_S)
        self._workers.close()
        logging.getLogger().removeHandler(self._log_tail)
        with suppress(OSError):
            (self._data / OPERATOR_ADDRESS_FILE).unlink()

    @property
    def state(self) -> str:
        if self._state == "serving" and self._parts.writer.failure is not None:
            return "read_only"
        return self._state

    def drain(self) -> None:
        self._let_work_in(False)
        self._events.tell("DrainStarted", "no new connections, no changes of the ledger", "warning")

    def resume(self) -> None:
        self._let_work_in(True)
        self._events.tell("DrainEnded", "work is taken again")

    def stop_node(self) -> None:
        if self._request_stop is None:
            raise Refused(Reason.NOT_HERE, why="it is embedded in another program")
        self._state = "stopping"
        self._request_stop()

    def warnings(self) -> Iterable[Warning]:
        """What is not as it should be."""
        parts, metrics = self._parts, self._parts.metrics
        if parts.writer.failure is not None:
            yield Warning("writes_refused", "the storage has failed; a restart reads it back")
        elif metrics.store_errors:
            yield Warning("store_errors", f"{metrics.store_errors} batches were not booked")
        with suppress(OSError):
            free = disk_free(self._data)
            if free < _DISK_LEFT_MIN:
                yield Warning("disk_nearly_full", f"{free >> 20} MiB are left")
        if metrics.traffic_lines_lost:
            yield Warning("log_lines_lost", f"{metrics.traffic_lines_lost} lines of traffic")
        if self._settings.faults.enabled:
            yield Warning("faults_on", f"this bank errs on purpose: {describe(self._settings)}")
        flights = parts.gate.bank.transfers.flights()
        in_doubt = sum(each.is_in_doubt for each in flights)
        if in_doubt:
            yield Warning("transfers_in_doubt", f"{in_doubt} transfers whose outcome is unknown")
        refused = sum(each.is_decided and bool(each.trouble) for each in flights)
        if refused:
            text = f"{refused} transfers are paid, and the other bank does not take the money"
            yield Warning("transfers_not_taken", text)
        unheard = sum(each.unheard is not None for each in flights)
        if unheard:
            text = f"{unheard} transfers wait for banks that refuse messages, or do not sign theirs"
            yield Warning("messages_refused", text)
        changed = len(parts.banks.keyring.changed())
        if changed:
            yield Warning("keys_changed", f"{changed} banks show another key than the pinned one")
        silent = self._office.around.counts().get("silent", 0)
        if silent:
            yield Warning("peers_silent", f"{silent} banks that were there do not answer")
        problem = self._verification.verdict.problem
        if problem:
            yield Warning("verification_failed", problem.text)
        if self._is_uncapped:
            yield Warning("no_debit_cap", _UNCAPPED)
        if not self._settings.operator.host.startswith("127."):
            yield Warning(
                "operator_exposed",
                f"operators connect to {self._settings.operator.host}, and the token is not "
                "encrypted on its way",
            )

    @property
    def _is_uncapped(self) -> bool:
        """Whether banks of other machines may owe this one any sum, and nobody has chosen that."""
        is_open = not is_loopback(self._settings.network.host)
        return is_open and self._office.settings.is_default("transfers.debit_cap")

    def _let_work_in(self, is_let_in: bool) -> None:
        self._state = "serving" if is_let_in else "draining"
        self._parts.presence.is_draining = not is_let_in
        self._refuse_what_is_closed(self._office.settings.settings)

    def _refuse_what_is_closed(self, settings: Settings) -> None:
        """Tells the gates which commands are not carried out at the moment."""
        closed = {Effect.WRITES: Reason.DRAINING} if self._state == "draining" else {}
        self._parts.gate.refuse(closed)
        if settings.operator.read_only:
            closed = {Effect.WRITES: Reason.READ_ONLY, Effect.CONTROLS: Reason.READ_ONLY}
        self._operators.refuse(closed)

    def _apply(self, settings: Settings) -> None:
        """Hands changed settings to everybody whom they concern."""
        logging.getLogger().setLevel(settings.log.level.upper())
        self._parts.traffic.switch(settings.log.traffic)
        self._parts.gate.adopt(
            replace(
                self._parts.gate.bank,
                catalogue=Catalogue(settings.language),
                objective=settings.robbery.objective,
            ),
            self._parts.traffic.log,
        )
        for gate in (self._strangers, self._operators):
            gate.adopt(self._bank(gate.bank.audience), self._log())
        self._refuse_what_is_closed(settings)
        self._parts.banks.adopt(settings)
        self._changed(settings)

    def _bank(self, audience: Audience) -> Bank:
        """The bank as the public knows it, with the rows of an audience and the office."""
        bank = self._parts.gate.bank
        if audience is Audience.STRANGER:
            words = Catalogue(bank.catalogue.language, {Reason.UNKNOWN_COMMAND: Reason.TOKEN_FIRST})
            bank = replace(bank, catalogue=words)
        return replace(bank, audience=audience, extensions=True, office=self._office)

    def _log(self) -> Callable[[Sequence[Answered]], None] | None:
        log = self._parts.traffic.log
        return public_only(log) if log else None

    def _new_gate(self, audience: Audience) -> Gate:
        return Gate(
            self._bank(audience),
            self._parts.gate.ledger,
            self._parts.metrics,
            CLOCK,
            self._log(),
            _REQUESTS_QUEUED,
            self._workers,
            self._parts.gate.new_trace,
        )

    def _desk(self, run_soon: Callable[..., object]) -> OperatorDesk:
        elsewhere = self._parts.banks.proxy()
        return OperatorDesk(
            self._strangers.desk(run_soon, elsewhere), self._operators.desk(run_soon, elsewhere)
        )

    def _own_figures(self) -> OwnFigures:
        """This bank among the others."""
        bank = self._parts.gate.bank
        page = self._office.listing.page(count=0)
        return OwnFigures(
            code=bank.code,
            port=self._parts.address[1],
            name=bank.name,
            version=bank.version,
            capabilities=bank.capabilities,
            started_us=self._started_us,
            amount=page.sum_matching,
            clients=page.total,
        )

    def _new_server(self, port: int) -> Server:
        network, limits = self._settings.network, self._settings.limits
        return Server(
            self._settings.operator.host,
            port,
            Limits(
                timeout_s=WAIT_MAX_S + _SLACK_S,
                client_time_out_s=network.client_time_out,
                line_time_out_s=network.line_time_out,
                requests_in_flight=_IN_FLIGHT,
                write_buffer_bytes=limits.write_buffer_bytes,
                connections_max=CONNECTIONS_MAX,
            ),
            1,
            self._desk,
            CLOCK.monotonic_ns,
            Presence(self._operators_changed, self._operator_refused, self._operator_dropped),
            name="operator-io",
        )

    def _operators_changed(self, count: int) -> None:
        self._parts.metrics.operators = count

    def _operator_refused(self) -> None:
        self._events.tell("OperatorRefused", "too many operators are connected", "warning")

    def _operator_dropped(self) -> None:
        self._events.tell("OperatorDropped", "an operator's tool did not read", "warning")


def _job(name: str) -> Job:
    return Job(name, CLOCK.monotonic_ns)
