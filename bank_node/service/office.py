"""The operator's office: everything that the commands of family O look at and work with.

Put together by the node; the commands themselves are in `operator.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bank_node.ledger.listing import Listing
from bank_node.ledger.store import Store
from bank_node.security.attempts import Attempts
from bank_node.service.export import Export
from bank_node.service.live import LiveSettings
from bank_node.service.verification import Verification
from bank_node.service.waiting import Waits
from bank_node.telemetry.events import Events
from bank_node.telemetry.logs import LogLine
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.ring import Ring
from bank_node.telemetry.traffic import Record


class Warning(NamedTuple):
    """Something that the operator should look after."""

    kind: str
    text: str


class Usage(NamedTuple):
    """What the node takes of the machine."""

    cpu_s: float
    rss_bytes: int


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


@dataclass
class Standing:
    """What a session on the operator's port has shown so far."""

    is_operator: bool = False
    failures: int = 0


@dataclass(frozen=True)
class Office:
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
    peer_figures: Callable[[], dict[str, int]] = dict
    """How many peers are in which state."""
