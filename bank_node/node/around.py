"""The banks around as the operator sees and directs them: rows, scans, questions."""

from collections.abc import Callable

from msgspec import Struct

from bank_node.errors import Reason, Refused
from bank_node.network.client import Endpoint
from bank_node.network.peers import Peer, PeerFound, PeerLost
from bank_node.network.reach import Reach
from bank_node.network.scanner import Event, ScanEnded, ScanProgressed, ScanStarted
from bank_node.node.banks import Banks
from bank_node.service.office import OwnFigures, PeerAnswer, PeerRow, ScanRow
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.events import Events
from bank_node.values import BANK_PORTS, BankCode

# States of addresses that a map can show; an operator's screen has no room for more.
_CELLS_MAX = 4096


class _Scan(Struct):
    """The scan that runs, or the last one. Written by the network thread only."""

    total: int = 0
    done: int = 0
    found: int = 0
    started_us: int = 0
    ended_us: int = 0
    seconds: float = 0.0


class Ears:
    """Listens to what happens around, for the operator: events, and how far a scan is."""

    def __init__(self, events: Events, now_us: Callable[[], int]) -> None:
        self._events = events
        self._now_us = now_us
        self.scan = _Scan()

    def heard(self, event: Event) -> None:
        """Takes note of an event; called on the network thread."""
        tell = self._events.tell
        if isinstance(event, ScanProgressed):
            self.scan.done, self.scan.total, self.scan.found = event
        elif isinstance(event, ScanStarted):
            self.scan = _Scan(event.addresses, started_us=self._now_us())
        elif isinstance(event, ScanEnded):
            scan = self.scan
            scan.found, scan.seconds, scan.ended_us = event.found, event.seconds, self._now_us()
            how = "was ended" if event.cancelled else "has ended"
            tell("ScanEnded", f"a scan {how}, banks: {event.found}", found=event.found,
                 seconds=round(event.seconds, 3))  # fmt: skip
        elif isinstance(event, PeerFound):
            peer = event.peer
            tell("PeerFound", f"the bank {peer.code} answers", address=peer.code, port=peer.port)
        elif isinstance(event, PeerLost):
            peer = event.peer
            tell("PeerLost", f"the bank {peer.code} is silent: {peer.last_error}", "warning",
                 address=peer.code)  # fmt: skip


class Around:
    """What the office knows of other banks; see `service/office.py`."""

    def __init__(
        self,
        banks: Banks,
        ears: Ears,
        clock: Clock,
        own: Callable[[], OwnFigures],
    ) -> None:
        """`own` tells what this bank is and holds."""
        self._banks = banks
        self._ears = ears
        self._clock = clock
        self._own = own

    @property
    def _reach(self) -> Reach:
        return self._banks.neighbourhood.reach

    def peers(self) -> list[PeerRow]:
        """Every bank that is known, this one first."""
        own, now_us = self._own(), self._clock.now_us()
        first = PeerRow(
            code=own.code,
            port=own.port,
            state="verified",
            name=own.name,
            version=own.version,
            capabilities=own.capabilities,
            amount=own.amount,
            amount_at_us=now_us,
            clients=own.clients,
            clients_at_us=now_us,
            since_us=own.started_us,
            own=True,
        )
        rows = self._banks.neighbourhood.directory.snapshot()
        return [first, *(self._row(peer) for peer in sorted(rows, key=_place))]

    def reach(self) -> tuple[str, ...]:
        """The subnets that may be dialled, and the static peers outside of them."""
        return self._reach.named()

    def counts(self) -> dict[str, int]:
        """How many banks are in which state."""
        counts = dict.fromkeys(("verified", "silent", "known"), 0)
        for peer in self._banks.neighbourhood.directory.snapshot():
            counts[peer.state.value] = counts.get(peer.state.value, 0) + 1
        return counts

    def row(self, bank: BankCode) -> PeerRow | None:
        """What is known of one bank."""
        peer = self._banks.neighbourhood.directory.get(bank)
        return self._row(peer) if peer else None

    def forget(self, bank: BankCode) -> None:
        """Drops what is known of a bank; one that still lives is found again."""
        self._banks.neighbourhood.forget(bank)

    def look_again(self, bank: BankCode, within_s: float, trace: int) -> PeerRow | None:
        """Asks a bank for its code and its figures; blocks. Raises Refused(OUT_OF_REACH)."""
        self._check(bank)
        peer = self._banks.neighbourhood.look_again(bank, within_s, trace)
        return self._row(peer) if peer else None

    def call(
        self, bank: BankCode, port: int | None, line: str, within_s: float, trace: int
    ) -> PeerAnswer:
        """Asks a bank anything; blocks. Raises Refused(OUT_OF_REACH)."""
        self._check(bank)
        known = self._banks.neighbourhood.directory.get(bank)
        port = port or (known.port if known else None) or BANK_PORTS[0]
        answer = self._banks.neighbourhood.ask(Endpoint(bank, port), line, within_s, trace)
        if answer is None:
            return PeerAnswer("unknown", "it took too long")
        return PeerAnswer(answer.kind.value, answer.text)

    def scan(self) -> ScanRow:
        """The scan that runs, or the last one, with the addresses at which something is."""
        scan = self._ears.scan
        is_running = bool(scan.started_us) and not scan.ended_us
        now_us = self._clock.now_us()
        rows = self._banks.neighbourhood.directory.snapshot()[:_CELLS_MAX]
        return ScanRow(
            running=is_running,
            done=scan.done,
            total=scan.total,
            found=scan.found,
            started_us=scan.started_us or None,
            ended_us=scan.ended_us or None,
            seconds=(now_us - scan.started_us) / 1e6 if is_running else scan.seconds,
            cells={
                "base": self.reach(),
                "states": {self._banks.own: "own", **{row.code: row.state.value for row in rows}},
            },
        )

    def begin_scan(self) -> None:
        """Begins a scan unless one runs."""
        self._banks.neighbourhood.begin_scan()

    def cancel_scan(self) -> None:
        """Ends the scan that runs."""
        self._banks.neighbourhood.cancel_scan()

    def _check(self, bank: BankCode) -> None:
        if not self._reach.allows(bank):
            raise Refused(Reason.OUT_OF_REACH, bank=bank, own=self._banks.own)

    def _row(self, peer: Peer) -> PeerRow:
        now, now_us = self._banks.neighbourhood.now(), self._clock.now_us()

        def moment_us(at: float | None) -> int | None:
            """The directory counts monotonic seconds."""
            return None if at is None else now_us - int((now - at) * 1e6)

        return PeerRow(
            code=peer.code,
            port=peer.port,
            state=peer.state.value,
            name=peer.name,
            version=peer.version,
            capabilities=tuple(sorted(peer.capabilities)),
            oddities=tuple(sorted(peer.oddities)),
            latency_ms=None if peer.latency_ms is None else round(peer.latency_ms, 3),
            amount=peer.amount,
            amount_at_us=moment_us(peer.amount_at),
            clients=peer.clients,
            clients_at_us=moment_us(peer.clients_at),
            absurd=peer.absurd or None,
            error=peer.last_error or None,
            since_us=moment_us(peer.since),
            static=peer.is_static,
            breaker=peer.breaker.state(now),
        )


def _place(peer: Peer) -> tuple[int, ...]:
    return tuple(map(int, peer.code.split(".")))
