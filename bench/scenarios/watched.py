"""What a console costs: the same node under full load, alone and while an operator watches it.

The console is a real one in a terminal of its own, and somebody goes through its screens.
"""

import itertools
import sys
import time
from collections.abc import Sequence
from statistics import median

from bench.bank_server import Bank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.turns import Gauge, Turn, compare, loaded
from bench.terminal import console
from bench.workbench import Workbench

ACCOUNTS = 90_000
_START_S = 20.0
_PATIENCE_S = 5.0
# A turn is a look at a screen. Shorter ones would consist of what a halted console has to catch up.
_TURN_S = 1.0
# How much longer all turns of a round take than a measurement.
_MEASUREMENTS_A_ROUND = 6
# Afterwards the console stays awake, and somebody looks at each screen some times.
_LOOKS = 12
_LOOKS_TAKE_S = 1.25 * _LOOKS * _TURN_S
# What a halted console has missed is drawn before anything is measured again.
_CATCH_UP_S = 0.5
# Accounts, Network, Log, which shows every request as it happens, and Overview, where a console
# begins: each key leads to another screen, and so draws something.
_SCREENS = (b"2", b"3", b"7", b"1")
_BANK = (sys.executable, "-m", "bank_node")


def watched(bench: Workbench) -> Sequence[Row]:
    bank, load = Bank(bench), Load("ad")
    seconds = bench.seconds * bench.rounds * _MEASUREMENTS_A_ROUND + _LOOKS_TAKE_S
    delays_ms: list[float] = []
    with bench.scratch("watched") as data, bank.running(data) as running:
        bank.open_accounts(running, ACCOUNTS)
        with console(_BANK, data) as terminal, Gauge(data, "AD") as gauge:
            terminal.drawn(b"serving", _START_S)
            keys = itertools.cycle(_SCREENS)

            def seen() -> Turn:
                with terminal.awake(_CATCH_UP_S):
                    before, ends_s = gauge.read(), time.monotonic() + _TURN_S
                    terminal.press(next(keys), _PATIENCE_S)
                    terminal.read_for(ends_s - time.monotonic())
                    return before.until(gauge.read())

            with terminal.halted(), loaded(bench, running, load, seconds) as left_s:
                found = compare(seen, lambda: gauge.turn(_TURN_S), lambda: left_s() - _LOOKS_TAKE_S)
                with terminal.awake(_TURN_S):
                    for key in itertools.islice(keys, _LOOKS):
                        delays_ms.append(terminal.press(key, _PATIENCE_S))
                        terminal.read_for(_TURN_S)
    measured, compared = found.rates()
    what = f"durable AD, 64 connections, {ACCOUNTS:,} accounts"
    return [
        Row(
            name="watched",
            what=f"cost of an attached console whose screens are gone through, {what}",
            measured=measured,
            compared_with=(
                f"the same node while the console is halted: {compared}; {found.median_of}"
            ),
            result=found.cost_percent,
            unit=Unit.PERCENT,
            at_least=False,
            bar=5.0,
            details=found.details(),
        ),
        Row(
            name="watched-keys",
            what="longest wait of that console between a key and what it draws",
            measured=f"{max(delays_ms):.0f} ms",
            compared_with=f"median of {len(delays_ms)} keys: {median(delays_ms):.0f} ms",
            result=max(delays_ms) / 1000,
            unit=Unit.SECONDS,
            at_least=False,
            bar=0.25,
            details={"delays_ms": delays_ms},
        ),
    ]
