"""What the traffic log costs: the same node under one load, with it and without it.

Knows the key that switches the log.
"""

import time
from collections.abc import Sequence

from bench.bank_server import Bank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.turns import Gauge, Turn, compare, loaded
from bench.workbench import Workbench

# The speed of a shared machine swings as far from one tenth of a second to the next as from one
# second to the next. So what makes a median steady is the number of turns.
_TURN_S = 0.1
# How much longer all turns of a round take than a measurement.
_MEASUREMENTS_A_ROUND = 5


def traffic(bench: Workbench) -> Sequence[Row]:
    node, load = Bank(bench), Load("ad")
    seconds = bench.seconds * bench.rounds * _MEASUREMENTS_A_ROUND
    with bench.scratch("logged") as data, node.running(data) as running:
        node.open_accounts(running)
        with Gauge(data, "AD") as gauge:

            def turn(is_logged: str) -> Turn:
                """Begins and ends without the log: what it still holds is written in its turn."""
                before = gauge.read()
                _switch(gauge, is_logged)
                time.sleep(_TURN_S)
                _switch(gauge, "false")
                return before.until(gauge.read())

            _switch(gauge, "false")
            with loaded(bench, running, load, seconds) as left_s:
                found = compare(lambda: turn("true"), lambda: turn("false"), left_s)
    measured, compared = found.rates()
    row = Row(
        name="traffic",
        what="cost of the traffic log, durable AD, 64 connections",
        measured=measured,
        compared_with=f"the same node while `log.traffic` is off: {compared}; {found.median_of}",
        result=found.cost_percent,
        unit=Unit.PERCENT,
        at_least=False,
        bar=10.0,
        details=found.details(),
    )
    return [row]


def _switch(gauge: Gauge, value: str) -> None:
    gauge.operator.ask(f"OH key=log.traffic value={value} save=0")
