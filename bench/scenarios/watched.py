"""What a console costs: the same node under full load, alone and while an operator watches it.

The console is a real one in a terminal of its own, and somebody goes through its screens.
"""

import itertools
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from bench.bank_server import Bank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.turns import PAIRS_A_ROUND, Turn, compare, short, turn
from bench.terminal import Terminal, console
from bench.workbench import Workbench

ACCOUNTS = 90_000
_START_S = 20.0
_LOOK_S = 1.0
_PATIENCE_S = 5.0
# A turn lasts some looks.
_SHARE_OF_MEASUREMENT = 0.5
# What a halted console has missed is drawn before anybody presses a key again.
_CATCH_UP_S = 0.3
# Accounts, Network, Log, which shows every request as it happens, and Overview, where a console
# begins: each key leads to another screen, and so draws something.
_SCREENS = (b"2", b"3", b"7", b"1")
_BANK = (sys.executable, "-m", "bank_node")


def watched(bench: Workbench) -> Sequence[Row]:
    bank, load = Bank(short(bench, _SHARE_OF_MEASUREMENT)), Load("ad")
    delays_ms: list[float] = []
    with bench.scratch("watched") as data, bank.running(data) as running:
        bank.open_accounts(running, ACCOUNTS)
        with console(_BANK, data) as terminal:
            terminal.drawn(b"serving", _START_S)
            keys = itertools.cycle(_SCREENS)

            def seen() -> Turn:
                with terminal.awake(_CATCH_UP_S), _somebody(terminal, keys, delays_ms):
                    return turn(bank, running, load)

            with terminal.halted():
                found = compare(
                    seen,
                    lambda: turn(bank, running, load),
                    PAIRS_A_ROUND // 2 * bench.rounds,
                )
    measured, compared = found.rates()
    what = f"durable AD, 64 connections, {ACCOUNTS:,} accounts"
    return [
        Row(
            name="watched",
            what=f"cost of an attached console whose screens are gone through, {what}",
            measured=measured,
            compared_with=f"the same node while the console is halted: {compared}",
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


@contextmanager
def _somebody(terminal: Terminal, keys: Iterator[bytes], delays_ms: list[float]) -> Iterator[None]:
    """Goes through the screens, a look at each, until the block ends."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            delays_ms.append(terminal.press(next(keys), _PATIENCE_S))
            terminal.read_for(_LOOK_S)

    somebody = threading.Thread(target=look)
    somebody.start()
    try:
        yield
    finally:
        stop.set()
        somebody.join()
