"""Pipelined connections to nodes of our own kind, made for many forwarded requests.

Knows that each request has exactly one reply, in order, and nothing of what is asked. Anything
else on the wire ends the link: after a reply too many, every later one would be taken for the
answer to a wrong request.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

from bank_node.network.exchange import Endpoint, failure_of
from bank_node.network.hangup import cut
from bank_node.network.replies import REPLY_BYTES_MAX, Answer, Kind
from bank_node.protocol.codec import REPLY_END, encode_reply

_log = logging.getLogger(__name__)

Done = Callable[[bytes | None, Answer | None], object]
"""Told the outcome of a request, once, on the loop of the link: either the reply as it goes over
the wire (one clean line with its CRLF, starting with the code of the request or with `ER`; a
reply to `AD`, `AW`, `AR` is exactly the code or an error), or an answer that is UNKNOWN or
UNREACHABLE."""

LinkConnector = Callable[[Callable[[], asyncio.Protocol], str, int], Awaitable[object]]
"""Connects a protocol to host and port, or raises OSError, as `loop.create_connection` does."""

BUSY = Answer(Kind.UNREACHABLE, "too many requests are on their way to that bank")

# Often enough for deadlines of seconds, seldom enough for 254 banks.
_SWEEP_S = 0.25
_PLAIN = re.compile(rb"[\x20-\x7e\r\n]*")
_EXACT = frozenset((b"AD", b"AW", b"AR"))


class LinkLimits(NamedTuple):
    """How long and how much a link may make the node wait or hold."""

    connect_s: float
    reply_s: float
    """From submitting a request to its reply; a link whose oldest request is later is closed."""
    idle_s: float = 60.0
    """A link that carried nothing for so long is closed."""
    in_flight_max: int = 4096


class _Waiting(NamedTuple):
    line: bytes
    writes: bool
    done: Done
    since_s: float


# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__


class Link(asyncio.Protocol):
    """One connection; lives on one loop and is never touched from elsewhere."""

    __slots__ = ("_hello", "_in_flight_max", "_limits", "_loop", "_name", "_partial", "_paused",
                 "_round", "_round_s", "_transport", "_unsent", "_waiting", "open")  # fmt: skip

    def __init__(
        self,
        name: str,
        limits: LinkLimits,
        loop: asyncio.AbstractEventLoop,
        hello: bytes = b"",
    ) -> None:
        """`name` is how the bank is called in explanations.

        Requests may be submitted at once; they leave when the connection is made and `hello`,
        a command such as `LI 10.1.2.3`, is answered by exactly its code. So a stranger that has
        taken the place of a node of our kind is found out before it is trusted with money.
        """
        self.open = True
        """Whether it takes requests; once it does not, it never will again."""
        self._name = name
        self._limits = limits
        self._loop = loop
        self._hello = hello
        self._in_flight_max = limits.in_flight_max
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[_Waiting] = deque()
        self._unsent: list[bytes] = []
        self._partial = b""
        self._paused = False
        self._round = False
        self._round_s = loop.time()

    @property
    def in_flight(self) -> int:
        """How many requests have no reply yet."""
        return len(self._waiting)

    def submit(self, line: bytes, writes: bool, done: Done) -> None:
        """Queues a request: `CODE arguments` without a line end, the code in upper case.

        `writes` says that it may change something. All requests of one round of the loop leave
        in one packet. What cannot be queued is told to `done` before this returns.
        """
        waiting = self._waiting
        if not self.open or len(waiting) >= self._in_flight_max:
            done(None, BUSY if self.open else self._unreachable("the connection has ended"))
            return
        if not self._round:
            self._round = True
            self._round_s = self._loop.time()
            self._loop.call_soon(self._flush)
        self._unsent.append(line)
        waiting.append(_new(_Waiting, (line, writes, done, self._round_s)))

    def _flush(self) -> None:
        self._round = False
        if self._unsent and self._transport is not None and not (self._paused or self._hello):
            self._unsent.append(b"")
            packet = REPLY_END.join(self._unsent)
            # Before the write, which may report that the transport is full or lost.
            self._unsent = []
            self._transport.write(packet)

    def data_received(self, data: bytes) -> None:
        if self._partial:
            data = self._partial + data
        if self._hello:
            self._hear_hello(data)
            return
        replies = data.splitlines(keepends=True)
        self._partial = b"" if data.endswith(b"\n") else replies.pop()
        waiting = self._waiting
        if len(replies) > len(waiting) - len(self._unsent) or len(self._partial) > REPLY_BYTES_MAX:
            self.end("it sent what nobody asked for")
            return
        is_plain = _PLAIN.fullmatch(data) is not None
        for reply in replies:
            if not self.open:
                return
            # A reply that does not fit may be the answer to anything: all is unknown then.
            code = reply[:2]
            if reply[-2:] != REPLY_END or (
                code != b"ER"
                and (code != waiting[0].line[:2] or (len(reply) != 4 and code in _EXACT))
            ):
                self.end("it sent what no node of our kind replies")
                return
            self._tell(waiting.popleft().done, reply if is_plain else _cleaned(reply), None)

    def _hear_hello(self, data: bytes) -> None:
        due = self._hello[:2] + REPLY_END
        if data == due:
            self._hello = self._partial = b""
            self._flush()
        elif due.startswith(data):
            self._partial = data
        else:
            self.end("it is no node of our kind")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport without being one.
        self._transport = cast(asyncio.Transport, transport)
        if not self.open:
            self._transport.abort()
        elif self._hello:
            self._transport.write(self._hello + REPLY_END)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        why = failure_of(exc) if isinstance(exc, OSError) else "it closed the connection"
        self.end(why)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def sweep(self, now_s: float) -> None:
        """Looks at the deadlines; called a few times a second. `now_s` is the loop's time."""
        if self._waiting:
            if now_s - self._waiting[0].since_s > self._limits.reply_s:
                self.end("it took too long")
        elif now_s - self._round_s > self._limits.idle_s:
            self.end("nobody used the connection")

    def end(self, why: str) -> None:
        """Ends the link for a reason and tells every request that waits what became of it.

        Nothing is ever sent again: what has left and writes is UNKNOWN, the rest UNREACHABLE.
        """
        if not self.open:
            return
        self.open = False
        if self._transport is not None:
            cut(self._transport)
        unsent = self._unreachable(why)
        unread = Answer(Kind.UNREACHABLE, f"{self._name} did not answer: {why}")
        unknown = Answer(Kind.UNKNOWN, unread.text)
        left = len(self._waiting) - len(self._unsent)
        waiting = list(self._waiting)
        self._waiting.clear()
        self._unsent = []
        for index, request in enumerate(waiting):
            sent = unknown if request.writes else unread
            self._tell(request.done, None, sent if index < left else unsent)

    def _unreachable(self, why: str) -> Answer:
        return Answer(Kind.UNREACHABLE, f"{self._name} cannot be reached: {why}")

    def _tell(self, done: Done, reply: bytes | None, answer: Answer | None) -> None:
        try:
            done(reply, answer)
        except Exception:
            # A defect costs the one request that met it, never the ones behind it.
            _log.exception("a reply of %s could not be told", self._name)


class Links:
    """One link to each bank, made at the first use; lives on one loop.

    Never two links to one bank: the requests of one client must not overtake each other.
    """

    def __init__(
        self,
        limits: LinkLimits,
        loop: asyncio.AbstractEventLoop,
        connect: LinkConnector | None = None,
        hello: bytes = b"",
    ) -> None:
        """Dials nothing yet.

        `connect` stands for the loop's `create_connection`; `hello` is what each link says
        first, see Link.
        """
        self._hello = hello
        self._limits = limits
        self._loop = loop
        self._connect: LinkConnector = connect or loop.create_connection
        self._links: dict[Endpoint, Link] = {}
        self._dials: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def submit(self, endpoint: Endpoint, line: bytes, writes: bool, done: Done) -> None:
        """Sends a request as `Link.submit` does, over the link to this bank."""
        link = self._links.get(endpoint)
        if link is None or not link.open:
            link = self._dialled(endpoint)
        link.submit(line, writes, done)

    def in_flight(self, endpoint: Endpoint) -> int:
        """How many requests to a bank have no reply yet."""
        link = self._links.get(endpoint)
        return link.in_flight if link else 0

    def is_linked(self, endpoint: Endpoint) -> bool:
        """Whether there is a link to a bank, or one is being made."""
        link = self._links.get(endpoint)
        return link is not None and link.open

    def drop(self, endpoint: Endpoint, why: str) -> None:
        """Ends the link to a bank, if there is one."""
        link = self._links.pop(endpoint, None)
        if link:
            link.end(why)

    def close(self) -> None:
        """Ends all links; requests after that are UNREACHABLE."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for dial in self._dials:
            dial.cancel()
        for endpoint in list(self._links):
            self.drop(endpoint, "this node is stopping")

    def _dialled(self, endpoint: Endpoint) -> Link:
        link = Link(str(endpoint), self._limits, self._loop, self._hello)
        if self._closed:
            link.end("this node is stopping")
            return link
        self._links[endpoint] = link
        dial = self._loop.create_task(self._dial(endpoint, link))
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        return link

    async def _dial(self, endpoint: Endpoint, link: Link) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await self._connect(lambda: link, endpoint.host, endpoint.port)
        except OSError as error:
            link.end(failure_of(error))

    def _sweep(self) -> None:
        now_s = self._loop.time()
        for link in list(self._links.values()):
            link.sweep(now_s)
        self._links = {at: link for at, link in self._links.items() if link.open}
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep) if self._links else None


def _cleaned(reply: bytes) -> bytes:
    return encode_reply(reply[:-2].decode("utf-8", "replace"))
