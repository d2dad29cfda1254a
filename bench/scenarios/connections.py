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
from bench.scenarios.pairs import in_pairs, short_turns
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
    bench = short_turns(bench)
    node = Bank(bench)
    watch = RssWatch()
    with bench.scratch("bank") as data, node.running(data) as bank, watch.on(bank):
        node.open_accounts(bank)
        pairs = in_pairs(
            bench,
            lambda: node.load(bank, Load("ad", idle_connections=IDLE)),
            lambda: node.load(bank, Load("ad")),
        )
    return _rows(pairs, watch.max_bytes)


def _rows(pairs: Sequence[tuple[LoadResult, LoadResult]], rss_max_bytes: int) -> Sequence[Row]:
    """Rows of pairs with the idle connections and without."""
    crowded, alone = zip(*pairs, strict=True)
    not_served = max(each.idle_asked - each.idle_answered_after for each in crowded)
    ratios = [one.rate / other.rate for one, other in pairs]
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
            measured=f"{rss_max_bytes / MEGABYTE:.0f} MB",
            compared_with="",
            result=rss_max_bytes / MEGABYTE,
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
