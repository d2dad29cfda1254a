"""What is known of the node right now, and the tasks that keep it fresh.

Knows the link and the shapes of replies; never knows a widget: it calls `changed(topic)`, and the
screen in front asks for what it shows. Everything it keeps is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from bank_node.errors import BankError
from bank_node.telemetry.clock import Clock
from tui import safe
from tui.link import Line, Link, Lost, Rejected, back_off_s
from tui.model.money import Stages, TransferRow
from tui.model.payments import PaymentFlow, PaymentRow
from tui.model.rates import NO_RATES, Past, Rates, between, remembered
from tui.model.replies import Events, Happening, LogLines, Metrics, Status, Traffic, TrafficLines
from tui.model.world import Peers, Replicas, Scan

Item = TypeVar("Item", Happening, Traffic, TransferRow, PaymentRow)

PULSE_S = 1.0
_PEERS_EVERY = 3
_LOOKS_AT_SCAN = 3
# A bank at rest is looked at less often: a console that is left open costs next to nothing.
_QUIET_AFTER = 5
_SLOWER = 2.5
_KEPT = 2_000
_PORTION = 250
_WAIT_S = 15
# A node under load writes more than anybody reads: twice a second is enough, and what the node
# could not keep until then is counted as lost.
_BREATH_S = 0.5


class Tail(Generic[Item]):
    """The last lines of a stream, and how many were missed."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque(maxlen=_KEPT)
        self.cursor: int | None = None
        self.lost = 0
        self.seen = 0
        """Lines that were ever taken in; the number of the newest one."""

    def take(self, items: tuple[Item, ...], cursor: int, lost: int) -> None:
        """Takes a page of the stream in."""
        self.items.extend(items)
        self.seen += len(items)
        if self.cursor is not None:
            # Before the first page nothing was missed: nobody was looking.
            self.lost += lost
        self.cursor = cursor


class Hub:
    """All that the screens show of the node, from one place."""

    def __init__(self, link: Link, clock: Clock, changed: Callable[[str], None]) -> None:
        self.link = link
        self.clock = clock
        self.changed = changed
        self.state = "connecting"
        """What the header shows: a state of the node, `connecting`, `lost` or `paused`."""
        self.trouble = ""
        self.status = Status()
        self.metrics = Metrics()
        self.rates: Rates = NO_RATES
        self.past = Past()
        self.peers = Peers()
        self.scan = Scan()
        self.replicas = Replicas()
        self.seen_us = 0
        """When the node last answered."""
        self.events: Tail[Happening] = Tail()
        self.log: Tail[Happening] = Tail()
        self.traffic: Tail[Traffic] = Tail()
        self.stages: Tail[TransferRow] = Tail()
        self.payments: Tail[PaymentRow] = Tail()
        self.flow = PaymentFlow()
        """The sums of the payments since the node was started."""
        self.pulse_s = PULSE_S
        self.wanted = {"events"}
        """The streams that a screen shows."""
        self._wake = {
            name: asyncio.Event()
            for name in ("pulse", "events", "log", "traffic", "stages", "payments")
        }
        self._running = asyncio.Event()
        self._running.set()
        self._reached = asyncio.Event()
        self._before: Metrics | None = None
        self._beats = 0
        self._quiet = 0
        """Beats in a row that found nothing new."""

    @property
    def now_us(self) -> int:
        """The time, of this machine's clock."""
        return self.clock.now_us()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def pause(self, on: bool) -> None:
        """Holds all figures, or lets them run again."""
        if on:
            self._running.clear()
        else:
            self._before = None
            self._running.set()
            self.wake("pulse")
        self.changed("state")

    def want(self, *streams: str) -> None:
        """Which streams the screen in front shows; events are always read."""
        self.wanted = {"events", *streams}
        for name in streams:
            self.wake(name)

    def wake(self, name: str) -> None:
        """Asks now instead of after the pause."""
        self._wake[name].set()

    async def run(self) -> None:
        """Keeps everything fresh until it is cancelled."""
        link = self.link
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pulse())
            group.create_task(self._follow("events", link.events, self._read_events))
            group.create_task(self._follow("log", link.log, self._read_log))
            group.create_task(self._follow("traffic", link.traffic, self._read_traffic))
            group.create_task(self._follow("stages", link.stages, self._read_stages))
            group.create_task(self._follow("payments", link.payments, self._read_payments))

    async def _pulse(self) -> None:
        failures = 0
        while True:
            await self._running.wait()
            try:
                await self.beat()
            except BankError as error:
                failures += 1
                self._lose(error)
                await self._pause("pulse", back_off_s(failures))
            else:
                failures = 0
                await self._rest()

    async def beat(self) -> None:
        """Asks for the status and the figures, and now and then for the other banks."""
        pulse = self.link.pulse
        self.status = await pulse.ask("OS", Status, background=True)
        self.metrics = await pulse.ask("OM", Metrics, background=True)
        if self._before is not None and self.metrics.now_us < self._before.now_us:
            self._before = None
        self.rates = between(self._before, self.metrics)
        if self._before is not None:
            self.past = remembered(self.past, self.rates, self.metrics)
        still = self._before is not None and (
            self._before.batches == self.metrics.batches
            and self._before.connections_accepted == self.metrics.connections_accepted
            and not self.rates.requests_per_s
        )
        self._quiet = self._quiet + 1 if still else 0
        self._before = self.metrics
        self.seen_us = self.now_us
        self.trouble = ""
        self.state = self.status.state
        self._reached.set()
        self.changed("status")
        if self._beats % _PEERS_EVERY == 0 or self.scan.running:
            await self.look_round()
        self._beats += 1

    async def look_round(self) -> None:
        """Asks for the peers and the scan; a node that knows no other banks has none to tell."""
        pulse = self.link.pulse
        with suppress(Rejected):
            self.peers = await pulse.ask("OP", Peers, background=True)
            self.scan = await pulse.ask("ON", Scan, background=True)
        with suppress(Rejected):
            self.replicas = await pulse.ask("OR", Replicas, background=True)
        self.changed("peers")

    async def _rest(self) -> None:
        """Waits for the next beat; a scan is over in seconds, so it is looked at more often."""
        for _ in range(_LOOKS_AT_SCAN):
            if not self.scan.running or self.paused:
                break
            await self._pause("pulse", self.pulse_s / (_LOOKS_AT_SCAN + 1))
            with suppress(BankError):
                await self.look_round()
        else:
            await self._pause("pulse", self.pulse_s / (_LOOKS_AT_SCAN + 1))
            return
        await self._pause("pulse", self.pulse_s * (_SLOWER if self._quiet > _QUIET_AFTER else 1))

    def _lose(self, error: BankError) -> None:
        """A node that is gone is shown as gone; one that answers nonsense, as one that errs."""
        self.state = "lost" if isinstance(error, Lost) else "error"
        self.trouble = safe.line(error, 200)
        self._reached.clear()
        self._before = None
        self.rates = NO_RATES
        self.changed("state")

    async def _follow(self, name: str, line: Line, read: Callable[[Line], Awaitable[None]]) -> None:
        """One stream: asked as long as it is wanted, at once after a reply that had something."""
        failures = 0
        while True:
            if name not in self.wanted:
                await line.close()
                self._wake[name].clear()
                await self._wake[name].wait()
                continue
            await self._running.wait()
            await self._reached.wait()
            try:
                await read(line)
            except BankError as error:
                failures += 1
                self.trouble = safe.line(error, 200)
                await self._pause(name, back_off_s(failures))
            else:
                failures = 0
                self.changed(name)
                await self._pause(name, _BREATH_S)

    async def _pause(self, name: str, seconds: float) -> None:
        wake = self._wake[name]
        try:
            await asyncio.wait_for(wake.wait(), seconds)
        except TimeoutError:
            return
        wake.clear()

    def _question(
        self,
        code: str,
        tail: Tail[Happening] | Tail[Traffic] | Tail[TransferRow] | Tail[PaymentRow],
    ) -> str:
        after = "" if tail.cursor is None else f" after={tail.cursor} wait={_WAIT_S}"
        return f"{code}{after} count={_PORTION}"

    async def _read_events(self, line: Line) -> None:
        page = await line.ask(self._question("OE", self.events), Events, background=True)
        self.events.take(page.events, page.next, page.lost)

    async def _read_log(self, line: Line) -> None:
        page = await line.ask(self._question("OL", self.log), LogLines, background=True)
        self.log.take(page.lines, page.next, page.lost)

    async def _read_traffic(self, line: Line) -> None:
        page = await line.ask(self._question("OT", self.traffic), TrafficLines, background=True)
        self.traffic.take(page.lines, page.next, page.lost)

    async def _read_stages(self, line: Line) -> None:
        page = await line.ask(self._question("OO", self.stages), Stages, background=True)
        self.stages.take(page.stages, page.next, page.lost)

    async def _read_payments(self, line: Line) -> None:
        page = await line.ask(self._question("OQ", self.payments), PaymentFlow, background=True)
        self.flow = page
        self.payments.take(page.rows, page.next, page.lost)

    async def breathe(self, seconds: float) -> None:
        """Waits a moment between two looks at something that is under way."""
        await asyncio.sleep(seconds)
