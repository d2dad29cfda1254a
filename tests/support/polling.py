"""Waiting for something to become true, with a deadline instead of a sleep of a guessed length."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_PAUSE_S = 0.005
_PAUSE_MAX_S = 0.2


def until(condition: Callable[[], Value], what: str, deadline_s: float = 30.0) -> Value:
    """The first true value of `condition`; fails the test when the deadline passes."""
    asked = time.monotonic()
    give_up = asked + deadline_s
    while not (value := condition()):
        told = time.monotonic()
        assert told < give_up, f"not within {deadline_s} s: {what}"
        # A question that is costly to answer leaves most of the machine to those it is about.
        time.sleep(min(max(_PAUSE_S, 2 * (told - asked)), _PAUSE_MAX_S))
        asked = time.monotonic()
    return value
