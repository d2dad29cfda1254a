"""What the node tells of itself, as immutable values (protocol.md, "The operator's commands").

Everything has a default: a node of another version that leaves a field out, or adds one, is
still shown.
"""

from typing import Any

from msgspec import Struct


class Warned(Struct, frozen=True):
    """Something that the operator should know."""

    kind: str = ""
    text: str = ""


class Status(Struct, frozen=True):
    """OS: who the node is and how it is."""

    code: str = ""
    host: str = ""
    port: int = 0
    name: str = ""
    version: str = ""
    state: str = "serving"
    started_us: int = 0
    now_us: int = 0
    total: int = 0
    clients: int = 0
    free_numbers: int = 0
    height: int = 0
    head_hash: str = ""
    language: str = ""
    extensions: bool = True
    store: str = ""
    data: str = ""
    pid: int = 0
    warnings: tuple[Warned, ...] = ()


class Latencies(Struct, frozen=True):
    """Counted latencies; `buckets` counts by power of two of microseconds."""

    count: int = 0
    errors: int = 0
    p50_us: int = 0
    p99_us: int = 0
    max_us: int = 0
    buckets: tuple[int, ...] = ()


class PeerCounts(Struct, frozen=True):
    """How many other banks are in which state."""

    verified: int = 0
    silent: int = 0
    known: int = 0


class Metrics(Struct, frozen=True):
    """OM: counters that only grow, and a few states."""

    now_us: int = 0
    batches: int = 0
    batched_operations: int = 0
    batch_operations_max: int = 0
    connections: int = 0
    connections_accepted: int = 0
    connections_refused: int = 0
    connections_dropped: int = 0
    store_errors: int = 0
    traffic_lines_lost: int = 0
    commit: Latencies = Latencies()
    commands: dict[str, Latencies] = {}
    cpu_s: float = 0.0
    rss_bytes: int = 0
    peers: PeerCounts = PeerCounts()


class Account(Struct, frozen=True):
    """One row of OC."""

    number: int
    balance: int = 0
    last_entry: int = 0


class AccountPage(Struct, frozen=True):
    """OC: a page of the accounts, filtered and sorted by the node."""

    total: int = 0
    matching: int = 0
    first: int = 0
    rows: tuple[Account, ...] = ()
    sum_matching: int = 0


class Movement(Struct, frozen=True):
    """One entry in the history of an account; `balance` is the one after it."""

    entry: int = 0
    height: int = 0
    time_us: int = 0
    kind: str = ""
    amount: int = 0
    balance: int = 0


class AccountDetail(Struct, frozen=True):
    """OD: one account and its last movements, the newest first."""

    number: int = 0
    open: bool = True
    balance: int = 0
    last_entry: int = 0
    opened_us: int | None = None
    history: tuple[Movement, ...] = ()
    more: bool = False


class Happening(Struct, frozen=True):
    """One event (OE) or one line of the log (OL)."""

    seq: int = 0
    time_us: int = 0
    level: str = "info"
    kind: str = ""
    logger: str = ""
    text: str = ""
    fields: dict[str, Any] = {}


class Traffic(Struct, frozen=True):
    """One line of OT: a request and its reply."""

    seq: int = 0
    time_us: int = 0
    peer: str = ""
    us: int | None = None
    request: str = ""
    reply: str = ""
    dir: str = "in"
    id: str | int | None = ""


class Events(Struct, frozen=True):
    """OE."""

    events: tuple[Happening, ...] = ()
    next: int = 0
    lost: int = 0


class LogLines(Struct, frozen=True):
    """OL."""

    lines: tuple[Happening, ...] = ()
    next: int = 0
    lost: int = 0


class TrafficLines(Struct, frozen=True):
    """OT."""

    lines: tuple[Traffic, ...] = ()
    next: int = 0
    lost: int = 0


class Block(Struct, frozen=True):
    """One block of the journal."""

    height: int = 0
    time_us: int = 0
    entries: int = 0
    first_entry: int = 0
    last_entry: int = 0
    hash: str = ""
    root: str = ""


class Head(Struct, frozen=True):
    """The newest block."""

    height: int = 0
    hash: str = ""
    sequence: int = 0


class Blocks(Struct, frozen=True):
    """OJ without an account: blocks, the newest first."""

    blocks: tuple[Block, ...] = ()
    head: Head = Head()
    more: bool = False


class Entry(Struct, frozen=True):
    """One entry of the journal: money from one account to another."""

    entry: int = 0
    height: int = 0
    time_us: int = 0
    kind: str = ""
    debit: int | str = 0
    credit: int | str = 0
    amount: int = 0
    balance: int | None = None


class Entries(Struct, frozen=True):
    """OJ of a block or an account."""

    entries: tuple[Entry, ...] = ()
    more: bool = False


class Misfit(Struct, frozen=True):
    """The first block that does not fit."""

    height: int | None = None
    text: str = ""


class Verification(Struct, frozen=True):
    """OV."""

    running: bool = False
    height: int = 0
    of: int = 0
    ok: bool | None = None
    problem: Misfit | None = None
    head_hash: str = ""
    seconds: float | None = None


class Setting(Struct, frozen=True):
    """One row of OG."""

    key: str = ""
    value: Any = None
    origin: str = ""
    default: Any = None
    doc: str = ""
    live: bool = False
    expected: str = ""


class Settings(Struct, frozen=True):
    """OG."""

    settings: tuple[Setting, ...] = ()


class Exported(Struct, frozen=True):
    """OZ: an export that is under way, or the last one."""

    running: bool = False
    path: str = ""
    rows: int = 0
    problem: str = ""


class State(Struct, frozen=True):
    """OX."""

    state: str = ""
