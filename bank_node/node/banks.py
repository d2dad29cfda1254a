"""The banks around, put together: the network thread, the proxies, and this bank's own figures."""

import logging
from collections.abc import Callable
from pathlib import Path

from bank_node.config import KEYS_FILE, PEERS_FILE, Settings, data_folder
from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import ReadClients, ReadTotal
from bank_node.ledger.proofs import SignedHead
from bank_node.ledger.writer import Writer
from bank_node.network.client import Answer, Endpoint
from bank_node.network.neighbourhood import Neighbourhood, Outside
from bank_node.network.peers import Peer, PeerFound, PeerLost
from bank_node.network.proxy import Proxy, ProxyLimits
from bank_node.network.reach import Reach, parse_static_peer
from bank_node.network.scanner import Event, ScanEnded, ScanLimits, ScanProgressed, ScanStarted
from bank_node.node.machine import CLOCK, files_allowed
from bank_node.node.watch import Watch
from bank_node.security.keyring import Keyring
from bank_node.service.calls import BankFigures, Survey
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic_lines import Record
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

# Looking for a bank that has said that it is there; nobody waits for it.
_NOTICED_S = 5.0
# A scan of a /24 has eleven sockets for each of 254 addresses; clients come first, though.
_SCAN_SOCKETS_MAX = 4096


class Banks:
    """Everything that this node knows of other banks, and does with them."""

    def __init__(
        self,
        settings: Settings,
        ledger: Writer,
        metrics: Metrics,
        log: Callable[[list[Record]], None] | None,
        heard: Callable[[Event], None],
    ) -> None:
        """`heard` is told of everything that happens around, on the network thread."""
        self._heard = heard
        self.own = own_code(settings)
        self._ledger = ledger
        self._metrics = metrics
        self._log = log
        self._limits = scan_limits_of(settings)
        self._proxy_limits = ProxyLimits(settings.network.timeout)
        self.neighbourhood = Neighbourhood(
            self.own,
            reach_of(settings),
            self._limits,
            Outside(CLOCK, self._tell, log, _peers_file(settings)),
        )
        folder = data_folder(settings)
        self.keyring = Keyring(folder / KEYS_FILE)
        self.watch = Watch(self, self.keyring, folder, settings.network.witness_every, CLOCK.now_us)

    def start(self) -> None:
        """Begins to look around."""
        self.neighbourhood.start()
        self.watch.start()

    def stop(self, deadline_s: float) -> None:
        """Asks nobody any more."""
        self.watch.stop()
        self.neighbourhood.stop(deadline_s)

    def adopt(self, settings: Settings) -> None:
        """Goes on with changed settings of the network."""
        reach, limits = reach_of(settings), scan_limits_of(settings)
        around = self.neighbourhood
        before = (around.reach.named(), around.reach.peers, self._limits)
        if (reach.named(), reach.peers, limits) != before:
            self._limits = limits
            around.adopt(reach, limits)

    def proxy(self) -> Proxy:
        """What carries requests on for the I/O thread that calls this."""
        return Proxy(self.own, self.neighbourhood, self._proxy_limits, self._log)

    def survey(self, within_s: float, trace: int) -> Survey:
        """The figures of the whole network, this bank's own first. Raises Refused."""
        amount, clients = self._ledger.call(ReadTotal()), self._ledger.call(ReadClients())
        for result in (amount, clients):
            if isinstance(result, Reason):
                raise Refused(result)
        assert isinstance(amount, int)
        assert isinstance(clients, int)
        around = self.neighbourhood.survey(within_s, trace)
        return Survey(
            (
                BankFigures(self.own, amount, clients),
                *(BankFigures(*figures) for figures in around.banks),
            ),
            around.left_out,
        )

    def witnessed(self, bank: BankCode) -> SignedHead | None:
        """The latest head of another bank's ledger that was proven to this one."""
        return self.watch.head_of(bank)

    def peers(self) -> tuple[Peer, ...]:
        """The banks that answer."""
        return self.neighbourhood.directory.banks()

    def ask(self, endpoint: Endpoint, line: str, within_s: float) -> Answer | None:
        """Asks a bank anything; blocks."""
        return self.neighbourhood.ask(endpoint, line, within_s, 0)

    def noticed(self, bank: BankCode) -> None:
        """A bank has said where it is; whether that is true it has to show when it is asked."""
        around = self.neighbourhood
        if around.reach.allows(bank) and around.directory.verified(bank) is None:
            around.find(bank, _NOTICED_S, lambda peer: None)

    def _tell(self, event: Event) -> None:
        """Counts and logs what happens around; called on the network thread."""
        self._heard(event)
        metrics = self._metrics
        if isinstance(event, PeerFound):
            metrics.peers_found += 1
            _log.info("found the bank %s on port %s", event.peer.code, event.peer.port)
        elif isinstance(event, PeerLost):
            metrics.peers_lost += 1
            _log.warning("lost the bank %s: %s", event.peer.code, event.peer.last_error)
        elif isinstance(event, ScanStarted):
            _log.debug("a scan of %d addresses begins", event.addresses)
        elif isinstance(event, ScanEnded):
            metrics.scans += 1
            _log.debug("a scan has ended after %.1f s, banks: %d", event.seconds, event.found)
        else:
            assert isinstance(event, ScanProgressed)


def own_code(settings: Settings) -> BankCode:
    """The code of the bank that a node with these settings answers for."""
    return BankCode(settings.network.code or settings.network.host)


def reach_of(settings: Settings) -> Reach:
    """The addresses that a node with these settings may dial."""
    network = settings.network
    return Reach(
        own_code(settings),
        network.subnets,
        [parse_static_peer(peer) for peer in network.peers],
        addresses_max=network.scan_addresses_max,
    )


def scan_limits_of(settings: Settings) -> ScanLimits:
    """How hard a node with these settings looks around."""
    network = settings.network
    return ScanLimits(
        network.scan_processes,
        network.scan_time_out,
        network.scan_every,
        network.scan_rate,
        min(_SCAN_SOCKETS_MAX, files_allowed() // 4),
    )


def _peers_file(settings: Settings) -> Path:
    return data_folder(settings) / PEERS_FILE
