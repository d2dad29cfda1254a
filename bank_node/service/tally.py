"""What one desk keeps of answered requests: figures by command, and lines for the traffic log."""

from collections.abc import Callable, Sequence

from bank_node.service.tickets import Plan, Ticket
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.traffic import Record, shown

_ERROR = b"ER"
# Lines that may wait for the end of a round before the traffic log gets them.
_RECORDS_HELD_MAX = 256


class Tally:
    """Counts answered requests. Used by the thread of one desk only."""

    def __init__(self, clock: Clock, log: Callable[[Sequence[Record]], None] | None) -> None:
        """`log` takes traffic records; None keeps no traffic log."""
        self.log = log
        self._clock = clock
        self._monotonic_ns = clock.monotonic_ns
        self._wall_ahead_ns = clock.now_us() * 1000 - clock.monotonic_ns()
        self._records: list[Record] = []

    def note(
        self, plan: Plan, peer: str, line: bytes, reply: bytes, started_ns: int, trace: int = 0
    ) -> None:
        """Counts an answered request, and keeps its line for the traffic log."""
        now_ns = self._monotonic_ns()
        us = (now_ns - started_ns) // 1000
        if reply.startswith(_ERROR):
            plan.figures.errors += 1
        plan.figures.latency.record(us)
        if self.log is not None:
            if plan.hides:
                line, reply = plan.shown(line, reply)
            when = (now_ns + self._wall_ahead_ns) / 1e9
            self._records.append((when, peer, line, shown(reply), us, trace))
            if len(self._records) >= _RECORDS_HELD_MAX:
                self.flush()

    def note_sent(self, tickets: Sequence[Ticket]) -> None:
        """Counts the requests of tickets whose replies were handed to the transport."""
        for ticket in tickets:
            lines, replies = ticket.lines, ticket.replies
            assert replies is not None
            if len(lines) == 1:
                self.note(ticket.plan, ticket.session.peer, lines[0], replies[0],
                          ticket.started_ns, ticket.trace)  # fmt: skip
            else:
                self._note_all(ticket, replies)

    def _note_all(self, ticket: Ticket, replies: list[bytes]) -> None:
        plan, peer, trace, records = ticket.plan, ticket.session.peer, ticket.trace, self._records
        now_ns = self._monotonic_ns()
        us = (now_ns - ticket.started_ns) // 1000
        # Nearly always all replies are the plain yes of the command.
        if plan.constant is None or replies.count(plan.constant) != len(replies):
            plan.figures.errors += sum([reply.startswith(_ERROR) for reply in replies])
        plan.figures.latency.record(us, len(replies))
        if self.log is None:
            return
        when = (now_ns + self._wall_ahead_ns) / 1e9
        for line, reply in zip(ticket.lines, replies, strict=True):
            if plan.hides:
                line, reply = plan.shown(line, reply)
            records.append((when, peer, line, shown(reply), us, trace))
        if len(records) >= _RECORDS_HELD_MAX:
            self.flush()

    def flush(self) -> None:
        """Hands the lines that have gathered to the traffic log."""
        if not self._records:
            return
        # Often enough to follow a wall clock that is being corrected.
        self._wall_ahead_ns = self._clock.now_us() * 1000 - self._monotonic_ns()
        if self.log is not None:
            self.log(self._records)
        self._records = []
