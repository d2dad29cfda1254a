"""Carries requests to the banks that own the accounts, on the I/O thread that received them.

To a node of our kind all requests go over one kept, pipelined connection; a stranger gets a short
one for each, few at a time. What may not be dialled costs no packet; what hangs costs its own
caller the reply time and nobody else anything; what was sent once is never sent again.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from bank_node.errors import Reason, Refused
from bank_node.network.client import ask
from bank_node.network.exchange import Deadlines, Endpoint
from bank_node.network.links import BUSY, LinkLimits, Links
from bank_node.network.peers import Directory, Peer
from bank_node.network.reach import Reach
from bank_node.network.replies import GREETS, Answer, Kind
from bank_node.protocol.codec import encode_reply
from bank_node.telemetry.traffic_lines import Record
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

Done = Callable[[bytes | Refused], object]
# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__
Result = TypeVar("Result")

# The rest of the reply time is for the way back, and for a sweep that looks four times a second.
_SHARE_FOR_ASKING = 0.9
# Some banks serve with four threads; whoever takes them all locks everybody else out.
_AT_ONCE = 4
_WAITING_MAX = 256
# The family of extensions that a node of our kind has at least; LI is one of its commands.
_LINKS = "session"


class Neighbours(Protocol):
    """What the proxy needs of the network thread."""

    directory: Directory
    reach: Reach

    def now(self) -> float: ...
    def post(self, call: Callable[..., object], *arguments: object) -> None: ...
    def find(
        self, bank: BankCode, within_s: float, done: Callable[[Peer | None], object]
    ) -> None: ...
    def record(
        self, endpoint: Endpoint, line: bytes, told: bytes, us: int, trace: int
    ) -> Record: ...


class ProxyLimits(NamedTuple):
    """How long a request that is carried on may take."""

    timeout_s: float
    """The reply time of this bank."""

    @property
    def asking_s(self) -> float:
        """From receiving a request to the answer of the other bank."""
        return self.timeout_s * _SHARE_FOR_ASKING


class Request(NamedTuple):
    """One request on its way. `line` has no end, `at` is when it came in, monotonic seconds."""

    bank: BankCode
    line: bytes
    trace: int
    at: float
    done: Done


class Queue:
    """The requests that wait for one stranger."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(_AT_ONCE)
        self.waiting = 0


class Proxy:
    """Carries on what the connections of one I/O thread ask of other banks."""

    def __init__(
        self,
        own: BankCode,
        neighbours: Neighbours,
        limits: ProxyLimits,
        log: Callable[[list[Record]], None] | None,
    ) -> None:
        """Belongs to the loop that runs. `log` takes records of traffic; None keeps none."""
        self._own = own
        self._neighbours = neighbours
        self._directory = neighbours.directory
        self._asking_s = limits.asking_s
        self._log = log
        self._records: list[Record] = []
        self._now = neighbours.now
        self._loop = asyncio.get_running_loop()
        self._links = Links(
            LinkLimits(connect_s=limits.asking_s, reply_s=limits.asking_s),
            self._loop,
            hello=b"LI " + own.encode(),
        )
        self._queues: dict[BankCode, Queue] = {}
        # The latest request that takes the slow way, for each client and bank: what the same
        # client asks next must not overtake it.
        self._latest: dict[Hashable, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def forward(
        self, bank: BankCode, line: bytes, trace: int, client: Hashable, done: Done
    ) -> None:
        """Has a request answered by another bank, as service.calls.Elsewhere describes."""
        if not self._neighbours.reach.allows(bank):
            raise Refused(Reason.OUT_OF_REACH, bank=bank, own=self._own)
        request = _new(Request, (bank, line, trace, self._now(), done))
        peer = self._directory.verified(bank)
        if (
            peer is not None
            and peer.breaker.is_closed
            and _LINKS in peer.capabilities
            and (client, bank) not in self._latest
        ):
            self._over_link(request, peer)
        else:
            self._go_slowly(request, client)

    def close(self) -> None:
        """Ends all connections; whoever still waits is told what that means."""
        self._links.close()
        for task in list(self._tasks):
            task.cancel()
        self._hand_over()

    def _over_link(self, request: Request, peer: Peer) -> None:
        assert peer.port is not None
        endpoint = Endpoint(peer.code, peer.port)
        writes = not request.line.startswith(b"AB")
        self._links.submit(
            endpoint, request.line, writes, partial(self._link_told, request, endpoint)
        )

    def _link_told(
        self, request: Request, endpoint: Endpoint, reply: bytes | None, answer: Answer | None
    ) -> None:
        if reply is not None:
            self._note(request, endpoint, reply)
            request.done(reply)
            return
        assert answer is not None
        self._note(request, endpoint, answer.text.encode())
        if answer is not BUSY:
            self._report(request, answer.text)
        # A link may refuse while the request is still being handed over.
        self._loop.call_soon(request.done, _refusal(request.bank, answer))

    def _go_slowly(self, request: Request, client: Hashable) -> None:
        key = (client, request.bank)
        task = self._loop.create_task(self._carry(request, self._latest.get(key)))
        self._latest[key] = task
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if self._latest.get(key) is task:
                del self._latest[key]

        task.add_done_callback(ended)

    async def _carry(self, request: Request, before: "asyncio.Task[None] | None") -> None:
        """The way of a request whose bank is a stranger, not known yet, or in doubt."""
        answer: bytes | Refused
        sent = False
        try:
            if before is not None:
                await asyncio.wait((before,), timeout=self._left_s(request))
            peer = await self._admitted(request)
            if peer is None:
                answer = Refused(Reason.BANK_NOT_FOUND, bank=request.bank)
            else:
                sent = True
                answer = await self._ask(request, peer)
        except Refused as refused:
            answer = refused
        except asyncio.CancelledError:
            answer = _interrupted(request.bank, sent=sent)
        except Exception:
            # A defect costs the one request that met it, and even that one its answer.
            _log.exception("a request to %s failed", request.bank)
            answer = _interrupted(request.bank, sent=sent)
        request.done(answer)

    async def _admitted(self, request: Request) -> Peer | None:
        """The bank to ask, found first if need be. Raises Refused while it is left alone."""
        peer = self._directory.verified(request.bank)
        if peer is None:
            peer = await self._on_network(
                request, partial(self._neighbours.find, request.bank, self._left_s(request))
            )
        if peer is None or peer.breaker.is_closed:
            return peer
        if not await self._on_network(request, partial(self._admit, request.bank)):
            raise Refused(Reason.BANK_SILENT, bank=request.bank)
        return self._directory.verified(request.bank)

    def _admit(self, bank: BankCode, done: Callable[[bool], None]) -> None:
        self._neighbours.post(lambda: done(self._directory.admits(bank, self._now())))

    async def _on_network(
        self, request: Request, begin: Callable[[Callable[[Result], None]], object]
    ) -> Result | None:
        """What the network thread says to something that it is asked with a call-back.

        None if it does not say anything in time.
        """
        future: asyncio.Future[Result] = self._loop.create_future()

        def told(result: Result) -> None:
            if not future.done():
                future.set_result(result)

        begin(lambda result: _quietly(self._loop.call_soon_threadsafe, told, result))
        await asyncio.wait((future,), timeout=self._left_s(request))
        return future.result() if future.done() else None

    async def _ask(self, request: Request, peer: Peer) -> bytes | Refused:
        queue = self._queues.setdefault(request.bank, Queue())
        if queue.waiting >= _WAITING_MAX:
            raise Refused(Reason.BANK_BUSY, bank=request.bank)
        queue.waiting += 1
        try:
            async with asyncio.timeout(self._left_s(request)) as waiting:
                async with queue.slots:
                    waiting.reschedule(None)
                    return await self._exchange(request, peer)
        except TimeoutError:
            raise Refused(Reason.BANK_BUSY, bank=request.bank) from None
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._queues.pop(request.bank, None)

    async def _exchange(self, request: Request, peer: Peer) -> bytes | Refused:
        assert peer.port is not None
        endpoint = Endpoint(peer.code, peer.port)
        left_s = self._left_s(request)
        started = self._now()
        self._neighbours.post(self._directory.budgets.spent, peer.code, started)
        answer = await ask(
            endpoint,
            request.line.decode(),
            Deadlines(left_s, left_s, left_s),
            greets=GREETS in peer.oddities if peer.heard_at is not None else None,
        )
        self._note(request._replace(at=started), endpoint, answer.text.encode())
        if answer.kind in (Kind.UNKNOWN, Kind.UNREACHABLE):
            self._report(request, answer.text)
            return _refusal(request.bank, answer)
        latency_ms = 1000 * (self._now() - started)
        self._neighbours.post(
            partial(self._directory.call_ended, peer.code, self._now(), latency_ms=latency_ms)
        )
        return encode_reply(answer.text)

    def _left_s(self, request: Request) -> float:
        return max(0.0, request.at + self._asking_s - self._now())

    def _report(self, request: Request, why: str) -> None:
        self._neighbours.post(
            partial(self._directory.call_ended, request.bank, self._now(), why=why or "no answer")
        )

    def _note(self, request: Request, endpoint: Endpoint, told: bytes) -> None:
        if self._log is not None:
            us = int(1e6 * (self._now() - request.at))
            if not self._records:
                self._loop.call_soon(self._hand_over)
            self._records.append(
                self._neighbours.record(endpoint, request.line, told, us, request.trace)
            )

    def _hand_over(self) -> None:
        """Gives the traffic log what has gathered in this round of the loop."""
        records, self._records = self._records, []
        if records and self._log is not None:
            self._log(records)


def _refusal(bank: BankCode, answer: Answer) -> Refused:
    if answer is BUSY:
        return Refused(Reason.BANK_BUSY, bank=bank)
    if answer.kind is Kind.UNKNOWN:
        return Refused(Reason.BANK_OUTCOME_UNKNOWN, bank=bank)
    return Refused(Reason.BANK_SILENT, bank=bank)


def _interrupted(bank: BankCode, *, sent: bool) -> Refused:
    """What is known of a request that this bank gave up."""
    reason = Reason.BANK_OUTCOME_UNKNOWN if sent else Reason.BANK_SILENT
    return Refused(reason, bank=bank)


def _quietly(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except RuntimeError:
        # The loop that asked has ended, and nobody waits any more.
        return
