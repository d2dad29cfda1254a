"""Payments put together: the way of each from what was told of it, and how well they go. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tui.model.money import Step
from tui.model.payments import PaymentFlow, PaymentRow
from tui.model.ways import Station, Way

SHOWN_MAX = 500
"""Payments that are listed at once; the node finds the older ones."""

_FAILED = ("failed", "refused")


class Paid(NamedTuple):
    """A payment, and when it came to each of its states as far as that is known."""

    row: PaymentRow
    reached: Mapping[str, int]

    @property
    def key(self) -> str:
        return self.row.payment or f"refused {self.row.number}"

    @property
    def is_open(self) -> bool:
        return self.row.state in ("pending", "deemed")

    @property
    def took_us(self) -> int | None:
        """From the request until it was on disk, or refused; None while that is not known."""
        return took_us(self.row)


def took_us(row: PaymentRow) -> int | None:
    """How long a payment took that has come to its end."""
    if row.state == "pending" or not row.time_us or not row.asked_us:
        return None
    return max(0, row.time_us - row.asked_us)


def gathered(rows: Iterable[PaymentRow]) -> list[Paid]:
    """The payments that these rows, the oldest first, are about; what moved last comes first."""
    found: dict[str, Paid] = {}
    for row in rows:
        told = Paid(row, {})
        before = found.pop(told.key, None)
        reached = {**(before.reached if before else {})}
        if row.time_us:
            reached[row.state] = row.time_us
        found[told.key] = Paid(row, reached)
        if len(found) > SHOWN_MAX:
            del found[next(iter(found))]
    return list(found.values())[::-1]


def with_steps(paid: Paid, steps: Sequence[Step]) -> Paid:
    """A payment with what is known of its transfer."""
    known = {"reserved": "pending", "committed": "decided", "ended": "success"}
    told = {known[step.phase]: step.time_us for step in steps if step.phase in known}
    return Paid(paid.row, {**told, **paid.reached})


def stations(paid: Paid) -> tuple[Station, ...]:
    """The stops of a payment, from the request to the end that it had or may have."""
    row, reached = paid.row, paid.reached
    stops = [Station("asked", row.asked_us or None, "done")]
    is_outgoing = bool(row.transfer) and "/" not in row.transfer
    if is_outgoing and (row.state not in _FAILED or "pending" in reached):
        mark = "here" if row.state == "pending" and "decided" not in reached else "done"
        stops.append(Station("set aside", reached.get("pending"), mark))
    if "decided" in reached and row.state not in _FAILED:
        mark = "here" if paid.is_open else "done"
        stops.append(Station("sent", reached["decided"], mark))
    if row.state in _FAILED:
        return (*stops, Station(row.state, reached.get(row.state), "failed"))
    if paid.is_open:
        return (*stops, Station("paid", None, "ahead"))
    stops.append(Station("paid", reached.get("success"), "done"))
    if row.refunded:
        whole = row.amount is not None and row.refunded >= row.amount
        stops.append(Station("given back" if whole else "part back", None, "back"))
    return tuple(stops)


def way_of(paid: Paid) -> Way:
    """A payment as it is drawn."""
    row = paid.row
    return Way(row.payer or "?", row.payee or "?", row.amount, stations(paid))


def tone_of(paid: Paid) -> str:
    """What the state of a payment means, as a tone."""
    if paid.row.state in _FAILED:
        return "bad"
    return "accent" if paid.is_open else "warn" if paid.row.refunded else "good"


def state_of(row: PaymentRow) -> str:
    """The state in a word, for people."""
    if row.state == "success":
        return "paid" if not row.refunded else "returned"
    return {"pending": "under way", "deemed": "sent"}.get(row.state, row.state)


class Health(NamedTuple):
    """How well payments go: sums since the node was started, latencies of the latest ones."""

    paid: int = 0
    refused: int = 0
    p50_us: int | None = None
    p90_us: int | None = None
    p99_us: int | None = None
    of: int = 0
    """Of how many payments the latencies are."""
    reasons: tuple[tuple[str, int], ...] = ()
    """Why not, and how often, the most frequent first."""

    @property
    def share(self) -> float | None:
        """The part of payments that succeeded; None before the first."""
        whole = self.paid + self.refused
        return self.paid / whole if whole else None


def health(flow: PaymentFlow, latest: Iterable[PaymentRow]) -> Health:
    """From the sums that the node keeps, and the latest payments."""
    times = sorted(
        took for row in latest if row.state == "success" and (took := took_us(row)) is not None
    )
    p50, p90, p99 = (_percentile(times, percent) for percent in (50, 90, 99))
    reasons = sorted(flow.reasons.items(), key=lambda each: (-each[1], each[0]))
    return Health(flow.paid, flow.refused, p50, p90, p99, len(times), tuple(reasons))


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The least value that so many of a hundred do not exceed."""
    if not ordered:
        return None
    return ordered[-(-len(ordered) * percent // 100) - 1]
