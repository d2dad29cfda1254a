"""A follower at full load: how far behind it is, and what it costs to wait for it.

Leader, follower and generator share the machine; `bench.following` knows how they are measured.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.following import LAG_MS_MAX, measure
from bench.generator import Load
from bench.report import Row, Unit
from bench.workbench import Workbench

_LOAD = Load("ad", connections=64, in_flight=16)


def following(bench: Workbench) -> Sequence[Row]:
    ways = {"alone": (False, 0), "followed": (True, 0), "waiting": (True, 1)}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for number in range(bench.rounds):
        # Who begins changes, so that a machine which gets slower falls on all.
        for name in list(ways)[:: -1 if number % 2 else 1]:
            has_follower, wait_for = ways[name]
            runs[name].append(measure(bench, _LOAD, has_follower=has_follower, wait_for=wait_for))
    rates = {name: median(run["rate"] for run in found) for name, found in runs.items()}
    waited = zip(runs["waiting"], runs["followed"], strict=True)
    lag_ms = median(run["lag ms median"] for run in runs["followed"])
    return [
        Row(
            name="following_lag",
            what="a follower behind its leader, durable AD, 64 connections, 16 in flight",
            measured=f"p99 {median(run['lag ms p99'] for run in runs['followed']):.0f} ms",
            compared_with=f"{rates['followed']:,.0f}/s with it, {rates['alone']:,.0f}/s without",
            result=lag_ms,
            unit=Unit.MILLISECONDS,
            at_least=False,
            bar=LAG_MS_MAX,
            details={"runs": runs},
        ),
        Row(
            name="following_wait",
            what="the same with acknowledgements that wait for the follower",
            measured=f"{rates['waiting']:,.0f}/s",
            compared_with=f"not waiting: {rates['followed']:,.0f}/s",
            result=median(one["rate"] / other["rate"] for one, other in waited),
            unit=Unit.TIMES,
            at_least=True,
            bar=None,
        ),
    ]
