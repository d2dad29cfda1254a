"""What the node tells of other banks: peers, scans, robbery plans. Immutable values."""

from typing import Any

from msgspec import Struct


class Peer(Struct, frozen=True):
    """One bank that this one knows."""

    code: str = ""
    port: int | None = None
    state: str = "known"
    name: str | None = None
    version: str | None = None
    capabilities: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    latency_ms: float | None = None
    amount: int | None = None
    amount_at_us: int | None = None
    clients: int | None = None
    clients_at_us: int | None = None
    absurd: str | None = None
    error: str | None = None
    since_us: int | None = None
    static: bool = False
    breaker: str = "closed"
    own: bool = False


class Peers(Struct, frozen=True):
    """OP."""

    peers: tuple[Peer, ...] = ()
    reach: tuple[str, ...] = ()


class PeerChanged(Struct, frozen=True):
    """OI."""

    peer: Peer | None = None


class Cells(Struct, frozen=True):
    """Where a scan found what; addresses that are not named were empty or not asked yet."""

    base: tuple[str, ...] = ()
    states: dict[str, str] = {}


class Scan(Struct, frozen=True):
    """ON: a search for banks."""

    running: bool = False
    done: int = 0
    total: int = 0
    found: int = 0
    started_us: int | None = None
    ended_us: int | None = None
    seconds: float | None = None
    cells: Cells = Cells()


class PeerAnswer(Struct, frozen=True):
    """OK: what another bank answered."""

    kind: str = "done"
    reply: str = ""
    us: int | None = None


class FollowerSeen(Struct, frozen=True):
    """A node that follows this one."""

    node: str = ""
    serving: str = ""
    height: int = 0
    behind: int = 0
    seen_ms: int = 0


class Replicas(Struct, frozen=True):
    """OR: what this node is among those of its bank."""

    role: str = "leader"
    epoch: int = 1
    leader: str = ""
    height: int = 0
    followers: tuple[FollowerSeen, ...] = ()
    lag_blocks: int = 0
    lag_ms: float = 0.0
    connected: bool = True
    problem: str = ""
    wait_for: int = 0


class PlannedBank(Struct, frozen=True):
    """One bank of a robbery plan."""

    address: str = ""
    amount: int = 0
    clients: int = 0


class RobberyPlan(Struct, frozen=True):
    """Which banks to rob, and how sure it is that no plan is better."""

    banks: tuple[PlannedBank, ...] = ()
    amount: int = 0
    clients: int = 0
    distance: int = 0
    proven: bool = True
    clients_off_at_most: int = 0
    distance_off_at_most: int = 0


class Unreachable(Struct, frozen=True):
    """There is less than the target in all banks together."""

    holds: int = 0


class Greedy(Struct, frozen=True):
    """What taking the richest bank for its clients, again and again, would come to."""

    banks: int | tuple[Any, ...] = 0
    amount: int = 0
    clients: int = 0


class FrontierPoint(Struct, frozen=True):
    """The fewest clients that an amount can be had for."""

    amount: int = 0
    clients: int = 0


class LeftOut(Struct, frozen=True):
    """A bank that no plan may use, and why."""

    address: str = ""
    why: str = ""


class Robbery(Struct, frozen=True):
    """OB."""

    target: int = 0
    objective: str = "fewest"
    plan: RobberyPlan | None = None
    unreachable: Unreachable | None = None
    greedy: Greedy | None = None
    frontier: tuple[FrontierPoint, ...] | None = None
    frontier_complete: bool = True
    left_out: tuple[LeftOut, ...] = ()
    asked: int = 0
    us: int = 0
