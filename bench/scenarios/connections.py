"""Ten thousand open connections, of which 64 work: refusals, memory, throughput.

Knows what a crowded node must still do; an idle connection counts as taken in only
when the node answered one BC on it, and as kept only when it answers another at the end.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from statistics import median

from bench.bank_server import Bank, RunningBank
from bench.generator import Load, LoadResult
from bench.report import Row, Unit
from bench.workbench import Workbench

IDLE = 10_000
RSS_POLL_S = 0.1
MEGABYTE = 1_000_000


class RssWatch:
    """The highest resident memory seen while the watch was on."""

    def __init__(self) -> None:
        self.max_bytes = 0
        self._stop = threading.Event()

    @contextmanager
    def on(self, bank: RunningBank) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, args=(bank,))
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self, bank: RunningBank) -> None:
        while not self._stop.wait(RSS_POLL_S):
            self.max_bytes = max(self.max_bytes, bank.process.rss_bytes())


def connections(bench: Workbench) -> Sequence[Row]:
    node = Bank(bench)
    alone: list[LoadResult] = []
    crowded: list[LoadResult] = []
    rss_max_bytes: list[int] = []
    for _ in range(bench.rounds):
        with bench.scratch("bank") as data, node.running(data) as bank:
            node.open_accounts(bank)
            alone.append(node.load(bank, Load("ad")))
            watch = RssWatch()
            with watch.on(bank):
                crowded.append(node.load(bank, Load("ad", idle_connections=IDLE)))
            rss_max_bytes.append(watch.max_bytes)
    return _rows(alone, crowded, rss_max_bytes)


def _rows(
    alone: Sequence[LoadResult], crowded: Sequence[LoadResult], rss_max_bytes: Sequence[int]
) -> Sequence[Row]:
    not_served = max(each.idle_asked - each.idle_answered_after for each in crowded)
    ratios = [one.rate / other.rate for one, other in zip(crowded, alone, strict=True)]
    rate = median(each.rate for each in crowded)
    rate_alone = median(each.rate for each in alone)
    what = f"{IDLE:,} idle connections and 64 that deposit"
    return [
        Row(
            name="connections",
            what=f"{what}: refused or lost",
            measured=f"{min(each.idle_answered_after for each in crowded):,} served at the end",
            compared_with="",
            result=not_served,
            unit=Unit.COUNT,
            at_least=False,
            bar=0,
            details={"crowded": [asdict(each) for each in crowded]},
        ),
        Row(
            name="connections-memory",
            what=f"{what}: resident memory of the node",
            measured=f"{max(rss_max_bytes) / MEGABYTE:.0f} MB",
            compared_with="",
            result=max(rss_max_bytes) / MEGABYTE,
            unit=Unit.MEGABYTES,
            at_least=False,
            bar=200,
        ),
        Row(
            name="connections-rate",
            what=f"{what}: throughput",
            measured=f"{rate:,.0f}/s",
            compared_with=f"the same node without the idle ones: {rate_alone:,.0f}/s",
            result=median(ratios),
            unit=Unit.TIMES,
            at_least=True,
            bar=0.8,
            details={"ratios": ratios, "alone": [asdict(each) for each in alone]},
        ),
    ]
