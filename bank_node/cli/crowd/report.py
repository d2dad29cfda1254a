"""What a simulation came to, as a document, as a table, and as two curves over its seconds."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from bank_node.cli.crowd.lines import Phase, Second
from bank_node.cli.words import told_harm

_SHOWN_MAX = 10
_CURVE_SECONDS_MIN = 3
_WIDTH_MAX, _HEIGHT = 100, 12


def told_phase(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name,
        "requests": phase.requests,
        "seconds": round(phase.seconds, 3),
        "per_second": round(phase.rate),
        "p50_ms": round(phase.p50, 2),
        "p99_ms": round(phase.p99, 2),
    }


def told_second(second: Second) -> dict[str, Any]:
    return {
        "phase": second.phase,
        "at_s": round(second.at_s, 2),
        "requests": second.done,
        "per_second": round(second.rate),
        "p50_ms": round(second.p50, 2),
        "p99_ms": round(second.p99, 2),
    }


def tell_progress(second: Second) -> None:
    """One line while it goes on."""
    click.echo(
        f"{second.at_s:6.0f} s  {second.phase:10}{second.done:9,} requests, {second.rate:7,.0f}/s, "
        f"p50 {second.p50:.1f} ms, p99 {second.p99:.1f} ms",
        err=True,
    )


def tell(result: dict[str, Any]) -> None:
    """The summary: phases, answers, news, the storm, the money."""
    click.echo(f"{'phase':10}{'requests':>10}{'seconds':>10}{'a second':>10}"
               f"{'p50 ms':>9}{'p99 ms':>9}")  # fmt: skip
    for phase in result["phases"]:
        click.echo(
            f"{phase['name']:10}{phase['requests']:>10,}{phase['seconds']:>10.2f}"
            f"{phase['per_second']:>10,}{phase['p50_ms']:>9.1f}{phase['p99_ms']:>9.1f}"
        )
    _tell_curves(result["progress"])
    told = ", ".join(f"{count:,} {what}" for what, count in result["answers"].items())
    click.echo(f"answers as they must be: {told}")
    news, storm, money = result["news"], result["storm"], result["money"]
    click.echo(f"machines were told of {news['told']:,} payments, after their answers by "
               f"{news['p50_ms']} ms (p50) and {news['p99_ms']} ms (p99)")  # fmt: skip
    if storm:
        click.echo(
            f"{told_harm(storm['kills'], storm['freezes'], storm['cuts'])}; "
            f"{storm['unknown']:,} outcomes were unknown and asked for afterwards"
        )
    for line in result["contradictions"][:_SHOWN_MAX]:
        click.echo(f"contradiction: {line}")
    if result["sound"]:
        click.echo(f"not a unit is missing: {money['held']:,} deposited and there")
    else:
        click.echo(f"missing: {money['missing']:,} units, "
                   f"contradictions: {len(result['contradictions']):,}")  # fmt: skip


def _tell_curves(seconds: Sequence[dict[str, Any]]) -> None:
    """Requests a second and their 99th percentile, second by second."""
    if len(seconds) < _CURVE_SECONDS_MIN:
        return
    import plotext  # type: ignore[import-untyped]

    at = [second["at_s"] for second in seconds]
    for name, label in (("per_second", "requests a second"), ("p99_ms", "p99, ms")):
        plotext.clear_figure()
        plotext.plotsize(min(_WIDTH_MAX, plotext.terminal_width() or _WIDTH_MAX), _HEIGHT)
        plotext.plot(at, [second[name] for second in seconds], marker="braille")
        plotext.title(f"{label}, over the seconds")
        if not sys.stdout.isatty():
            plotext.theme("clear")
        click.echo(plotext.build())
