"""How well payments go: the part that succeeded, latencies, and why the others did not."""

from typing import Any

from textual.content import Content
from textual.widget import Widget

from tui import safe
from tui.model import formats
from tui.model.purse import Health

_NAME = 9
_BAR_MAX = 40


class HealthBars(Widget):
    """Three lines, and below them a bar for each reason as far as there is room."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._health = Health()

    def show(self, health: Health) -> None:
        """Draws how it goes now."""
        if health != self._health:
            self._health = health
            self.refresh()

    def get_content_height(self, *_: Any) -> int:
        return 3 + len(self._health.reasons)

    def render(self) -> Content:
        health, width = self._health, self.size.width
        rows = [self._share(health, width), *latencies(health)]
        room = max(0, self.size.height - len(rows))
        most = max((times for _, times in health.reasons), default=1)
        rows += [_reason(why, times, most, width) for why, times in health.reasons[:room]]
        return safe.lines(*(row.truncate(max(1, width), ellipsis=True) for row in rows))

    def _share(self, health: Health, width: int) -> Content:
        share = health.share
        if share is None:
            return safe.assemble(("paid".ljust(_NAME), "$bank-dim"), "nothing yet")
        whole = health.paid + health.refused
        told = f" {exact_share(share)} of {formats.amount(whole)}"
        bar = max(4, min(_BAR_MAX, width - _NAME - len(told)))
        full = bar if share == 1 else min(bar - 1, round(bar * share))
        return safe.assemble(
            ("paid".ljust(_NAME), "$bank-dim"), ("█" * full, "$success"),
            ("█" * (bar - full), "$error"), (told, "bold"),
        )  # fmt: skip


def exact_share(share: float) -> str:
    """A share with one decimal; all but one of many is not all of them."""
    return "100 %" if share == 1 else f"{min(99.9, 100 * share):.1f} %"


def latencies(health: Health) -> list[Content]:
    """The percentiles, and of how many payments they are."""
    if not health.of:
        return [safe.assemble(("latency".ljust(_NAME), "$bank-dim"), "–")]
    figures = (("p50", health.p50_us), ("p90", health.p90_us), ("p99", health.p99_us))
    parts: list[str | tuple[str, str]] = [("latency".ljust(_NAME), "$bank-dim")]
    for name, value in figures:
        gap = "  " if len(parts) > 1 else ""
        parts += [(f"{gap}{name} ", "$bank-dim"), (formats.duration(value), "bold")]
    return [
        safe.assemble(*parts),
        safe.content(f"{'':<{_NAME}}of the last {formats.plural(health.of, 'payment')}",
                     "$bank-dim"),
    ]  # fmt: skip


def _reason(why: str, times: int, most: int, width: int) -> Content:
    room = max(1, min(_BAR_MAX, width - 34))
    bar = max(1, round(room * times / most))
    return safe.assemble(
        (safe.line(why.replace("_", " "), 22).ljust(23), ""),
        (f"{formats.short(times):>6} ", "$error"), ("▪" * bar, "$error"),
    )  # fmt: skip
