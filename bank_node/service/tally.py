"""What one desk keeps of answered requests: figures by command, and lines for the traffic log."""

from array import array
from collections.abc import Callable, Sequence

from bank_node.service.tickets import Plan, Ticket
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.traffic_lines import Answered, Round, Sheet, pack, shown

_ERROR = b"ER"
# Requests that may wait for the end of a round before they are counted and logged.
_HELD_MAX = 256

# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__

# A plan, a peer, a line, its reply, when it came (monotonic), and its trace.
_Counted = tuple[Plan, str, bytes, bytes, int, int]


class Tally:
    """Counts answered requests. Used by the thread of one desk only."""

    def __init__(self, clock: Clock, log: Callable[[Sequence[Answered]], None] | None) -> None:
        """`log` takes what the traffic log keeps; None keeps none."""
        self.log = log
        self._clock = clock
        self._monotonic_ns = clock.monotonic_ns
        self._wall_ahead_ns = clock.now_us() * 1000 - clock.monotonic_ns()
        self._answered: list[_Counted] = []
        self._records: list[Answered] = []

    def note(
        self, plan: Plan, peer: str, line: bytes, reply: bytes, started_ns: int, trace: int = 0
    ) -> None:
        """Has an answered request counted and logged at the end of the round."""
        self._answered.append((plan, peer, line, reply, started_ns, trace))
        if len(self._answered) >= _HELD_MAX:
            self.flush()

    def note_sent(self, tickets: Sequence[Ticket]) -> None:
        """The same for the requests of tickets whose replies were handed to the transport."""
        for ticket in tickets:
            lines, replies = ticket.lines, ticket.replies
            assert replies is not None
            if len(lines) == 1:
                self.note(ticket.plan, ticket.session.peer, lines[0], replies[0],
                          ticket.started_ns, ticket.trace)  # fmt: skip
            else:
                self._note_all(ticket, replies)

    def _note_all(self, ticket: Ticket, replies: list[bytes]) -> None:
        if self._answered:
            # The log tells requests in the order of their replies.
            self._count()
        plan, peer, trace, lines = ticket.plan, ticket.session.peer, ticket.trace, ticket.lines
        now_ns = self._monotonic_ns()
        us = (now_ns - ticket.started_ns) // 1000
        # Nearly always all replies are the plain yes of the command.
        if plan.constant is None or replies.count(plan.constant) != len(replies):
            plan.figures.errors += sum([reply.startswith(_ERROR) for reply in replies])
            replies = [shown(reply) for reply in replies]
        plan.figures.latency.record(us, len(replies))
        if self.log is None:
            return
        if plan.hides:
            lines, replies = map(list, zip(*map(plan.shown, lines, replies), strict=True))
        when = (now_ns + self._wall_ahead_ns) / 1e9
        self._records.append(_new(Sheet, (
            when, peer, len(lines), pack(lines), pack(replies), us, trace
        )))  # fmt: skip
        if len(self._records) >= _HELD_MAX:
            self.flush()

    def flush(self) -> None:
        """Counts what has gathered, and hands its lines to the traffic log."""
        if self._answered:
            self._count()
        if not self._records:
            return
        # Often enough to follow a wall clock that is being corrected.
        self._wall_ahead_ns = self._clock.now_us() * 1000 - self._monotonic_ns()
        if self.log is not None:
            self.log(self._records)
        self._records = []

    def _count(self) -> None:
        answered, self._answered = self._answered, []
        now_ns, is_logged = self._monotonic_ns(), self.log is not None
        peers: list[str] = []
        lines: list[bytes] = []
        replies: list[bytes] = []
        durations_us: list[int] = []
        traces: list[int] = []
        for plan, peer, line, reply, started_ns, trace in answered:
            us = (now_ns - started_ns) // 1000
            figures = plan.figures
            figures.latency.record(us)
            # What is always the same is no error, and short.
            if reply is not plan.constant:
                if reply.startswith(_ERROR):
                    figures.errors += 1
                reply = shown(reply)
            if is_logged:
                if plan.hides:
                    line, reply = plan.shown(line, reply)
                peers.append(peer)
                lines.append(line)
                replies.append(reply)
                durations_us.append(us)
                traces.append(trace)
        if is_logged:
            when = (now_ns + self._wall_ahead_ns) / 1e9
            self._records.append(_new(Round, (
                when, peers, pack(lines), pack(replies), array("Q", durations_us),
                traces if any(traces) else (),
            )))  # fmt: skip
