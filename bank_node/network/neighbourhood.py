"""The network thread: finds the banks around, keeps the directory true, and asks them things.

One event loop on one thread. Everybody else reads the directory, whose rows never change, and
hands over what is to be done here. Knows nothing of money.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bank_node.network.client import ask
from bank_node.network.exchange import Deadlines, Endpoint
from bank_node.network.loops import new_loop
from bank_node.network.peers import Directory, Peer
from bank_node.network.peers_file import load_peers, save_peers
from bank_node.network.reach import Reach
from bank_node.network.replies import Answer
from bank_node.network.scanner import Event, ScanEnded, ScanLimits, Scanner
from bank_node.network.survey import Figuring, Surveyor
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.traffic_lines import OUTGOING, Record
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

_SAVE_EVERY_S = 30.0
# How much longer than the answer itself a thread waits for it to be handed over.
_HAND_OVER_S = 1.0

Result = TypeVar("Result")


class Outside(NamedTuple):
    """What a neighbourhood is told and handed by the node."""

    clock: Clock
    tell: Callable[[Event], None]
    log: Callable[[list[Record]], None] | None
    file: Path | None
    """Where peers are remembered; None remembers nothing."""


class Neighbourhood:
    """The banks around this one."""

    def __init__(self, own: BankCode, reach: Reach, limits: ScanLimits, outside: Outside) -> None:
        self.directory = Directory(own, outside.tell)
        self.reach = reach
        self._limits = limits
        self._outside = outside
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._scanner: Scanner
        self._surveyor: Surveyor
        self._stopping: asyncio.Event
        self._background: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Recalls the peers of the last run and begins to look around."""
        self._thread.start()
        self._ready.result()

    def stop(self, deadline_s: float) -> None:
        """Ends all asking and writes down who is there."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(deadline_s)

    def now(self) -> float:
        """Monotonic seconds, by which the directory counts."""
        return self._outside.clock.monotonic_ns() / 1e9

    # From any thread

    def post(self, call: Callable[..., object], *arguments: object) -> None:
        """Has something called on the network thread, such as a method of the directory."""
        # A call after the end reports on a run that is over.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)

    def find(self, bank: BankCode, within_s: float, done: Callable[[Peer | None], object]) -> None:
        """Looks for the bank at an address; `done` is called on the network thread."""

        async def look() -> None:
            peer = None
            try:
                peer = await self._scanner.find(bank, within_s)
            finally:
                done(peer)

        self.post(lambda: self._spawn(look()))

    def survey(self, within_s: float, trace: int) -> Figuring:
        """The figures of all other banks; blocks for `within_s` at most."""
        surveyed = self.wait_for(lambda: self._surveyor.survey(within_s, trace), within_s)
        return surveyed if surveyed is not None else Figuring((), ())

    def scan(self, timeout_s: float) -> ScanEnded | None:
        """Scans, or waits for the scan that runs; None if it takes longer than `timeout_s`."""
        return self.wait_for(lambda: self._scanner.scan(), timeout_s)

    def begin_scan(self) -> None:
        """Begins a scan unless one runs."""

        async def scan() -> None:
            await self._scanner.scan()

        self.post(lambda: self._spawn(scan()))

    def adopt(self, reach: Reach, limits: ScanLimits) -> None:
        """Goes on with changed settings; static peers that they no longer name are forgotten."""
        self.reach = reach
        self.post(self._adopt, reach, limits)

    def forget(self, bank: BankCode) -> None:
        """Drops what is known of a bank; one that still lives is found again."""
        self.post(self.directory.forget, bank)

    def look_again(self, bank: BankCode, within_s: float, trace: int) -> Peer | None:
        """Asks a bank for its code and its figures now; blocks. None if no bank answers there."""

        async def look() -> Peer | None:
            peer = await self._scanner.look_again(bank, within_s)
            if peer is not None:
                await self._surveyor.survey_one(peer, within_s, trace)
            return self.directory.verified(bank)

        return self.wait_for(look, 2 * within_s)

    def cancel_scan(self) -> None:
        """Ends the scan that runs."""
        self.post(lambda: self._scanner.cancel_scan())

    def ask(self, endpoint: Endpoint, line: str, within_s: float, trace: int) -> Answer | None:
        """Asks any bank anything; blocks. None if nothing came in time, not even an outcome."""
        deadlines = Deadlines(within_s, within_s, within_s)
        return self.wait_for(lambda: self.traced(endpoint, line, deadlines, trace), within_s)

    def wait_for(self, work: Callable[[], Awaitable[Result]], timeout_s: float) -> Result | None:
        """Has work done on the network thread and waits for it; None if that takes too long."""

        async def run() -> Result:
            return await work()

        coroutine = run()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            return None
        try:
            return future.result(timeout_s + _HAND_OVER_S)
        except (TimeoutError, asyncio.CancelledError):
            future.cancel()
            return None

    # On the network thread

    async def traced(
        self, endpoint: Endpoint, line: str, deadlines: Deadlines, trace: int
    ) -> Answer:
        """Asks a bank and writes down what came of it."""
        started_ns = self._outside.clock.monotonic_ns()
        answer = await ask(endpoint, line, deadlines)
        if self._outside.log is not None:
            us = (self._outside.clock.monotonic_ns() - started_ns) // 1000
            told = answer.text.encode()
            self._outside.log([self.record(endpoint, line.encode(), told, us, trace)])
        return answer

    def record(self, endpoint: Endpoint, line: bytes, told: bytes, us: int, trace: int) -> Record:
        """The line of the traffic log for a question of this bank."""
        when = self._outside.clock.now_us() / 1e6
        host, port = endpoint
        return (when, f"{OUTGOING}{host}:{port}", line, told, us, trace)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            try:
                runner.run(self._live())
            except BaseException as error:
                if self._ready.done():
                    _log.exception("the network thread has ended")
                else:
                    self._ready.set_exception(error)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._scanner = Scanner(
            self.reach, self.directory, self._limits, self.now, self._outside.tell
        )
        self._surveyor = Surveyor(self.directory, self.traced, self.now)
        self._recall()
        work = [asyncio.create_task(self._scanner.run()), asyncio.create_task(self._keep())]
        self._ready.set_result(None)
        await self._stopping.wait()
        work += self._background
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        self._save()

    def _adopt(self, reach: Reach, limits: ScanLimits) -> None:
        self._limits = limits
        self._scanner.adopt(reach, limits)
        named = {peer.host for peer in reach.peers}
        for row in self.directory.snapshot():
            if row.is_static and row.code not in named:
                self.directory.forget(row.code)
        for peer in reach.peers:
            self.directory.add_static(peer.host, peer.port, self.now())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _recall(self) -> None:
        now = self.now()
        for peer in self.reach.peers:
            self.directory.add_static(peer.host, peer.port, now)
        if self._outside.file is not None:
            for row in load_peers(self._outside.file, now, self._outside.clock.now_us() / 1e6):
                if self.reach.allows(row.code):
                    self.directory.remember(row)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY_S)
            await asyncio.to_thread(self._save)

    def _save(self) -> None:
        if self._outside.file is None:
            return
        try:
            save_peers(
                self._outside.file,
                self.directory.snapshot(),
                self.now(),
                self._outside.clock.now_us() / 1e6,
            )
        except OSError as error:
            _log.warning("the peers cannot be written down: %s", error)
