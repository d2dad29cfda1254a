"""The directory of peers: what this node has learnt about every other bank it met.

Pure. Written by the network thread only and read by all: a row is immutable, so a look-up is one
read of a dictionary. Knows nothing of sockets; `now` is monotonic seconds throughout.
"""

from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from bank_node.network.breaker import CLOSED, Breaker
from bank_node.network.budget import Budgets
from bank_node.values import AMOUNT_MAX, BankCode, one_line

ROWS_MAX = 65_536
NOBODY = BankCode("0.0.0.0")  # noqa: S104
"""The code of whoever looks around without being a bank."""
# One miss may be chance (a busy peer, a lost packet); two in a row are silence.
_MISSES_TO_SILENCE = 2
# A silent peer is asked again and again before it counts as gone for good.
_SILENT_MAX_S = 3600.0
# How much of a new measurement the smoothed latency takes in.
_LATENCY_SHARE = 0.25
# Strangers choose these texts.
_TEXT_MAX = 200
_NAME_MAX = 64
_CAPABILITIES_MAX = 32
# The capability that is a public key.
_KEY = "key="


class State(Enum):
    """What a peer is to us."""

    KNOWN = "known"
    """Somebody told of it, but it has not answered yet."""
    VERIFIED = "verified"
    """It answered `BC` itself; only such peers are used."""
    SILENT = "silent"
    """It was verified and does not answer any more; it is asked again first."""
    FORGOTTEN = "forgotten"
    """It did not answer for so long that only a scan will find it again."""


class Peer(Struct, frozen=True):
    """All that is known of one peer. Fields ending in `_at` are None until it happened."""

    code: BankCode
    """The address that was dialled, whatever the peer calls itself."""
    port: int | None
    state: State
    since: float
    """Since when it is in this state."""
    is_static: bool = False
    """Whether the settings name it."""
    name: str = ""
    version: str = ""
    capabilities: frozenset[str] = frozenset()
    """What it announces: families of extensions, and its key; empty for a classic peer."""
    introduced_at: float | None = None
    """When it was asked for its version; a stranger counts the question as a bad command."""
    oddities: frozenset[str] = frozenset()
    said: str = ""
    """The code in its reply to `BC`, if that is another one than the dialled."""
    latency_ms: float | None = None
    """Smoothed time from question to answer."""
    amount: int | None = None
    amount_at: float | None = None
    clients: int | None = None
    clients_at: float | None = None
    absurd: str = ""
    """Why its figures cannot be true; empty while they can."""
    last_error: str = ""
    heard_at: float | None = None
    asked_at: float | None = None
    """When the last question to it ended, with an answer or without."""
    failures: int = 0
    """Questions without an answer in a row."""
    is_suspected: bool = False
    """Whether a call failed, so that it should be verified at once."""
    breaker: Breaker = field(default=CLOSED)

    @property
    def is_verified(self) -> bool:
        return self.state is State.VERIFIED

    @property
    def is_classic(self) -> bool:
        """Whether it speaks the classic protocol only, as far as is known."""
        return not self.capabilities

    @property
    def key(self) -> str:
        """The public key that it announces, not yet compared with the pinned one; may be empty."""
        keys = [word[len(_KEY) :] for word in self.capabilities if word.startswith(_KEY)]
        return min(keys, default="")


class PeerFound(NamedTuple):
    """A peer answered that was not verified before."""

    peer: Peer


class PeerLost(NamedTuple):
    """A verified peer has fallen silent."""

    peer: Peer


class Directory:
    """All peers by their code."""

    def __init__(
        self,
        own: BankCode,
        tell: Callable[[PeerFound | PeerLost], None] = lambda event: None,
        *,
        rows_max: int = ROWS_MAX,
    ) -> None:
        """`tell` is called on the thread that writes, after the change can be read."""
        self.own = own
        self.budgets = Budgets()
        self._tell = tell
        self._rows_max = rows_max
        self._rows: dict[str, Peer] = {}

    def get(self, code: str) -> Peer | None:
        """The row of a peer in whatever state."""
        return self._rows.get(code)

    def verified(self, code: str) -> Peer | None:
        """The row of a peer that may be used."""
        peer = self._rows.get(code)
        return peer if peer and peer.is_verified else None

    def snapshot(self) -> tuple[Peer, ...]:
        """All rows, in no particular order."""
        return tuple(self._rows.values())

    def banks(self) -> tuple[Peer, ...]:
        """The verified peers, each bank once even if it answers on many addresses."""
        verified = [peer for peer in self.snapshot() if peer.is_verified]
        double = doubles(verified)
        return tuple(peer for peer in verified if peer.code not in double)

    def add_static(self, code: BankCode, port: int | None, now: float) -> None:
        """Takes in a peer that the settings name; it is never forgotten."""
        row = self._rows.get(code)
        self._put(
            replace(row, is_static=True, port=port or row.port)
            if row
            else Peer(code, port, State.KNOWN, now, is_static=True)
        )

    def remember(self, peer: Peer) -> None:
        """Takes in a row of an earlier run; what is known already stays as it is."""
        if peer.code not in self._rows:
            self._put(peer)

    def heard(
        self,
        address: BankCode,
        port: int,
        oddities: Iterable[str],
        latency_ms: float,
        now: float,
        *,
        said: str = "",
    ) -> None:
        """The bank at this address answered `BC`; `said` is the code in its reply."""
        row = self._rows.get(address) or Peer(address, port, State.KNOWN, now)
        if row.port != port:
            # Another port is another program until it introduces itself.
            row = replace(row, name="", version="", capabilities=frozenset(), introduced_at=None)
        was_verified = row.is_verified
        row = replace(
            row,
            port=port,
            state=State.VERIFIED,
            since=row.since if was_verified else now,
            oddities=frozenset(oddities),
            said="" if said == address else _short(said, _NAME_MAX),
            latency_ms=_smoothed(row.latency_ms, latency_ms),
            heard_at=now,
            asked_at=now,
            failures=0,
            is_suspected=False,
            breaker=row.breaker if was_verified else CLOSED,
        )
        if self._put(row) and not was_verified:
            self._tell(PeerFound(row))

    def missed(self, address: str, why: str, now: float) -> None:
        """The peer at this address did not answer `BC`; of an unknown address nothing is kept."""
        row = self._rows.get(address)
        if row is None:
            return
        failures = row.failures + 1
        state = row.state
        if state is State.VERIFIED and failures >= _MISSES_TO_SILENCE:
            state = State.SILENT
        elif not row.is_static and not row.is_verified and now - row.since > _SILENT_MAX_S:
            state = State.FORGOTTEN
        self._rows[address] = changed = replace(
            row,
            state=state,
            since=row.since if state is row.state else now,
            last_error=_short(why, _TEXT_MAX),
            asked_at=now,
            failures=failures,
            is_suspected=False,
        )
        if row.is_verified and not changed.is_verified:
            self._tell(PeerLost(changed))

    def announces(
        self, address: str, name: str, version: str, capabilities: Collection[str], now: float
    ) -> None:
        """The peer was asked `VE`: what it told, or empty texts if it does not know the command."""
        short = (_short(each, _NAME_MAX) for each in sorted(capabilities)[:_CAPABILITIES_MAX])
        self._change(
            address,
            name=_short(name, _NAME_MAX),
            version=_short(version, _NAME_MAX),
            capabilities=frozenset(short),
            introduced_at=now,
        )

    def figures(
        self,
        address: str,
        now: float,
        *,
        amount: int | None = None,
        clients: int | None = None,
        absurd: str = "",
    ) -> None:
        """The peer told its `BA` or `BN`; `absurd` says why what it told is no such number.

        Of a figure that is None the last one stays.
        """
        row = self._rows.get(address)
        if row is None:
            return
        if amount is not None:
            row = replace(row, amount=amount, amount_at=now)
        if clients is not None:
            row = replace(row, clients=clients, clients_at=now)
        why = absurd or _absurdity(row.amount, row.clients)
        self._rows[address] = replace(row, absurd=_short(why, _TEXT_MAX))

    def admits(self, address: str, now: float) -> bool:
        """Whether a call to this verified peer may begin; each True needs one `call_ended`."""
        row = self.verified(address)
        if row is None or not row.breaker.admits(now):
            return False
        if not row.breaker.is_closed:
            self._change(address, breaker=row.breaker.begun(now))
        return True

    def call_ended(self, address: str, now: float, *, latency_ms: float = 0, why: str = "") -> None:
        """A call to a peer was answered after `latency_ms`, or failed because of `why`.

        A failure makes the scanner verify the peer at once.
        """
        row = self._rows.get(address)
        if row is None:
            return
        if why:
            self._change(
                address,
                breaker=row.breaker.failed(now),
                last_error=_short(why, _TEXT_MAX),
                is_suspected=True,
            )
        else:
            self._change(
                address,
                breaker=row.breaker.succeeded(),
                latency_ms=_smoothed(row.latency_ms, latency_ms),
                heard_at=now,
            )

    def forget(self, code: str) -> None:
        """Drops a row, for the operator; a peer that still lives is found again."""
        row = self._rows.pop(code, None)
        if row and row.is_verified:
            self._tell(PeerLost(replace(row, state=State.FORGOTTEN)))

    def _change(self, address: str, **fields: object) -> None:
        row = self._rows.get(address)
        if row is not None:
            self._rows[address] = replace(row, **fields)

    def _put(self, row: Peer) -> bool:
        """Keeps a row if there is room for it, or if one that matters less can go."""
        if row.code == self.own:
            return False
        if row.code not in self._rows and len(self._rows) >= self._rows_max:
            idle = [each for each in self._rows.values() if _may_go(each)]
            if not idle:
                return False
            del self._rows[min(idle, key=_worth).code]
        self._rows[row.code] = row
        return True


def doubles(peers: Iterable[Peer]) -> dict[BankCode, BankCode]:
    """Addresses that are another name of a bank, with the address that is its proper one.

    A bank that listens on all addresses of a machine answers on each of them, and would be
    robbed once for each. It gives itself away by naming the same address everywhere, on the same
    port and with the same figures. A bank that merely names a wrong address has its own figures.
    """
    rows = {peer.code: peer for peer in peers}
    return {
        peer.code: proper.code
        for peer in rows.values()
        if (proper := rows.get(BankCode(peer.said))) is not None
        and not proper.said
        and (proper.port, proper.amount, proper.clients) == (peer.port, peer.amount, peer.clients)
    }


def _absurdity(amount: int | None, clients: int | None) -> str:
    if amount is not None and not 0 <= amount <= AMOUNT_MAX:
        return f"BA {amount} is outside of 0..{AMOUNT_MAX}"
    if clients is not None and not 0 <= clients <= AMOUNT_MAX:
        return f"BN {clients} is outside of 0..{AMOUNT_MAX}"
    if amount and clients == 0:
        return f"BA {amount} with BN 0: money of nobody"
    return ""


def _may_go(peer: Peer) -> bool:
    return not peer.is_static and not peer.is_verified


def _worth(peer: Peer) -> tuple[bool, float]:
    """Forgotten peers go first, then those that are silent for longest."""
    return peer.state is not State.FORGOTTEN, peer.since


def _smoothed(before_ms: float | None, now_ms: float) -> float:
    if before_ms is None:
        return now_ms
    return before_ms + _LATENCY_SHARE * (now_ms - before_ms)


def _short(text: str, characters_max: int) -> str:
    return one_line(text[:characters_max])
