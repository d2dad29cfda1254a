"""What a console costs: the same node under full load, alone and while an operator watches it.

The console is a real one in a terminal of its own, and somebody goes through its screens.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.bank_server import Bank, RunningBank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.duels import rates_text
from bench.terminal import Terminal, console
from bench.workbench import Measurement, Workbench

ACCOUNTS = 90_000
_START_S = 20.0
_LOOK_S = 1.0
_PATIENCE_S = 5.0
# Accounts, Network, Log, which shows every request as it happens, and Overview, where a console
# begins: each key leads to another screen, and so draws something.
_SCREENS = (b"2", b"3", b"7", b"1")
_BANK = (sys.executable, "-m", "bank_node")


def watched(bench: Workbench) -> Sequence[Row]:
    bank, load = Bank(bench), Load("ad")
    delays_ms: list[float] = []
    with bench.scratch("watched") as data, bank.running(data) as running:
        bank.open_accounts(running, ACCOUNTS)
        rounds = [_one_round(bank, running, load, data, delays_ms) for _ in range(bench.rounds)]
    costs = [100 * (1 - seen.rate / alone.rate) for alone, seen in rounds]
    alone, seen = [pair[0] for pair in rounds], [pair[1] for pair in rounds]
    what = f"durable AD, 64 connections, {ACCOUNTS:,} accounts"
    return [
        Row(
            name="watched",
            what=f"cost of an attached console whose screens are gone through, {what}",
            measured=rates_text(seen),
            compared_with=f"the same node without a console: {rates_text(alone)}",
            result=median(costs),
            unit=Unit.PERCENT,
            at_least=False,
            bar=5.0,
            details={"costs": costs},
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


def _one_round(
    bank: Bank, running: RunningBank, load: Load, data: Path, delays_ms: list[float]
) -> tuple[Measurement, Measurement]:
    alone = _measured(bank, running, load)
    with console(_BANK, data) as terminal, _somebody(terminal, delays_ms):
        seen = _measured(bank, running, load)
    return alone, seen


def _measured(bank: Bank, running: RunningBank, load: Load) -> Measurement:
    result = bank.load(running, load)
    return Measurement(result.rate, {"p99_us": result.p99_us})


@contextmanager
def _somebody(terminal: Terminal, delays_ms: list[float]) -> Iterator[None]:
    """Goes through the screens, a look at each, until the block ends."""
    terminal.drawn(b"serving", _START_S)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for key in _SCREENS:
                delays_ms.append(terminal.press(key, _PATIENCE_S))
                terminal.read_for(_LOOK_S)

    somebody = threading.Thread(target=look)
    somebody.start()
    try:
        yield
    finally:
        stop.set()
        somebody.join()
