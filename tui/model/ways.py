"""The way of a transfer as stations: where it was, where it is, and what lies ahead. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tui.model.money import TransferDetail, TransferRow

GOING_MAX = 500
"""Transfers that are followed at once; the oldest are forgotten."""

# The phases that a transfer goes through if all goes well, by what this bank is in it.
_PLANS = {
    "payer": ("received", "reserved", "committed", "ended"),
    "classic": ("received", "sent", "ended"),
    "payee": ("reserved", "ended"),
    "local": ("ended",),
}
_LABELS = {
    ("payee", "reserved"): "promised",
    ("payer", "ended"): "confirmed",
}
_ENDED = ("ended", "aborted")


class Station(NamedTuple):
    """One stop: its name, when it was reached, and how it is marked."""

    label: str
    time_us: int | None
    mark: str
    """`done`, `here`, `ahead`, `failed`, `doubt`, or `back` where it was turned round."""


class Way(NamedTuple):
    """A way to draw: who pays whom how much, and the stops."""

    payer: str
    payee: str
    amount: int | None
    stops: tuple[Station, ...]


class Going(NamedTuple):
    """A transfer, and when it came to each of its phases as far as that is known."""

    row: TransferRow
    reached: Mapping[str, int]

    @property
    def is_open(self) -> bool:
        return self.row.phase not in _ENDED

    @property
    def began_us(self) -> int | None:
        return min(self.reached.values(), default=None)

    @property
    def took_us(self) -> int | None:
        """From its beginning until its client knew; None while that is not known."""
        plan = _PLANS.get(self.row.role, ())
        told = next((p for p in ("committed", *_ENDED) if p in self.reached), None)
        if told is None or len(plan) < 2 or plan[0] not in self.reached:
            return None
        return self.reached[told] - self.reached[plan[0]]


def gathered(stages: Iterable[TransferRow]) -> list[Going]:
    """The transfers that these states belong to, the one that moved last first."""
    found: dict[str, Going] = {}
    for stage in stages:
        before = found.pop(stage.transfer, None)
        reached = {**(before.reached if before else {}), stage.phase: stage.time_us}
        found[stage.transfer] = Going(stage, reached)
        if len(found) > GOING_MAX:
            del found[next(iter(found))]
    return list(found.values())[::-1]


def of_detail(detail: TransferDetail) -> Going:
    """The way of a transfer that the node has looked up."""
    reached = {step.phase: step.time_us for step in detail.steps}
    if detail.received_us:
        reached["received"] = detail.received_us
    return Going(detail.transfer, reached)


def of_row(row: TransferRow) -> Going:
    """What is known of the way of a transfer from a row of a list."""
    return Going(row, {row.phase: row.since_us} if row.since_us else {})


def stations(going: Going) -> tuple[Station, ...]:
    """The stops of a transfer, from its beginning to the end that it had or may have."""
    row, reached = going.row, going.reached
    plan = _PLANS.get(row.role, (row.phase,))
    if row.phase == "aborted":
        passed = [phase for phase in plan if phase in reached]
        stops = [_station(row.role, phase, reached, "done") for phase in passed]
        return (*stops, Station("aborted", reached.get("aborted"), "failed"))
    at = plan.index(row.phase) if row.phase in plan else 0
    stops = []
    for index, phase in enumerate(plan):
        mark = "done" if index < at or row.phase == "ended" else "here" if index == at else "ahead"
        if row.in_doubt and index == at + 1:
            stops.append(Station("unknown", None, "doubt"))
            continue
        stops.append(_station(row.role, phase, reached, mark))
    return tuple(stops)


def _station(role: str, phase: str, reached: Mapping[str, int], mark: str) -> Station:
    label = _LABELS.get((role, phase), "committed" if phase == "ended" else phase)
    return Station(label, reached.get(phase), mark)


_DOTS = {"done": "●", "here": "●", "ahead": "○", "failed": "✗", "doubt": "?", "back": "↺"}


def small(going: Going) -> tuple[str, str]:
    """The way in a few cells, e.g. `●━●━●╌○`, and its tone."""
    return dots(stations(going)), tone_of(going)


def dots(stops: Iterable[Station]) -> str:
    """Stops in a few cells."""
    parts = []
    for index, stop in enumerate(stops):
        if index:
            parts.append("╌" if stop.mark in ("ahead", "doubt") else "━")
        parts.append(_DOTS[stop.mark])
    return "".join(parts)


def way_of(going: Going) -> Way:
    """A transfer as it is drawn."""
    row = going.row
    return Way(row.payer or "?", row.payee or "?", row.amount, stations(going))


def tone_of(going: Going) -> str:
    """What a transfer's state means: `good`, `bad`, `warn` or, on its way, `accent`."""
    if going.row.in_doubt:
        return "warn"
    return {"aborted": "bad", "ended": "good", "committed": "good"}.get(going.row.phase, "accent")


def state_of(row: TransferRow) -> str:
    """The state in a word, for people."""
    return "in doubt" if row.in_doubt else "sent" if row.phase == "sent" else row.state
