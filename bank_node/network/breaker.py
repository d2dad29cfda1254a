"""The circuit breaker of one peer, as a value: calls change it by making another one.

Closed lets calls pass. After some failures in a row it opens, and every call is refused at once
until the back-off is over. Then it is half open: one call may try, and its end decides. Pure;
`now` is monotonic seconds throughout.
"""

from typing import NamedTuple

# One failure may be chance; three in a row have cost their callers up to three reply time-outs.
_FAILURES_MAX = 3
_BACK_OFF_S = 1.0
_BACK_OFF_MAX_S = 30.0
# A probe whose end nobody reports (its caller was cancelled) must not close the way for ever.
_PROBE_S = 15.0


class Breaker(NamedTuple):
    """Whether calls to a peer may pass; the default value is a closed one."""

    failures: int = 0
    """Failed calls in a row."""
    opens_at: float = 0.0
    """When the back-off is over; only of interest after too many failures."""
    back_off_s: float = 0.0
    probe_until: float = 0.0
    """While a probe is on its way: until when it is waited for."""

    @property
    def is_closed(self) -> bool:
        """Whether every call may pass."""
        return self.failures < _FAILURES_MAX

    def admits(self, now: float) -> bool:
        """Whether a call may begin now."""
        return self.is_closed or now >= max(self.opens_at, self.probe_until)

    def begun(self, now: float) -> "Breaker":
        """After a call that was admitted has begun: if it is a probe, it is the only one."""
        return self if self.is_closed else self._replace(probe_until=now + _PROBE_S)

    def succeeded(self) -> "Breaker":
        """After a call was answered."""
        return CLOSED

    def failed(self, now: float) -> "Breaker":
        """After a call was not answered; calls from before it opened tell it nothing new."""
        if self.is_closed:
            failures = self.failures + 1
            return Breaker(failures, now + _BACK_OFF_S, _BACK_OFF_S)
        if not self.probe_until:
            return self
        back_off_s = min(2 * self.back_off_s, _BACK_OFF_MAX_S)
        return Breaker(self.failures + 1, now + back_off_s, back_off_s)

    def state(self, now: float) -> str:
        """What a person is told: `closed`, `open` or `half-open`."""
        if self.is_closed:
            return "closed"
        return "half-open" if now >= self.opens_at else "open"


CLOSED = Breaker()
