"""The two clocks of the house, handed in from outside so that tests can turn their hands."""

from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """Wall time for people and blocks, monotonic time for durations and deadlines."""

    now_us: Callable[[], int]
    """Microseconds since the epoch; may jump."""
    monotonic_ns: Callable[[], int]
    """Nanoseconds since some moment; never runs backwards."""
