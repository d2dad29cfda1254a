"""One client: bytes in, replies out in the order of the requests, everything bounded.

Runs on the event loop of its I/O thread and is never touched by another one. It cuts lines and
keeps the order; what to answer is the desk's business.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

from bank_node.errors import Reason
from bank_node.network.door import Desk, Ticket
from bank_node.protocol.codec import LineBuffer


class Limits(NamedTuple):
    """How long and how much a client may make the node wait or hold."""

    timeout_s: float
    client_time_out_s: float
    line_time_out_s: float
    requests_in_flight: int
    write_buffer_bytes: int
    connections_max: int


class Rounds(Protocol):
    """The I/O thread that a connection lives on."""

    desk: Desk
    limits: Limits
    connections: "set[Connection]"
    outbox: "list[tuple[Connection, bytes]]"

    def now_ns(self) -> int: ...
    def end_round_soon(self) -> None: ...
    def next_round(self, call: Callable[[], object]) -> None: ...
    def send(self) -> None: ...
    def admit(self, connection: "Connection") -> Reason | None: ...
    def forget(self, connection: "Connection") -> None: ...
    def count_dropped(self) -> None: ...


# How long an unended `BC` must lie still before it is taken for a whole command. Longer than
# the gap between two key strokes or two packets of one line.
_QUIET_NS = 400_000_000
# A packet can bring 80,000 short requests. After so many of them the other clients have a turn,
# and what the transport cannot get rid of is noticed.
_LINES_A_TURN = 512


class Connection(asyncio.Protocol):
    """A session on one socket."""

    __slots__ = (
        "_backlog",
        "_deaf",
        "_heard_ns",
        "_line_since_ns",
        "_lines",
        "_paused",
        "_rounds",
        "_stuck_since_ns",
        "_transport",
        "closing",
        "in_flight",
        "is_link",
        "peer",
        "pending",
        "standing",
    )

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._lines = LineBuffer()
        self._backlog: deque[bytes | None] = deque()
        self._heard_ns = rounds.now_ns()
        self._line_since_ns = 0
        self._stuck_since_ns = 0
        self._paused = False
        self._deaf = False
        self._transport: asyncio.Transport
        self.pending: deque[Any] = deque()
        self.in_flight = 0
        self.closing = False
        self.is_link = False
        self.standing: Any = None
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport without being one.
        self._transport = transport = cast(asyncio.Transport, transport)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.peer = f"{host}:{port}"
        transport.set_write_buffer_limits(high=self._rounds.limits.write_buffer_bytes)
        refusal = self._rounds.admit(self)
        if refusal is not None:
            transport.write(self._rounds.desk.refusal(refusal))
            self.closing = True
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._backlog.clear()
        self.closing = True
        self._rounds.forget(self)

    def data_received(self, data: bytes) -> None:
        if self.closing or self._deaf:
            return
        now_ns = self._heard_ns = self._rounds.now_ns()
        lines = self._lines.feed(data)
        if not self._lines.is_mid_line:
            self._line_since_ns = 0
        elif lines or not self._line_since_ns:
            self._line_since_ns = now_ns
        if self._backlog:
            self._backlog.extend(lines)
            return
        if len(lines) != 1 or self.pending or self._stuck_since_ns:
            self._serve(lines, now_ns)
            return
        # What nearly every packet is: one line, with nothing before it.
        reply = self._rounds.desk.answer(lines[0], self, now_ns)
        if reply is not None:
            self._rounds.outbox.append((self, reply))
            if self.closing:
                self._close_if_done()
        self._rounds.end_round_soon()

    def eof_received(self) -> bool:
        """The client has said its last word; it still gets its replies."""
        self._serve_unended()
        self._deaf = True
        # Without anything pending the transport closes as soon as this returns.
        self._rounds.send()
        return bool(self.pending or self._backlog)

    def pause_writing(self) -> None:
        """More is unread than the limit allows; the sweep drops a client that stays stuck."""
        self._stuck_since_ns = self._rounds.now_ns()
        self._pause_reading()

    def resume_writing(self) -> None:
        self._stuck_since_ns = 0
        self._serve_backlog()

    def flush(self) -> None:
        """Sends the replies that are ready, up to the first one that is not."""
        pending = self.pending
        ready: list[Ticket] = []
        replies: list[bytes] = []
        while pending and (told := pending[0].replies) is not None:
            ready.append(pending.popleft())
            replies += told
        if not ready:
            return
        self.in_flight -= len(replies)
        self._rounds.desk.sent(ready)
        self._write(replies)
        if self._backlog or self._paused:
            self._serve_backlog()
        if self.closing or self._deaf:
            self._close_if_done()

    def sweep(self, now_ns: int) -> None:
        """Looks at all deadlines; called a few times a second."""
        limits = self._rounds.limits
        if self._stuck_since_ns and now_ns - self._stuck_since_ns > limits.timeout_s * 1e9:
            self._rounds.count_dropped()
            self._transport.abort()
            return
        self._expire(now_ns - int(limits.timeout_s * 1e9))
        quiet_ns = now_ns - self._heard_ns
        if self._line_since_ns:
            if quiet_ns > _QUIET_NS:
                self._serve_unended()
            since_ns = self._line_since_ns
            if since_ns and now_ns - since_ns > limits.line_time_out_s * 1e9:
                self._hang_up(Reason.TIMED_OUT)
        elif quiet_ns > limits.client_time_out_s * 1e9 and not (self.pending or self._backlog):
            # The last of many replies may still wait for the end of the round.
            self._rounds.send()
            self._transport.close()

    def drain(self) -> bool:
        """Takes no new requests and says whether everything accepted has been answered."""
        self._deaf = True
        self._pause_reading()
        self._close_if_done()
        return not self.pending and not self._backlog

    def abort(self) -> None:
        """Ends the connection now, whatever is still to be sent."""
        self._transport.abort()

    def _serve(self, lines: "list[bytes | None]", now_ns: int) -> None:
        """Answers lines in order; what is over the limit in flight waits in the backlog."""
        desk = self._rounds.desk
        answer = desk.answer
        in_flight_max = self._rounds.limits.requests_in_flight
        replies = []
        at, end = 0, len(lines)
        while at < end and not self.closing:
            if self.in_flight >= in_flight_max or self._stuck_since_ns or at >= _LINES_A_TURN:
                self._backlog.extendleft(reversed(lines[at:]))
                break
            reply = answer(lines[at], self, now_ns)
            at += 1
            if reply is not None:
                replies.append(reply)
            elif at < end:
                room = min(in_flight_max - self.in_flight, _LINES_A_TURN - at)
                at += desk.join(lines[at : at + room], self, now_ns)
        if replies:
            self._write(replies)
        if self._backlog:
            self._pause_reading()
            if not self.pending:
                # No reply to come would take the backlog up again.
                self._rounds.next_round(self._serve_backlog)
        self._close_if_done()
        self._rounds.end_round_soon()

    def _serve_backlog(self) -> None:
        if self._backlog and not self.closing and not self._stuck_since_ns:
            turn = min(len(self._backlog), _LINES_A_TURN)
            self._serve([self._backlog.popleft() for _ in range(turn)], self._rounds.now_ns())
        if self._paused and not self._backlog and not self._stuck_since_ns:
            self._resume_reading()

    def _serve_unended(self) -> None:
        line = self._lines.take_unended()
        if line is not None:
            self._line_since_ns = 0
            if self._backlog:
                self._backlog.append(line)
            else:
                self._serve([line], self._rounds.now_ns())

    def _write(self, replies: list[bytes]) -> None:
        """Has replies sent at the end of the round.

        A client that has many connections is woken once for all of their replies then, and not
        once for each, which is the dearest part of a reply.
        """
        self._rounds.outbox.append((self, replies[0] if len(replies) == 1 else b"".join(replies)))
        self._rounds.end_round_soon()

    def send(self, reply: bytes) -> None:
        """Hands a reply to the transport, unless the client has gone meanwhile."""
        if not self._transport.is_closing():
            self._transport.write(reply)

    def _expire(self, started_before_ns: int) -> None:
        expired = False
        for ticket in self.pending:
            if ticket.started_ns > started_before_ns:
                break
            if ticket.replies is None:
                self._rounds.desk.expire(ticket)
                expired = True
        if expired:
            self.flush()

    def _hang_up(self, reason: Reason) -> None:
        if not self._deaf:
            self._deaf = True
            if not self.pending:
                self._write([self._rounds.desk.refusal(reason)])
            self._close_if_done()

    def _close_if_done(self) -> None:
        if (self.closing or self._deaf) and not self.pending and not self._backlog:
            self._rounds.send()
            self._transport.close()

    def _pause_reading(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._deaf and not self.closing and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
