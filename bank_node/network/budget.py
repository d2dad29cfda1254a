"""How many requests each address was sent in the last minute, so that nobody is made to ban us.

Pure; `now` is monotonic seconds.
"""

from typing import NamedTuple

_WINDOW_S = 60.0
# Addresses that are remembered at once; a scan may meet many, but only banks are counted.
_ADDRESSES_MAX = 65_536


class _Count(NamedTuple):
    """Requests of the running window and of the one before."""

    window: int
    before: int
    now: int


class Budgets:
    """Requests per address; an estimate that is never more than one window old."""

    def __init__(self, requests_a_minute: int = 50) -> None:
        """The default stays under the 60 a minute after which a known kind of bank bans us."""
        self._limit = requests_a_minute
        self._counts: dict[str, _Count] = {}

    def spent(self, address: str, now: float) -> None:
        """Counts one request that is about to be sent."""
        count = self._at(address, now)
        if len(self._counts) >= _ADDRESSES_MAX and address not in self._counts:
            self._drop_old(count.window)
        self._counts[address] = count._replace(now=count.now + 1)

    def left(self, address: str, now: float) -> int:
        """How many requests may still be sent now; below 0 when too many were."""
        count = self._at(address, now)
        share = 1 - now % _WINDOW_S / _WINDOW_S
        return self._limit - count.now - round(count.before * share)

    def _at(self, address: str, now: float) -> _Count:
        window = int(now // _WINDOW_S)
        count = self._counts.get(address)
        if count is None or count.window < window - 1:
            return _Count(window, 0, 0)
        return count if count.window == window else _Count(window, count.now, 0)

    def _drop_old(self, window: int) -> None:
        self._counts = {a: c for a, c in self._counts.items() if c.window >= window - 1}
        if len(self._counts) >= _ADDRESSES_MAX:
            self._counts.clear()
