"""Rates and quantiles out of two snapshots of counters, and their recent past. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from bank_node.protocol.operator import OPERATOR_ROWS
from bank_node.telemetry.metrics import quantile_us
from tui.model.replies import Latencies, Metrics

_US = 1_000_000

LENGTH = 120
"""Looks that are remembered."""

_OF_OPERATORS = frozenset(row.code for row in OPERATOR_ROWS)


class CommandRate(NamedTuple):
    """One command between two looks."""

    code: str
    per_s: float
    errors_per_s: float
    p50_us: int
    p99_us: int
    calls: int
    errors: int


class Rates(NamedTuple):
    """The node between two looks. Requests are those of clients: a console makes some itself."""

    seconds: float
    requests_per_s: float
    errors_per_s: float
    p50_us: int
    p99_us: int
    commit_p50_us: int
    commit_p99_us: int
    batch: float
    """Operations in a block, on average."""
    cpu_share: float
    """Of one core, 0..cores."""
    commands: tuple[CommandRate, ...]
    """By code, all that were ever called; those of operators at the end."""


NO_RATES = Rates(0, 0, 0, 0, 0, 0, 0, 0, 0, ())


def _new(now: Sequence[int], before: Sequence[int]) -> list[int]:
    """What has come into each bucket since; a counter that fell means that the node restarted."""
    if len(now) != len(before):
        return list(now)
    gained = [a - b for a, b in zip(now, before, strict=True)]
    return list(now) if any(count < 0 for count in gained) else gained


def _sum(many: Sequence[Sequence[int]]) -> list[int]:
    longest = max(map(len, many), default=0)
    return [sum(b[i] for b in many if i < len(b)) for i in range(longest)]


def between(before: Metrics | None, now: Metrics) -> Rates:
    """The rates between two snapshots; all zero without an earlier one, or after a restart."""
    if before is None or now.now_us <= before.now_us:
        return NO_RATES
    seconds = (now.now_us - before.now_us) / _US
    nothing = Latencies()
    commands = []
    gained_buckets = []
    for code in sorted(now.commands, key=lambda code: (code in _OF_OPERATORS, code)):
        figures = now.commands[code]
        old = before.commands.get(code, nothing)
        gained = _new(figures.buckets, old.buckets or (0,) * len(figures.buckets))
        if code not in _OF_OPERATORS:
            gained_buckets.append(gained)
        quiet = not any(gained)
        commands.append(
            CommandRate(
                code,
                max(0, figures.count - old.count) / seconds,
                max(0, figures.errors - old.errors) / seconds,
                # A command that rests shows what it took when it was called.
                figures.p50_us if quiet else min(quantile_us(gained, 0.5), figures.max_us),
                figures.p99_us if quiet else min(quantile_us(gained, 0.99), figures.max_us),
                figures.count,
                figures.errors,
            )
        )
    clients = [command for command in commands if command.code not in _OF_OPERATORS]
    everything = _sum(gained_buckets)
    commits = _new(now.commit.buckets, before.commit.buckets)
    blocks = max(0, now.batches - before.batches)
    return Rates(
        seconds=seconds,
        requests_per_s=sum(command.per_s for command in clients),
        errors_per_s=sum(command.errors_per_s for command in clients),
        p50_us=quantile_us(everything, 0.5),
        p99_us=quantile_us(everything, 0.99),
        commit_p50_us=quantile_us(commits, 0.5) if any(commits) else now.commit.p50_us,
        commit_p99_us=quantile_us(commits, 0.99) if any(commits) else now.commit.p99_us,
        batch=max(0, now.batched_operations - before.batched_operations) / blocks if blocks else 0,
        cpu_share=max(0.0, now.cpu_s - before.cpu_s) / seconds,
        commands=tuple(commands),
    )


class Past(NamedTuple):
    """The recent past of the figures that the strip draws, oldest first."""

    seconds: tuple[float, ...] = ()
    """When each look was, by the clock of the node."""
    requests: tuple[float, ...] = ()
    p99_us: tuple[float, ...] = ()
    commit_us: tuple[float, ...] = ()
    batch: tuple[float, ...] = ()
    connections: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    cpu: tuple[float, ...] = ()


def remembered(past: Past, rates: Rates, metrics: Metrics) -> Past:
    """The past with one more look in it, and the oldest one gone."""
    latest = (
        metrics.now_us / _US,
        rates.requests_per_s,
        float(rates.p99_us),
        float(rates.commit_p99_us),
        rates.batch,
        float(metrics.connections),
        rates.errors_per_s,
        rates.cpu_share,
    )
    return Past(*((*old, new)[-LENGTH:] for old, new in zip(past, latest, strict=True)))
