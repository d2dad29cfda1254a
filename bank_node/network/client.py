"""The client library: a command to any bank, an answer back, whatever that bank is like.

`ask` is for strangers: one short connection for one command. `AsyncClient` keeps its connection,
and `Client` is the same for callers without a loop. Commands are sent once; one that changes
something and is not answered has an unknown outcome and is never sent again.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from bank_node.errors import BankError
from bank_node.network.hangup import cut
from bank_node.network.replies import (
    OTHER_ADDRESS,
    REPLY_BYTES_MAX,
    Answer,
    Kind,
    ReplyReader,
    ReplyTooLong,
    changes,
    code_of,
    judge,
)
from bank_node.values import one_line

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Connector",
    "Deadlines",
    "Endpoint",
    "Kind",
    "Unreachable",
    "ask",
    "reason",
]

_CHUNK_BYTES = 65_536
# How long a bank that hangs up after its reply may take to do so, many times over.
_HANG_UP_S = 0.1


class Endpoint(NamedTuple):
    """Where a bank listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Deadlines(NamedTuple):
    """How long a bank may take, in seconds."""

    connect_s: float
    first_byte_s: float
    """From sending to the first byte of anything."""
    reply_s: float
    """From sending to the end of the reply."""
    quiet_s: float = 0.4
    """The pause after which a reply without a line end is taken for whole."""


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connector = Callable[[str, int], Awaitable[Stream]]
"""Connects to host and port, or raises OSError; cancelled when the time is over."""


class Unreachable(BankError):
    """The bank did not answer: nobody listens, the time is over, or it hung up."""

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        """Whether the bank may have acted on the command all the same."""


class _HungUp(Unreachable):
    """The connection ended instead of bringing a reply."""


async def ask(
    endpoint: Endpoint,
    line: str,
    deadlines: Deadlines,
    connect: Connector = asyncio.open_connection,
    *,
    greets: bool | None = None,
) -> Answer:
    """Asks a bank one command over a connection of its own.

    `line` is a command such as `AB 10001/10.1.2.3`; it goes out in upper-case code and single
    blanks. `greets` is what is known of the bank, see ReplyReader; knowing it spares the whole
    time-out where a bank refuses a deposit in bare words.
    """
    words = line.split()
    code = code_of(line)
    wire = " ".join((code or words[0], *words[1:])).encode("utf-8", "replace") + b"\r\n"
    replies = ReplyReader(code, greets=greets)
    try:
        stream = await _connected(endpoint, deadlines, connect)
        try:
            reply = await _exchange(endpoint, stream, wire, replies, deadlines)
        except BaseException:
            cut(stream[1].transport)
            raise
        stream[1].close()
    except Unreachable as error:
        return _unanswered(code, error)
    except ReplyTooLong as error:
        return _endless(code, endpoint, error)
    return _judged(endpoint, code, reply, replies)


class AsyncClient:
    """A kept connection to a bank, on the loop that runs it; calls wait for each other."""

    def __init__(
        self,
        endpoint: Endpoint,
        deadlines: Deadlines,
        *,
        reconnects: bool = True,
        reply_bytes_max: int = REPLY_BYTES_MAX,
        connect: Connector = asyncio.open_connection,
    ) -> None:
        """Connects at the first call, or at `open`.

        With `reconnects` a call over a connection that has ended makes a new one before it
        sends. Without, it is UNREACHABLE until `open` is called: right for a connection that the
        bank knows something about.
        """
        self.endpoint = endpoint
        self._deadlines = deadlines
        self._reconnects = reconnects
        self._reply_bytes_max = reply_bytes_max
        self._connect = connect
        self._stream: Stream | None = None
        self._opened = False
        self._replies = 0  # How many the connection has brought.
        self._stays = False  # Whether the bank was seen to keep a connection after a reply.
        self._turn = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as has been heard."""
        return self._stream is not None and not _has_ended(self._stream)

    async def open(self) -> None:
        """Connects anew. Raises Unreachable."""
        async with self._turn:
            await self._open()

    async def call(self, line: str) -> Answer:
        """The answer to one command, which is sent exactly as it stands."""
        code = code_of(line)
        replies = self._reader(code)
        try:
            reply = await self._say(line, replies)
        except ReplyTooLong as error:
            return _endless(code, self.endpoint, error)
        except Unreachable as error:
            return _unanswered(code, error)
        return _judged(self.endpoint, code, reply, replies)

    async def say(self, line: str) -> str:
        """The reply to any line as one clean line, whatever it means. Raises Unreachable."""
        try:
            return await self._say(line, self._reader(code_of(line)))
        except ReplyTooLong as error:
            raise Unreachable(f"{self.endpoint} did not answer: {error}", sent=True) from None

    async def close(self) -> None:
        """Ends the connection; a later call fails or connects again, as `reconnects` says."""
        if self._stream is not None:
            writer = self._stream[1]
            self._stream = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _reader(self, code: str) -> ReplyReader:
        return ReplyReader(code, bytes_max=self._reply_bytes_max)

    async def _open(self) -> None:
        await self.close()
        self._stream = await _connected(self.endpoint, self._deadlines, self._connect)
        self._opened = True
        self._replies = 0

    async def _say(self, line: str, replies: ReplyReader) -> str:
        wire = line.encode("utf-8", "surrogateescape") + b"\r\n"
        writes = changes(code_of(line))
        async with self._turn:
            if not await self._is_ready(writes):
                return await self._fresh(wire, replies)
            try:
                return await self._over(wire, replies)
            except _HungUp:
                # A bank that closes after each reply may be slower to do so than the next call.
                # A read is asked anew; a write never is, however likely it was not heard.
                if writes or replies.heard or not self._reconnects:
                    raise
                return await self._fresh(wire, replies)

    async def _is_ready(self, writes: bool) -> bool:
        """Whether the connection can be used again; rids it of what was said since the reply."""
        if self._stream is not None:
            is_in_doubt = writes and self._replies > 0 and not self._stays
            await _discard(self._stream[0], _HANG_UP_S if is_in_doubt else 0)
        if self.is_open:
            return True
        if self._opened and not self._reconnects:
            raise Unreachable(f"the connection to {self.endpoint} has ended")
        return False

    async def _fresh(self, wire: bytes, replies: ReplyReader) -> str:
        await self._open()
        return await self._over(wire, replies)

    async def _over(self, wire: bytes, replies: ReplyReader) -> str:
        assert self._stream is not None
        whole = False
        try:
            reply = await _exchange(self.endpoint, self._stream, wire, replies, self._deadlines)
            whole = True
        finally:
            # What a bank says after its time belongs to no later command.
            if not whole:
                await self.close()
        self._replies += 1
        self._stays = self._stays or self._replies > 1
        return reply


class Client:
    """A connection to a bank for callers without an event loop."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout_s: float,
        *,
        reconnects: bool = True,
        reply_bytes_max: int = REPLY_BYTES_MAX,
        ends_lines: bool = False,
    ) -> None:
        """Connects. `timeout_s` is the longest wait for the connection, and for each reply.

        Options as of AsyncClient; `ends_lines` is for a bank that ends its replies, however it
        pauses. Raises Unreachable. Not for threads in which an event loop runs.
        """
        quiet_s = timeout_s if ends_lines else 0.4
        deadlines = Deadlines(timeout_s, timeout_s, timeout_s, quiet_s)
        self._client = AsyncClient(
            Endpoint(host, port), deadlines, reconnects=reconnects, reply_bytes_max=reply_bytes_max
        )
        self._runner = asyncio.Runner()
        self._closed = False
        try:
            self._runner.run(self._client.open())
        except BaseException:
            self._runner.close()
            raise

    def call(self, line: str) -> str:
        """Sends a line as it stands and returns the reply as one clean line.

        Raises Unreachable. Where the bank has ended the connection it is made anew first.
        """
        return self._runner.run(self._client.say(line))

    def close(self) -> None:
        """Ends the connection; may be repeated."""
        if not self._closed:
            self._closed = True
            self._runner.run(self._client.close())
            self._runner.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def reason(error: OSError) -> str:
    """Why a connection failed, in a few clean words."""
    # Windows knows the numbers of sockets' errors only where they are raised.
    if error.errno and not isinstance(error, socket.gaierror) and sys.platform != "win32":
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError):
        return "it took too long"
    return one_line(error.strerror or str(error) or type(error).__name__)


async def _connected(endpoint: Endpoint, deadlines: Deadlines, connect: Connector) -> Stream:
    try:
        async with asyncio.timeout(deadlines.connect_s):
            return await connect(endpoint.host, endpoint.port)
    except OSError as error:
        raise Unreachable(f"{endpoint} cannot be reached: {reason(error)}") from None


async def _exchange(
    endpoint: Endpoint, stream: Stream, wire: bytes, replies: ReplyReader, deadlines: Deadlines
) -> str:
    """Sends a command and hears the reply. Raises Unreachable and ReplyTooLong."""
    reader, writer = stream
    if _has_ended(stream):
        raise Unreachable(f"{endpoint} closed the connection at once")
    try:
        # One send: several banks take what one receive brings for one command.
        writer.write(wire)
        reply = await _hear(reader, replies, deadlines)
    except OSError as error:
        raise _HungUp(f"{endpoint} did not answer: {reason(error)}", sent=True) from None
    if reply is None and reader.at_eof():
        raise _HungUp(f"{endpoint} did not answer: it closed the connection", sent=True)
    if reply is None:
        raise Unreachable(f"{endpoint} did not answer: it took too long", sent=True)
    return reply


async def _hear(
    reader: asyncio.StreamReader, replies: ReplyReader, deadlines: Deadlines
) -> str | None:
    """The reply, or None when the bank hangs up or is late."""
    time = asyncio.get_running_loop().time
    late = time() + deadlines.reply_s
    wake = min(late, time() + deadlines.first_byte_s)
    while True:
        try:
            async with asyncio.timeout_at(wake) as limit:
                data = await reader.read(_CHUNK_BYTES)
        except TimeoutError:
            if not limit.expired():
                raise  # The time-out of the connection itself, not ours.
            if time() >= late or not replies.heard:
                return replies.late()
            reply = replies.quiet()
            wake = late
        else:
            reply = replies.feed(data) if data else replies.eof()
            if not data:
                return reply
            wake = min(late, time() + deadlines.quiet_s)
        if reply is not None:
            return reply


async def _discard(reader: asyncio.StreamReader, wait_s: float) -> None:
    """Drops what was said unasked, for example the second half of an odd line end.

    Waits so long for the end of the connection.
    """
    # Twice round the loop: what the socket holds reaches the reader in the second.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with suppress(OSError):
        async with asyncio.timeout(wait_s):
            while await reader.read(_CHUNK_BYTES):
                pass


def _has_ended(stream: Stream) -> bool:
    reader, writer = stream
    return reader.at_eof() or writer.is_closing() or reader.exception() is not None


def _judged(endpoint: Endpoint, code: str, reply: str, replies: ReplyReader) -> Answer:
    answer = judge(code, reply, frozenset(replies.oddities))
    if code == "BC" and answer.kind is Kind.DONE and answer.text != f"BC {endpoint.host}":
        return answer._replace(oddities=answer.oddities | {OTHER_ADDRESS})
    return answer


def _unanswered(code: str, error: Unreachable) -> Answer:
    unknown = error.sent and changes(code)
    return Answer(Kind.UNKNOWN if unknown else Kind.UNREACHABLE, str(error))


def _endless(code: str, endpoint: Endpoint, error: ReplyTooLong) -> Answer:
    if changes(code):
        return Answer(Kind.UNKNOWN, f"{endpoint} did not answer: {error}")
    return Answer(Kind.REFUSED, f"ER {error}")
