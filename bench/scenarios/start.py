"""From exec to the ready line, with a long history on disk.

Knows how to fill a node through the wire; the files are in the page cache, as they
are for an operator who restarts a node.
"""

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError
from bench.generator import Load
from bench.report import Row, Unit
from bench.workbench import Workbench

# Every account number that the classic protocol has.
ACCOUNTS = 90_000
DEPOSITS = 1_000_000
STARTS = 5
KILL_AFTER_S = 0.5


def start(bench: Workbench) -> Sequence[Row]:
    node = Bank(bench)
    with bench.scratch("bank") as data:
        with node.running(data) as bank:
            node.open_accounts(bank, ACCOUNTS)
            node.deposit(bank, DEPOSITS)
        after_stop_s = [_ready_after_stop_s(node, data) for _ in range(STARTS)]
        after_kill_s = [_ready_after_kill_s(node, data) for _ in range(STARTS)]
    what = f"ready with {ACCOUNTS:,} accounts and {ACCOUNTS + DEPOSITS:,} journal entries"
    return [
        Row(
            name="start",
            what=f"`bank serve` {what}",
            measured=f"{median(after_stop_s):.2f} s",
            compared_with=f"slowest of {STARTS}: {max(after_stop_s):.2f} s",
            result=median(after_stop_s),
            unit=Unit.SECONDS,
            at_least=False,
            bar=1.0,
            dream=0.3,
            details={"seconds": after_stop_s},
        ),
        Row(
            name="start-after-kill",
            what="the same after SIGKILL in the middle of deposits",
            measured=f"{median(after_kill_s):.2f} s",
            compared_with=f"slowest of {STARTS}: {max(after_kill_s):.2f} s",
            result=median(after_kill_s),
            unit=Unit.SECONDS,
            at_least=False,
            bar=None,
            details={"seconds": after_kill_s},
        ),
    ]


def _ready_after_stop_s(node: Bank, data: Path) -> float:
    with node.running(data) as bank:
        return bank.ready_s


def _ready_after_kill_s(node: Bank, data: Path) -> float:
    """The time of the next start, which must still know every acknowledged deposit."""
    with node.running(data) as bank:
        before = _total(bank)
        killer = threading.Timer(KILL_AFTER_S, bank.process.stop, [signal.SIGKILL])
        killer.start()
        cut = node.bench.generator.run_unchecked(bank.target, Load("ad"), seconds=10 * KILL_AFTER_S)
        killer.join()
    with node.running(data) as bank:
        gained = _total(bank) - before
        if not cut.acknowledged_total <= gained <= cut.acknowledged_total + cut.unanswered:
            raise BenchError(
                f"{cut.acknowledged_total} deposits were acknowledged before SIGKILL and "
                f"{cut.unanswered} were under way, but {gained} are on disk"
            )
        return bank.ready_s


def _total(bank: RunningBank) -> int:
    return int(bank.ask("BA").removeprefix("BA "))
