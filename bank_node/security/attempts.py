"""How often an address may be wrong before it is locked out for a while.

Pure: knows addresses and moments, never what was tried. Bounded: the longest forgotten address
makes room for a new one. Belongs to one thread.
"""

from typing import NamedTuple


class _Failures(NamedTuple):
    times: int
    last_ns: int


class Attempts:
    """Failed attempts by address."""

    def __init__(
        self, *, failures_max: int = 10, lock_out_s: float = 60.0, addresses_max: int = 1024
    ) -> None:
        """After `failures_max` failures an address is locked out for `lock_out_s` seconds.

        Failures are forgotten after a success, and when nothing was tried for that long.
        """
        self._failures_max = failures_max
        self._lock_out_ns = int(lock_out_s * 1e9)
        self._addresses_max = addresses_max
        self._failures: dict[str, _Failures] = {}

    def is_locked_out(self, address: str, now_ns: int) -> bool:
        """Whether an address has to wait. Asking while locked out does not make it longer."""
        return self._recent(address, now_ns) >= self._failures_max

    def failed(self, address: str, now_ns: int) -> bool:
        """Counts a failure; True if it is the one that locks the address out."""
        count = self._recent(address, now_ns) + 1
        # Taken out first, so that the dict stays in the order of the latest failures.
        self._failures.pop(address, None)
        while len(self._failures) >= self._addresses_max:
            del self._failures[next(iter(self._failures))]
        self._failures[address] = _Failures(count, now_ns)
        return count == self._failures_max

    def succeeded(self, address: str) -> None:
        """Forgets the failures of an address."""
        self._failures.pop(address, None)

    def _recent(self, address: str, now_ns: int) -> int:
        failures = self._failures.get(address)
        if failures is None or now_ns - failures.last_ns >= self._lock_out_ns:
            return 0
        return failures.times
