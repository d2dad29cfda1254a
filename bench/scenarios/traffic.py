"""What the traffic log costs: the same node with it and without it.

Knows the key that switches the log.
"""

from collections.abc import Sequence
from statistics import median

from bench.bank_server import Bank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.duels import rates_text
from bench.workbench import Workbench


def traffic(bench: Workbench) -> Sequence[Row]:
    logged = Bank(bench, settings={"log": {"traffic": True}})
    silent = Bank(bench, settings={"log": {"traffic": False}})
    load = Load("ad")
    rounds = [(logged.measure(load), silent.measure(load)) for _ in range(bench.rounds)]
    costs = [100 * (1 - with_log.rate / without.rate) for with_log, without in rounds]
    with_log, without = [pair[0] for pair in rounds], [pair[1] for pair in rounds]
    row = Row(
        name="traffic",
        what="cost of the traffic log, durable AD, 64 connections",
        measured=rates_text(with_log),
        compared_with=f"the same node with `log.traffic: false`: {rates_text(without)}",
        result=median(costs),
        unit=Unit.PERCENT,
        at_least=False,
        bar=10.0,
        details={
            "costs": costs,
            "logged": [each.details for each in with_log],
            "silent": [each.details for each in without],
        },
    )
    return [row]
