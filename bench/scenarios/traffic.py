"""What the traffic log costs: the same node with it and without it.

Knows the key that switches the log.
"""

from collections.abc import Sequence

from bench.bank_server import Bank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.turns import PAIRS_A_ROUND, compare, short, turn
from bench.workbench import Workbench


def traffic(bench: Workbench) -> Sequence[Row]:
    brief = short(bench)
    logged = Bank(brief, settings={"log": {"traffic": True}})
    silent = Bank(brief, settings={"log": {"traffic": False}})
    load = Load("ad")
    # Both are there all the time; the one that has no turn has nothing to do.
    with (
        bench.scratch("logged") as with_log,
        bench.scratch("silent") as without,
        logged.running(with_log) as loud,
        silent.running(without) as mute,
    ):
        logged.open_accounts(loud)
        silent.open_accounts(mute)
        found = compare(
            lambda: turn(logged, loud, load),
            lambda: turn(silent, mute, load),
            PAIRS_A_ROUND * bench.rounds,
        )
    measured, compared = found.rates()
    row = Row(
        name="traffic",
        what="cost of the traffic log, durable AD, 64 connections",
        measured=measured,
        compared_with=f"the same node with `log.traffic: false`: {compared}",
        result=found.cost_percent,
        unit=Unit.PERCENT,
        at_least=False,
        bar=10.0,
        details=found.details(),
    )
    return [row]
