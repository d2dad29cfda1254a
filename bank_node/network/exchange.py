"""One command over a connection to a bank, and its reply: deadlines, and what a failure means.

Knows no connection beyond the one that it is handed; who keeps connections is `client.py`.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from bank_node.errors import BankError
from bank_node.network.replies import (
    OTHER_ADDRESS,
    Answer,
    Kind,
    ReplyReader,
    ReplyTooLong,
    changes,
    judge,
)
from bank_node.values import one_line, port_number

_CHUNK_BYTES = 65_536


class Endpoint(NamedTuple):
    """Where a bank listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint | None:
    """What `host:port` names; None if it is no such text."""
    host, _, port = text.rpartition(":")
    number = port_number(port)
    return Endpoint(host, number) if host and number is not None else None


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


class HungUp(Unreachable):
    """The connection ended instead of bringing a reply."""


def failure_of(error: OSError) -> str:
    """Why a connection failed, in a few clean words."""
    # Windows knows the numbers of sockets' errors only where they are raised.
    if error.errno and not isinstance(error, socket.gaierror) and sys.platform != "win32":
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError):
        return "it took too long"
    return one_line(error.strerror or str(error) or type(error).__name__)


async def connected(endpoint: Endpoint, deadlines: Deadlines, connect: Connector) -> Stream:
    """A connection within the deadline. Raises Unreachable."""
    try:
        async with asyncio.timeout(deadlines.connect_s):
            return await connect(endpoint.host, endpoint.port)
    except OSError as error:
        raise Unreachable(f"{endpoint} cannot be reached: {failure_of(error)}") from None


async def exchange(
    endpoint: Endpoint, stream: Stream, wire: bytes, replies: ReplyReader, deadlines: Deadlines
) -> str:
    """Sends a command and hears the reply. Raises Unreachable and ReplyTooLong."""
    reader, writer = stream
    if has_ended(stream):
        raise Unreachable(f"{endpoint} closed the connection at once")
    try:
        # One send: several banks take what one receive brings for one command.
        writer.write(wire)
        reply = await _hear(reader, replies, deadlines)
    except OSError as error:
        raise HungUp(f"{endpoint} did not answer: {failure_of(error)}", sent=True) from None
    if reply is None and reader.at_eof():
        raise HungUp(f"{endpoint} did not answer: it closed the connection", sent=True)
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


async def discard(reader: asyncio.StreamReader, wait_s: float) -> None:
    """Drops what was said unasked, for example the second half of an odd line end.

    Reads on for `wait_s` seconds, in case the bank is about to end the connection.
    """
    # Twice round the loop: what the socket holds reaches the reader in the second.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with suppress(OSError):
        async with asyncio.timeout(wait_s):
            while await reader.read(_CHUNK_BYTES):
                pass


def has_ended(stream: Stream) -> bool:
    """Whether a connection is over, as far as has been heard."""
    reader, writer = stream
    return reader.at_eof() or writer.is_closing() or reader.exception() is not None


def judged(endpoint: Endpoint, code: str, reply: str, replies: ReplyReader) -> Answer:
    """What a reply means; whether the bank calls itself by another address is an oddity of it."""
    answer = judge(code, reply, frozenset(replies.oddities))
    if code == "BC" and answer.kind is Kind.DONE and answer.text != f"BC {endpoint.host}":
        return answer._replace(oddities=answer.oddities | {OTHER_ADDRESS})
    return answer


def failed(endpoint: Endpoint, code: str, error: Unreachable | ReplyTooLong) -> Answer:
    """What is known of a command that got no reply, or one without an end."""
    if isinstance(error, ReplyTooLong):
        if changes(code):
            return Answer(Kind.UNKNOWN, f"{endpoint} did not answer: {error}")
        return Answer(Kind.REFUSED, f"ER {error}")
    unknown = error.sent and changes(code)
    return Answer(Kind.UNKNOWN if unknown else Kind.UNREACHABLE, str(error))
