"""Waiting for something to become true, with a deadline instead of a sleep of a guessed length."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_PAUSE_S = 0.005


def until(condition: Callable[[], Value], what: str, deadline_s: float = 10.0) -> Value:
    """The first true value of `condition`; fails the test when the deadline passes."""
    give_up = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < give_up, f"not within {deadline_s} s: {what}"
        time.sleep(_PAUSE_S)
    return value
