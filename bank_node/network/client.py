"""The client library: a command to any bank, an answer back, whatever that bank is like.

`ask` is for strangers: one short connection for one command. `AsyncClient` keeps its connection,
and `Client` is the same for callers without a loop. Commands are sent once; one that changes
something and is not answered has an unknown outcome and is never sent again. Other rooms import all
that they need to call a bank from here.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bank_node.network.exchange import (
    Connector,
    Deadlines,
    Endpoint,
    HungUp,
    Stream,
    Unreachable,
    connected,
    discard,
    exchange,
    failed,
    has_ended,
    judged,
    parse_endpoint,
)
from bank_node.network.hangup import cut
from bank_node.network.replies import (
    REPLY_BYTES_MAX,
    Answer,
    Kind,
    ReplyReader,
    ReplyTooLong,
    changes,
    code_of,
)

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
    "parse_endpoint",
]

Result = TypeVar("Result")

# How long a bank that hangs up after its reply may take to do so, many times over.
_HANG_UP_S = 0.1


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
        stream = await connected(endpoint, deadlines, connect)
        try:
            reply = await exchange(endpoint, stream, wire, replies, deadlines)
        except BaseException:
            cut(stream[1].transport)
            raise
        stream[1].close()
    except (Unreachable, ReplyTooLong) as error:
        return failed(endpoint, code, error)
    return judged(endpoint, code, reply, replies)


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
        return self._stream is not None and not has_ended(self._stream)

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
        except (Unreachable, ReplyTooLong) as error:
            return failed(self.endpoint, code, error)
        return judged(self.endpoint, code, reply, replies)

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
        self._stream = await connected(self.endpoint, self._deadlines, self._connect)
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
            except HungUp:
                # A bank that closes after each reply may be slower to do so than the next call.
                # A read is asked anew; a write never is, however likely it was not heard.
                if writes or replies.heard or not self._reconnects:
                    raise
                return await self._fresh(wire, replies)

    async def _is_ready(self, writes: bool) -> bool:
        """Whether the connection can be used again; rids it of what was said since the reply."""
        if self._stream is not None:
            is_in_doubt = writes and self._replies > 0 and not self._stays
            await discard(self._stream[0], _HANG_UP_S if is_in_doubt else 0)
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
            reply = await exchange(self.endpoint, self._stream, wire, replies, self._deadlines)
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
            self._run(self._client.open)
        except BaseException:
            self._runner.close()
            raise

    def call(self, line: str) -> str:
        """Sends a line as it stands and returns the reply as one clean line.

        Raises Unreachable. Where the bank has ended the connection it is made anew first.
        """
        return self._run(lambda: self._client.say(line))

    def close(self) -> None:
        """Ends the connection; may be repeated."""
        if not self._closed:
            self._closed = True
            self._run(self._client.close)
            self._runner.close()

    def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Runs something on the loop of this connection; Ctrl+C cancels it, and is told then."""
        loop = self._runner.get_loop()
        with _HeldBack() as ctrl_c:
            # Begun in here, because an interrupt would leave behind what has only just begun.
            task = loop.create_task(work())
            ctrl_c.cancels(lambda: loop.call_soon_threadsafe(task.cancel))
            return loop.run_until_complete(task)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _HeldBack:
    """Makes of Ctrl+C a cancellation, and a KeyboardInterrupt only at the end of the block.

    As an exception in the middle of a loop it would leave the loop unfit for what is run on it
    next; a runner raises it there in the moment in which its work ends.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._cancel: Callable[[], object] = _nothing
        # Who has an idea of his own of what the key means is not to be disturbed.
        self._is_ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )

    def cancels(self, cancel: Callable[[], object]) -> None:
        """From now on, or if it has come already, the key does this."""
        self._cancel = cancel
        if self._pressed:
            cancel()

    def __enter__(self) -> "_HeldBack":
        if self._is_ours:
            signal.signal(signal.SIGINT, self._heed)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._pressed:
            raise KeyboardInterrupt

    def _heed(self, *_signal: object) -> None:
        self._pressed = True
        self._cancel()


def _nothing() -> None:
    """What the key does before there is something to cancel."""
