"""The operator's office: everything that the commands of family O look at and work with.

Put together by the node; the commands themselves are in `operator.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from bank_node.banking.transfers.chronicle import Stage
from bank_node.ledger.listing import Listing
from bank_node.ledger.store import Store
from bank_node.security.attempts import Attempts
from bank_node.security.keyring import Keyring
from bank_node.service.export import Export
from bank_node.service.live import LiveSettings
from bank_node.service.reminders import Reminders
from bank_node.service.verification import Verification
from bank_node.service.waiting import Waits
from bank_node.telemetry.events import Events
from bank_node.telemetry.logs import LogLine
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.ring import Ring
from bank_node.telemetry.traffic_lines import Record
from bank_node.values import BankCode


class Warning(NamedTuple):
    """Something that the operator should look after."""

    kind: str
    text: str


class Usage(NamedTuple):
    """What the node takes of the machine."""

    cpu_s: float
    rss_bytes: int


class PeerRow(NamedTuple):
    """One bank as an operator sees it; moments are microseconds since 1970."""

    code: str
    port: int | None
    state: str
    name: str = ""
    version: str = ""
    capabilities: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    latency_ms: float | None = None
    amount: int | None = None
    amount_at_us: int | None = None
    clients: int | None = None
    clients_at_us: int | None = None
    absurd: str | None = None
    """Why its figures cannot be true."""
    error: str | None = None
    since_us: int | None = None
    static: bool = False
    breaker: str = "closed"
    own: bool = False


class ScanRow(NamedTuple):
    """How far a scan is."""

    running: bool
    done: int
    total: int
    found: int
    started_us: int | None
    ended_us: int | None
    seconds: float
    cells: Mapping[str, Any]
    """`base`, the subnets, and `states` by address."""


class PeerAnswer(NamedTuple):
    """What came of asking a bank: `done`, `refused`, `unknown` or `unreachable`, and its words."""

    kind: str
    reply: str


class OwnFigures(NamedTuple):
    """This bank among the others."""

    code: str
    port: int
    name: str
    version: str
    capabilities: tuple[str, ...]
    started_us: int
    amount: int
    clients: int


class AroundUs(Protocol):
    """The banks around, as far as an operator may look and direct."""

    def peers(self) -> Sequence[PeerRow]:
        """Every bank that is known, this one first."""

    def reach(self) -> Sequence[str]:
        """The subnets that may be dialled, and the static peers outside of them."""

    def counts(self) -> Mapping[str, int]:
        """How many banks are in which state."""

    def row(self, bank: BankCode) -> PeerRow | None:
        """What is known of one bank."""

    def forget(self, bank: BankCode) -> None:
        """Drops what is known of a bank; one that still lives is found again."""

    def look_again(self, bank: BankCode, within_s: float, trace: int) -> PeerRow | None:
        """Asks a bank for its code and its figures; blocks. Raises Refused(OUT_OF_REACH)."""

    def call(
        self, bank: BankCode, port: int | None, line: str, within_s: float, trace: int
    ) -> PeerAnswer:
        """Asks a bank anything; blocks. Raises Refused(OUT_OF_REACH)."""

    def scan(self) -> ScanRow:
        """The scan that runs, or the last one."""

    def begin_scan(self) -> None:
        """Begins a scan unless one runs."""

    def cancel_scan(self) -> None:
        """Ends the scan that runs."""


class Control(Protocol):
    """The node itself, as far as an operator may direct it."""

    @property
    def state(self) -> str:
        """`serving`, `draining`, `read_only` (the disk failed) or `stopping`."""

    def drain(self) -> None:
        """Takes no new connections, and no requests that change the ledger."""

    def resume(self) -> None:
        """Takes them again."""

    def stop_node(self) -> None:
        """Begins the orderly end. Raises Refused(NOT_HERE) where nobody waits for it."""

    def warnings(self) -> Iterable[Warning]:
        """What is not as it should be."""


class Standing(Struct):
    """What a session on the operator's port has shown so far."""

    is_operator: bool = False
    failures: int = 0


class Office(Struct, frozen=True):
    """See the module."""

    token: str
    attempts: Attempts
    metrics: Metrics
    usage: Callable[[], Usage]
    store: Store
    listing: Listing
    events: Events
    log_lines: Ring[LogLine]
    traffic: Ring[Record]
    waits: Waits
    settings: LiveSettings
    verification: Verification
    export: Export
    control: Control
    address: tuple[str, int]
    """Where clients connect."""
    started_us: int
    data: str
    pid: int
    around: AroundUs
    stages: Ring[Stage]
    """The states that transfers come to."""
    keyring: Keyring
    cap_of: Callable[[BankCode], int]
    """What this bank and another one may owe each other."""
    reminders: Reminders
