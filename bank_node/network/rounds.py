"""When to ask again: the rounds of scans, and how often each peer is verified. Pure.

`now` is monotonic seconds. A bank that was killed is noticed, and one that came back is used
again, within about ten seconds, and yet nobody is asked more than ten times a minute.
"""

from bank_node.network.peers import Peer, State

# While nothing changes the pause between scans doubles, up to this many times the setting.
_EVERY_MAX = 5
# The first pause is the setting divided by this, and so is the one after news.
_SHORTER = 6
# Ten questions a minute; some banks ban an address after sixty.
_VERIFY_S = 6.0
# In a network of thousands all verifications together stay below this rate.
_VERIFIED_A_SECOND = 100
_AFTER_A_MISS_S = 1.0
# How long a peer that has been silent for so long is left alone, at most.
_SILENT_PAUSES = ((30.0, 3.0), (600.0, 8.0), (1800.0, 30.0))
_SILENT_PAUSE_S = 60.0
# A port that does not answer may have been exchanged for another of the usual ones.
_MISSES_TO_LOOK_ELSEWHERE = 3


class Rounds:
    """When the next scan is due: at the start, then after pauses that grow while nothing is new.

    The first pauses are short, because banks of one network are often started together.
    """

    def __init__(self, every_s: float) -> None:
        """`every_s` of 0 means that scans run on demand only."""
        self._every_s = every_s
        self._pause_s = self._short_s = every_s / _SHORTER
        self._due_at = 0.0 if every_s else float("inf")

    def is_due(self, now: float) -> bool:
        """Whether a scan should begin."""
        return now >= self._due_at

    def ended(self, now: float, *, changed: bool) -> None:
        """A scan has ended, on schedule or on demand; `changed` says whether it brought news."""
        if not self._every_s:
            return
        self._due_at = now + self._pause_s
        longer_s = min(2 * self._pause_s, _EVERY_MAX * self._every_s)
        self._pause_s = self._short_s if changed else longer_s


class Pace:
    """A token bucket: so many at once, and so many a second after that."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def turn_in(self, now: float, *, at_most_s: float = float("inf")) -> float | None:
        """Takes a token and tells after how many seconds it may be used.

        None, and no token taken, if that would be later than `at_most_s`.
        """
        tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        wait_s = max(0.0, -tokens / self._rate)
        if wait_s > at_most_s:
            return None
        self._tokens, self._at = tokens, now
        return wait_s


def verify_at(peer: Peer, peers: int) -> float:
    """When a peer should be asked `BC` again; `peers` is how many there are."""
    if peer.state is State.FORGOTTEN:
        return float("inf")
    if peer.asked_at is None:
        return 0.0
    return peer.asked_at + (_AFTER_A_MISS_S if peer.is_suspected else _pause_s(peer, peers))


def looks_elsewhere(peer: Peer) -> bool:
    """Whether the peer should be looked for on all ports instead of the one it had."""
    return peer.port is None or (
        peer.failures > 0 and peer.failures % _MISSES_TO_LOOK_ELSEWHERE == 0
    )


def _pause_s(peer: Peer, peers: int) -> float:
    if peer.is_verified:
        return _AFTER_A_MISS_S if peer.failures else max(_VERIFY_S, peers / _VERIFIED_A_SECOND)
    for silent_s, pause_s in _SILENT_PAUSES:
        if (peer.asked_at or peer.since) - peer.since < silent_s:
            return pause_s
    return _SILENT_PAUSE_S
