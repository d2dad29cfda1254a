"""Events: what happened to the node that an operator wants to hear of, in the past tense.

An event is rare (a peer found, a setting changed, a disk failed). Requests are not events; they
are in the metrics and in the traffic log.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from bank_node.telemetry.ring import Ring
from bank_node.values import one_line

Level = Literal["info", "warning", "error"]

_EVENTS_KEPT = 2048
_TEXT_MAX = 500


class Event(NamedTuple):
    """Something that happened; `text` is one sentence, `fields` are plain values."""

    time_us: int
    kind: str
    level: Level
    text: str
    fields: Mapping[str, Any]


class Events:
    """The last events of a node. Any thread may tell one."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self.ring: Ring[Event] = Ring(_EVENTS_KEPT)

    def tell(self, kind: str, text: str, level: Level = "info", **fields: Any) -> None:
        """Notes an event, e.g. `tell("PeerFound", "10.1.2.3 answers", address="10.1.2.3")`."""
        safe = {
            name: one_line(value)[:_TEXT_MAX] if isinstance(value, str) else value
            for name, value in fields.items()
        }
        self.ring.add((Event(self._now_us(), kind, level, one_line(text)[:_TEXT_MAX], safe),))
