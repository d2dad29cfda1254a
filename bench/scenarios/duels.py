"""Rates of the bank against a rival under the same load, pair by pair.

Knows who meets whom and the bars. While the one is measured the other is at rest.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median

from bench.bank_server import Bank, naive_bank
from bench.generator import Load
from bench.postgres_server import Postgres
from bench.redis_server import Redis
from bench.report import Row, Unit
from bench.scenarios.pairs import in_pairs, short_turns
from bench.workbench import Measurement, Player, Workbench


@contextmanager
def _redis(bench: Workbench) -> Iterator[Player]:
    yield Redis(bench)


@contextmanager
def _postgres(bench: Workbench) -> Iterator[Player]:
    with bench.scratch("postgres") as folder:
        yield Postgres(bench, folder)


@contextmanager
def _naive(bench: Workbench) -> Iterator[Player]:
    yield naive_bank(bench)


@dataclass(frozen=True, slots=True)
class Duel:
    name: str
    what: str
    ours: Load
    rival: Callable[[Workbench], AbstractContextManager[Player]]
    theirs: Load
    bar: float
    dream: float | None


DUELS = (
    Duel(
        name="ad64",
        what="durable AD, 64 connections, 1 in flight",
        ours=Load("ad"),
        rival=_redis,
        theirs=Load("incrby"),
        bar=0.4,
        dream=1.0,
    ),
    Duel(
        name="ad64x16",
        what="durable AD, 64 connections, 16 in flight",
        ours=Load("ad", in_flight=16),
        rival=_redis,
        theirs=Load("incrby", in_flight=16),
        bar=0.25,
        dream=0.6,
    ),
    Duel(
        name="pgbench",
        what="durable AD, 64 connections, 1 in flight",
        ours=Load("ad"),
        rival=_postgres,
        theirs=Load("simple-update"),
        bar=4.0,
        dream=10.0,
    ),
    Duel(
        name="peer",
        what="durable AD, 64 connections, 1 in flight",
        ours=Load("ad"),
        rival=_naive,
        theirs=Load("ad"),
        bar=10.0,
        dream=100.0,
    ),
    Duel(
        name="ab64",
        what="AB, 64 connections, 1 in flight",
        ours=Load("ab"),
        rival=_redis,
        theirs=Load("exists"),
        bar=0.4,
        dream=1.0,
    ),
    Duel(
        name="ad1",
        what="durable AD, one connection alone",
        ours=Load("ad", connections=1),
        rival=_redis,
        theirs=Load("incrby", connections=1),
        bar=0.6,
        dream=None,
    ),
)


def duel(which: Duel, bench: Workbench) -> Sequence[Row]:
    bench = short_turns(bench)
    with (
        which.rival(bench) as rival,
        rival.ready(which.theirs) as measure_rival,
        Bank(bench).ready(which.ours) as measure_bank,
    ):
        pairs = in_pairs(bench, measure_bank, measure_rival)
        name = f"{rival.name}, {which.theirs.command}" if which.rival is _redis else rival.name
    ours, theirs = zip(*pairs, strict=True)
    ratios = [one.rate / other.rate for one, other in pairs]
    row = Row(
        name=which.name,
        what=which.what,
        measured=rates_text(ours),
        compared_with=f"{name}: {rates_text(theirs)}",
        result=median(ratios),
        unit=Unit.TIMES,
        at_least=True,
        bar=which.bar,
        dream=which.dream,
        details={
            "ratios": ratios,
            "bank": [each.details for each in ours],
            "rival": [each.details for each in theirs],
        },
    )
    return [row]


def rates_text(measurements: Sequence[Measurement]) -> str:
    return f"{median(each.rate for each in measurements):,.0f}/s"
