"""The way to the node: kept connections, authentication, reconnecting, and what was said on them.

Knows lines and replies; never knows what they mean to a screen. Of a line that changes something
and whose reply did not come, the outcome is unknown, and it is never sent again.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from bank_node.errors import BankError
from bank_node.telemetry.clock import Clock
from tui import safe
from tui.model.documents import read
from tui.model.lines import changes

Shape = TypeVar("Shape")

_TRACE_LINES = 500
_TRACE_CHARACTERS = 2_000
_AUTHENTICATE = "OA"
_PIN = re.compile(r'"pin": ?"[^"]*"')


class Lost(BankError):
    """The node did not answer. `unknown` says that the line may have been carried out."""

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


class Rejected(BankError):
    """The node answered `ER`; `str(error)` is its sentence."""


class Caller(Protocol):
    """One kept connection."""

    async def call(self, line: str) -> str:
        """Sends a line and returns the reply line. Raises Lost."""

    async def close(self) -> None:
        """Hangs up."""


Connect = Callable[[], Awaitable[Caller]]
"""Opens a connection to the operator's listener; raises Lost."""


class Said(NamedTuple):
    """A line that the console sent, and what came back."""

    time_us: int
    request: str
    reply: str
    us: int
    background: bool
    """Whether the console asked by itself, to keep a screen fresh."""


class Trace:
    """The last lines that were said, for the eyes of the operator."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.said: deque[Said] = deque(maxlen=_TRACE_LINES)
        self.on_said: Callable[[Said], None] = lambda said: None

    def add(self, request: str, reply: str, began_ns: int, background: bool) -> None:
        """Takes a line in; a token or a PIN in it is not kept."""
        if request.startswith(_AUTHENTICATE):
            request = f"{_AUTHENTICATE} <token>"
        if request.startswith("OQ"):
            reply = _PIN.sub('"pin": "<hidden>"', reply)
        took_us = (self.clock.monotonic_ns() - began_ns) // 1000
        said = Said(
            self.clock.now_us(),
            safe.line(request, _TRACE_CHARACTERS),
            safe.line(reply, _TRACE_CHARACTERS),
            took_us,
            background,
        )
        self.said.append(said)
        self.on_said(said)


class Line:
    """One connection that is made when it is needed and authenticates by itself.

    Requests wait for each other: there is one question on the wire at a time.
    """

    def __init__(
        self, connect: Connect, token: str, trace: Trace, *, only_looks: bool = False
    ) -> None:
        """With `only_looks`, no line that may change something is ever sent."""
        self._connect = connect
        self._token = token
        self._trace = trace
        self._only_looks = only_looks
        self._caller: Caller | None = None
        self._turn = asyncio.Lock()

    async def say(self, line: str, *, background: bool = False) -> str:
        """Sends a line and returns the reply line, whatever it says.

        Raises Lost when the node cannot be reached, and Rejected when it refuses the token, or when
        this connection only looks and the line may do more.
        """
        if any(character in line for character in "\r\n"):
            raise Rejected("a line has no line end in it")
        if self._only_looks and _may_do_more(line):
            raise Rejected("this console only looks, and the line may change something")
        async with self._turn:
            caller = self._caller or await self._open()
            began = self._trace.clock.monotonic_ns()
            try:
                reply = await caller.call(line)
            except Lost as error:
                self._trace.add(line, f"({error})", began, background)
                await self._drop()
                raise
            except asyncio.CancelledError:
                # The reply that still comes would be taken for that of the next question.
                await self._drop()
                raise
            self._trace.add(line, reply, began, background)
            return reply

    async def ask(self, line: str, shape: type[Shape], *, background: bool = False) -> Shape:
        """Sends a line and reads the document of its reply. Raises Lost, Rejected, Unreadable."""
        return read(accepted(await self.say(line, background=background)), shape)

    async def close(self) -> None:
        """Hangs up; the next line would connect again."""
        await self._drop()

    async def _open(self) -> Caller:
        caller = await self._connect()
        began = self._trace.clock.monotonic_ns()
        request = f"{_AUTHENTICATE} {self._token}"
        try:
            reply = await caller.call(request)
            self._trace.add(request, reply, began, True)
            accepted(reply)
        except BaseException:
            await caller.close()
            raise
        self._caller = caller
        return caller

    async def _drop(self) -> None:
        caller, self._caller = self._caller, None
        if caller is not None:
            await caller.close()


class Link:
    """All connections of one console to its node."""

    def __init__(
        self, connect: Connect, token: str, trace: Trace, *, only_looks: bool = False
    ) -> None:
        self.trace = trace
        made = partial(Line, connect, token, trace, only_looks=only_looks)
        self.main = made()
        """What the operator does, and the pages that he looks at."""
        self.pulse = made()
        """Status, figures and peers, asked again and again."""
        self.events = made()
        self.log = made()
        self.traffic = made()
        self.stages = made()
        self.payments = made()
        """Long polls, each of which keeps its connection busy."""
        self.raw = made()
        """What is typed by hand."""

    async def close(self) -> None:
        """Hangs up everywhere."""
        for line in (self.main, self.pulse, self.events, self.log, self.traffic, self.stages,
                     self.payments, self.raw):  # fmt: skip
            await line.close()


def accepted(reply: str) -> str:
    """The reply line, unless it is an error. Raises Rejected."""
    code, _, sentence = reply.partition(" ")
    if code.upper() == "ER":
        raise Rejected(safe.line(sentence or "the node refuses without a reason", 400))
    return reply


def _may_do_more(line: str) -> bool:
    """Whether a line may do more than look.

    A node lets backspaces edit a line, so that one with a control character need not be what it
    seems; and wrong tokens lock out everybody at this address.
    """
    return not line.isprintable() or line.lstrip()[:2].upper() == _AUTHENTICATE or changes(line)


def back_off_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row: soon at first, never long."""
    return float(min(5.0, 0.5 * 2 ** max(0, failures - 1)))
