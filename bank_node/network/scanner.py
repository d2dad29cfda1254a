"""Finds banks and keeps an eye on those that are known: scans, finding one address, verifying.

Runs on the network thread and decides which addresses are dialled when; the reach has the last
word. Knows nothing of money.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from bank_node.network.client import ask
from bank_node.network.knock import Knock, NoSocket, knock
from bank_node.network.lookout import Ask, HeldBack, LookLimits, Lookout
from bank_node.network.peers import Directory, Peer, PeerFound, PeerLost, State
from bank_node.network.reach import Reach
from bank_node.network.rounds import Rounds, verify_at
from bank_node.values import BANK_PORTS, BankCode

_log = logging.getLogger(__name__)

# Requests a minute that verifying leaves to those who have business with a stranger.
_BUDGET_LEFT = 25
# A bank that answered so recently need not be asked again by a scan.
_FRESH_S = 2.0
# Where nobody was found, nobody is looked for again for so long; a bank that was there before is
# perhaps only started anew, and somebody waits to pay it.
_NOBODY_S = 2.0
_AWAY_S = 0.25
_NOBODIES_MAX = 4096
# A scan waits so long for its last banks to introduce themselves.
_INTRODUCTIONS_S = 1.0
_TICK_S = 0.5
_NO_SOCKET_PAUSE_S = 0.25
_NO_SOCKET_TRIES = 4
_PROGRESS_STEPS = 200
# Peers that a scan asks first, those of which most is hoped for before the others.
_REMEMBERED = {State.VERIFIED: 0, State.SILENT: 1, State.KNOWN: 2}


class ScanStarted(NamedTuple):
    """A scan began; `addresses` is how many it visits, the own one included."""

    addresses: int


class ScanProgressed(NamedTuple):
    """So many addresses of a scan are done; `found` of them are banks."""

    done: int
    total: int
    found: int


class ScanEnded(NamedTuple):
    """A scan is over; `found` counts the banks that answered, the own one included."""

    seconds: float
    found: int
    cancelled: bool


ScanEvent = ScanStarted | ScanProgressed | ScanEnded
Event = ScanEvent | PeerFound | PeerLost


class ScanLimits(NamedTuple):
    """How hard the scanner may work; the settings `network.scan_*` describe the first four."""

    processes: int = 256
    time_out_s: float = 0.5
    every_s: float = 60.0
    rate: float = 200.0
    sockets_max: int = 4096
    """Sockets that may be open at once for looking around."""

    @property
    def at_once(self) -> int:
        """Addresses at once: each takes a socket for each port."""
        return max(1, min(self.processes, self.sockets_max // len(BANK_PORTS)))

    @property
    def of_looks(self) -> LookLimits:
        return LookLimits(self.time_out_s, self.at_once, self.rate)


class Scanner:
    """Looks around for banks. All methods belong to the loop on which it runs."""

    def __init__(
        self,
        reach: Reach,
        directory: Directory,
        limits: ScanLimits,
        now: Callable[[], float],
        tell: Callable[[ScanEvent], None] = lambda event: None,
        *,
        ask: Ask = ask,
        knock: Knock = knock,
    ) -> None:
        """`now` is monotonic seconds; `tell` hears of scans (of peers the directory tells)."""
        self._reach = reach
        self._directory = directory
        self._limits = limits
        self._now = now
        self._tell = tell
        self._lookout = Lookout(directory, limits.of_looks, now, ask, knock)
        self._rounds = Rounds(limits.every_s)
        self._nobody_until: dict[str, float] = {}
        self._verifying: set[str] = set()
        self._introducing: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._scan: asyncio.Task[ScanEnded] | None = None

    async def run(self) -> None:
        """Verifies known peers and scans on schedule, until it is cancelled."""
        try:
            while True:
                self._verify_due()
                if self._rounds.is_due(self._now()):
                    self._scanning()
                await asyncio.sleep(_TICK_S)
        finally:
            await self.close()

    def adopt(self, reach: Reach, limits: ScanLimits) -> None:
        """Takes changed settings over; a scan that runs is ended, because its subnets are old."""
        self.cancel_scan()
        if limits.every_s != self._limits.every_s:
            self._rounds = Rounds(limits.every_s)
        self._reach = reach
        self._limits = limits
        self._lookout.adopt(limits.of_looks)

    @property
    def is_scanning(self) -> bool:
        return self._scan is not None and not self._scan.done()

    async def scan(self) -> ScanEnded:
        """Visits all addresses; whoever asks while a scan runs gets the end of that one.

        A caller that is cancelled leaves the scan to the others; `cancel_scan` ends it.
        """
        scan = self._scanning()
        await asyncio.wait((scan,))
        return scan.result() if not scan.cancelled() else ScanEnded(0.0, 0, cancelled=True)

    def cancel_scan(self) -> None:
        """Ends the scan that runs, if one does; those who wait for it are told how far it came."""
        if self._scan is not None:
            self._scan.cancel()

    async def find(self, address: BankCode, within_s: float) -> Peer | None:
        """The verified peer at an address, looked for on all ports if it is not known yet.

        None if there is none, if it takes longer, or if the address may not be dialled. Where
        nobody was found a moment ago, nobody is looked for again.
        """
        peer = self._directory.verified(address)
        if peer is not None or not self._reach.allows(address):
            return peer
        if self._now() < self._nobody_until.get(address, 0.0):
            return None
        try:
            async with asyncio.timeout(within_s):
                found = await self._lookout.search(address, within_s=within_s)
        except (TimeoutError, NoSocket, HeldBack):
            return None
        if not found:
            self._nobody_at(address)
            return None
        self._introduce(address)
        return self._directory.verified(address)

    async def look_again(self, address: BankCode, within_s: float) -> Peer | None:
        """Asks at an address afresh, whatever is known of it; who is verified then, if anybody."""
        self._nobody_until.pop(address, None)
        if self._directory.verified(address) is None:
            return await self.find(address, within_s)
        with suppress(TimeoutError, NoSocket, HeldBack):
            async with asyncio.timeout(within_s):
                await self._lookout.verify(address, within_s=within_s)
        return self._directory.verified(address)

    async def close(self) -> None:
        """Ends everything that is under way."""
        tasks: list[asyncio.Task[Any]] = [*self._background]
        if self._scan is not None:
            tasks.append(self._scan)
        for task in tasks:
            task.cancel()
        self._lookout.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Scans

    def _scanning(self) -> asyncio.Task[ScanEnded]:
        if self._scan is None or self._scan.done():
            self._scan = asyncio.create_task(self._scan_all())
        return self._scan

    async def _scan_all(self) -> ScanEnded:
        start, before = self._now(), self._verified()
        remembered = self._remembered()
        beside = sum(not self._reach.visits(address) for address in remembered)
        tally = _Tally(1 + self._reach.count + beside, self._tell)
        self._tell(ScanStarted(tally.total))
        if self._reach.is_cut:
            _log.warning(
                "a scan visits %d of %d addresses, see network.scan_addresses_max",
                self._reach.count,
                self._reach.total,
            )
        tally.count(found=True)  # The own bank, which needs no dialling.
        cancelled = False
        try:
            addresses = self._addresses(remembered)
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(self._limits.at_once, tally.total)):
                    workers.create_task(self._work(addresses, tally))
            if self._introducing:
                await asyncio.wait(self._introducing, timeout=_INTRODUCTIONS_S)
        except asyncio.CancelledError:
            cancelled = True
        now = self._now()
        self._rounds.ended(now, changed=self._verified() != before)
        ended = ScanEnded(now - start, tally.found, cancelled)
        self._tell(ended)
        return ended

    def _remembered(self) -> list[BankCode]:
        peers = [
            peer
            for peer in self._directory.snapshot()
            if peer.state in _REMEMBERED and self._reach.allows(peer.code)
        ]
        return [peer.code for peer in sorted(peers, key=lambda peer: _REMEMBERED[peer.state])]

    def _addresses(self, remembered: list[BankCode]) -> Iterator[BankCode]:
        yield from remembered
        asked = frozenset(remembered)
        yield from (address for address in self._reach.addresses() if address not in asked)

    def _verified(self) -> frozenset[tuple[BankCode, int | None]]:
        peers = self._directory.snapshot()
        return frozenset((peer.code, peer.port) for peer in peers if peer.is_verified)

    async def _work(self, addresses: Iterator[BankCode], tally: "_Tally") -> None:
        for address in addresses:
            tally.count(found=await self._visit(address))

    async def _visit(self, address: BankCode) -> bool:
        """One address of a scan: whether a bank answered there."""
        peer = self._directory.verified(address)
        if peer and not peer.failures and self._now() - (peer.asked_at or 0.0) < _FRESH_S:
            return True
        for _ in range(_NO_SOCKET_TRIES):
            try:
                if await self._lookout.search(address):
                    self._introduce(address)
                    return True
                break
            except NoSocket as error:
                _log.warning("the scan waits, there is no socket for %s: %s", address, error)
                await asyncio.sleep(_NO_SOCKET_PAUSE_S)
            except Exception:  # One stranger must not be able to end every scan.
                _log.exception("looking at %s failed", address)
                break
        return False

    def _nobody_at(self, address: str) -> None:
        if len(self._nobody_until) >= _NOBODIES_MAX:
            self._nobody_until.clear()
        now, peer = self._now(), self._directory.get(address)
        is_away = peer and peer.port is not None and self._directory.budgets.left(address, now) > 0
        self._nobody_until[address] = now + (_AWAY_S if is_away else _NOBODY_S)

    # Verifying

    def _verify_due(self) -> None:
        """Begins to ask every peer whose time has come."""
        now = self._now()
        peers = self._directory.snapshot()
        for peer in peers:
            if (
                now >= verify_at(peer, len(peers))
                and peer.code not in self._verifying
                and self._reach.allows(peer.code)
                and self._may_bother(peer, now)
            ):
                self._spawn(self._verify(peer))

    def _may_bother(self, peer: Peer, now: float) -> bool:
        """Whether a question that serves only us leaves a stranger enough patience."""
        if not peer.is_classic:
            return True
        return self._directory.budgets.left(peer.code, now) > _BUDGET_LEFT

    async def _verify(self, peer: Peer) -> None:
        self._verifying.add(peer.code)
        try:
            await self._lookout.verify(peer.code, within_s=_TICK_S)
            self._introduce(peer.code)
        except HeldBack:
            pass  # The next tick tries again.
        except NoSocket as error:
            _log.warning("there is no socket to ask %s: %s", peer.code, error)
        finally:
            self._verifying.discard(peer.code)

    def _introduce(self, address: BankCode) -> None:
        task = self._spawn(self._lookout.introduce(address))
        self._introducing.add(task)
        task.add_done_callback(self._introducing.discard)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("asking a peer failed", exc_info=error)


class _Tally:
    """Counts the addresses of a scan and tells of them in steps that a screen can follow."""

    def __init__(self, total: int, tell: Callable[[ScanEvent], None]) -> None:
        self.total = total
        self.found = 0
        self._done = 0
        self._step = max(1, total // _PROGRESS_STEPS)
        self._tell = tell

    def count(self, *, found: bool) -> None:
        self._done += 1
        self.found += found
        if found or self._done % self._step == 0 or self._done == self.total:
            self._tell(ScanProgressed(self._done, self.total, self.found))
