"""The gate: every line passes here once down and once up.

Down: parse, look the row up, check the audience and the route, let the handler name its
operation. Up: result to reply, count, log. There is one desk for each I/O thread; nothing in it
is shared but the writer's queue, so it takes no locks. Knows no sockets.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Operation, Result
from bank_node.protocol.codec import Request, encode_reply, parse_request
from bank_node.protocol.commands import Command, Effect, Route
from bank_node.service.handlers import HANDLERS, Bank, Handler
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import CommandFigures, Metrics
from bank_node.telemetry.traffic import Record

_log = logging.getLogger(__name__)

_ERROR = b"ER"
_NO_COMMAND = Command("??", (), "ER <message>", "A line that is not a command.")

# Lines that may wait for the end of a round before the traffic log gets them.
_RECORDS_HELD_MAX = 256
_NO_HANDLER = Handler("ER")


class Ledger(Protocol):
    """The two doors of the ledger: reading what is durable, and having things decided in order."""

    @property
    def reads_are_instant(self) -> bool: ...

    def read(self, operation: Operation) -> Result: ...

    def submit(
        self, operations: Sequence[Operation], done: Callable[[Sequence[Result]], object]
    ) -> None: ...


class Session(Protocol):
    """What the gate needs of a connection. `pending` are its tickets in request order."""

    peer: str
    """`host:port`, as the traffic log shows it."""

    pending: "deque[Ticket]"
    closing: bool

    def flush(self) -> None:
        """Sends the replies that are ready, up to the first one that is not."""


class Ticket:
    """A request whose reply is not sent yet; `reply` is None until it is known."""

    __slots__ = ("arguments", "line", "plan", "reply", "session", "started_ns")

    def __init__(
        self,
        session: Session,
        line: bytes,
        plan: "Plan",
        arguments: tuple[Any, ...],
        started_ns: int,
        reply: bytes | None = None,
    ) -> None:
        self.session = session
        self.line = line
        self.plan = plan
        self.arguments = arguments
        self.started_ns = started_ns
        self.reply = reply


class Plan:
    """How one desk serves one command: row and handler joined once instead of at every call."""

    __slots__ = ("closes", "constant", "figures", "handler", "is_by_account", "reads", "row")

    def __init__(self, row: Command, figures: CommandFigures, *, reads_are_instant: bool) -> None:
        self.row = row
        self.handler = HANDLERS.get(row.code, _NO_HANDLER)
        self.figures = figures
        self.is_by_account = row.route is not Route.OWN
        self.reads = row.effect is Effect.READS and reads_are_instant
        self.closes = row.closes
        reply = self.handler.reply
        self.constant = encode_reply(reply) if isinstance(reply, str) else None

    def told(self, bank: Bank, arguments: tuple[Any, ...], result: int) -> bytes:
        """The reply for a result, as it goes over the wire."""
        if self.constant is not None:
            return self.constant
        reply = self.handler.reply
        assert not isinstance(reply, str)
        return encode_reply(reply(bank, arguments, result))


class Gate:
    """What all desks share."""

    def __init__(
        self,
        bank: Bank,
        ledger: Ledger,
        metrics: Metrics,
        clock: Clock,
        log: Callable[[Sequence[Record]], None] | None,
        requests_queued: int,
    ) -> None:
        """`log` takes traffic records; None keeps no traffic log."""
        self.bank = bank
        self.ledger = ledger
        self.metrics = metrics
        self.clock = clock
        self.log = log
        self.requests_queued = requests_queued

    def desk(self, run_soon: Callable[..., object]) -> "Desk":
        """A desk for one I/O thread; `run_soon(f, *args)` makes that thread call `f(*args)`."""
        return Desk(self, run_soon)


class Desk:
    """Answers the requests of one I/O thread."""

    def __init__(self, gate: Gate, run_soon: Callable[..., object]) -> None:
        self._bank = gate.bank
        self._ledger = gate.ledger
        self._clock = gate.clock
        self._log = gate.log
        self._run_soon = run_soon
        self._commands = gate.bank.commands()
        figures = gate.metrics.new_command_table()
        self._plans = {
            row.code: Plan(row, figures[row.code], reads_are_instant=gate.ledger.reads_are_instant)
            for row in self._commands.values()
        }
        # What is not a request is counted as well, under a code that no command can have.
        self._no_plan = Plan(_NO_COMMAND, figures[_NO_COMMAND.code], reads_are_instant=False)
        self._refusals = {reason: self._refusal(reason) for reason in Reason}
        self._operations: list[Operation] = []
        self._tickets: list[Ticket] = []
        self._records: list[Record] = []
        self._monotonic_ns = gate.clock.monotonic_ns
        self._wall_ahead_ns = gate.clock.now_us() * 1000 - gate.clock.monotonic_ns()
        self._queued = 0
        self._queued_max = gate.requests_queued

    def answer(self, line: bytes | None, session: Session, started_ns: int) -> bytes | None:
        """The reply to one line, or None if there is none, or if it is to come.

        A reply to come has a ticket at the end of `session.pending`, and so has one that is
        ready while earlier ones are not. A `line` of None is one that was too long.
        """
        plan = self._no_plan
        try:
            if line is None:
                raise Refused(Reason.LINE_TOO_LONG)
            request = parse_request(line, self._commands)
            if request is None:
                return None
            plan = self._plans[request.command.code]
            reply = self._carry_out(plan, request, session, started_ns)
        except Refused as refused:
            reply = self._refused(refused)
        except Exception:
            # A defect costs the one request that met it, never the connection or the node.
            _log.exception("a request failed")
            reply = self._refusals[Reason.INTERNAL]
        if reply is None:
            return None
        if session.pending:
            session.pending.append(Ticket(session, line or b"", plan, (), started_ns, reply))
            return None
        self._note(plan.figures, session.peer, line or b"", reply, started_ns)
        return reply

    def _carry_out(
        self, plan: Plan, request: Request, session: Session, started_ns: int
    ) -> bytes | None:
        arguments = request.arguments
        if plan.is_by_account and arguments[0].bank != self._bank.code:
            raise self._foreign(request)
        make_operation = plan.handler.operation
        if make_operation is None:
            session.closing = session.closing or plan.closes
            return plan.told(self._bank, arguments, 0)
        operation = make_operation(self._bank, arguments)
        # A read behind unfinished requests of its own connection is decided in their order.
        if plan.reads and not session.pending:
            return self._told(plan, arguments, self._ledger.read(operation))
        if self._queued >= self._queued_max:
            raise Refused(Reason.TOO_BUSY)
        self._queued += 1
        ticket = Ticket(session, request.line, plan, arguments, started_ns)
        session.pending.append(ticket)
        self._operations.append(operation)
        self._tickets.append(ticket)
        return None

    def _foreign(self, request: Request) -> Refused:
        if request.command.route is Route.OWN_ACCOUNT:
            return Refused(Reason.NOT_FORWARDED)
        return Refused(Reason.NO_NETWORK, bank=request.arguments[0].bank, own=self._bank.code)

    def flush(self) -> None:
        """Hands over what has gathered since the last call; called once a round of the loop."""
        if self._operations:
            operations, tickets = self._operations, self._tickets
            self._operations, self._tickets = [], []
            self._ledger.submit(
                operations, lambda results: self._run_soon(self._deliver, tickets, results)
            )
        if self._records:
            self._log_records()

    def _log_records(self) -> None:
        """Hands the gathered lines to the traffic log."""
        # Often enough to follow a wall clock that is being corrected.
        self._wall_ahead_ns = self._clock.now_us() * 1000 - self._monotonic_ns()
        if self._log is not None:
            self._log(self._records)
        self._records = []

    def _deliver(self, tickets: list[Ticket], results: Sequence[Result]) -> None:
        """Turns results into replies and lets the sessions send them."""
        self._queued -= len(tickets)
        sessions: dict[Session, None] = {}
        for ticket, result in zip(tickets, results, strict=True):
            sessions[ticket.session] = None
            # A ticket that has waited too long was answered already.
            if ticket.reply is None:
                constant = ticket.plan.constant
                # By far the most frequent results are the plain yes of AD and AW.
                ticket.reply = (
                    constant
                    if constant is not None and result == 0
                    else self._told_late(ticket, result)
                )
        for session in sessions:
            session.flush()
        self.flush()

    def _told_late(self, ticket: Ticket, result: Result) -> bytes:
        """The reply of a ticket; a defect costs this one, never the others of its batch."""
        try:
            return self._told(ticket.plan, ticket.arguments, result)
        except Exception:
            _log.exception("a result could not be told")
            writes = ticket.plan.row.effect is Effect.WRITES
            return self._refusals[Reason.OUTCOME_UNKNOWN if writes else Reason.INTERNAL]

    def _told(self, plan: Plan, arguments: tuple[Any, ...], result: Result) -> bytes:
        if isinstance(result, Reason):
            return self._refusals[result]
        return plan.told(self._bank, arguments, result)

    def sent(self, tickets: Sequence[Ticket]) -> None:
        """Told of tickets whose replies were handed to the transport."""
        for ticket in tickets:
            reply = ticket.reply
            assert reply is not None
            self._note(
                ticket.plan.figures, ticket.session.peer, ticket.line, reply, ticket.started_ns
            )

    def expire(self, ticket: Ticket) -> None:
        """Gives up waiting for a reply. Whether a write happens after all is not known."""
        writes = ticket.plan.row.effect is Effect.WRITES
        ticket.reply = self._refusals[Reason.OUTCOME_UNKNOWN if writes else Reason.TIMED_OUT]

    def refusal(self, reason: Reason) -> bytes:
        """The `ER` reply for a reason, as it goes over the wire."""
        return self._refusals[reason]

    def _refused(self, refused: Refused) -> bytes:
        if refused.details:
            return encode_reply(self._bank.catalogue.error(refused))
        return self._refusals[refused.reason]

    def _refusal(self, reason: Reason) -> bytes:
        return encode_reply(f"ER {self._bank.catalogue.error_sentence(reason)}")

    def _note(
        self, figures: CommandFigures, peer: str, line: bytes, reply: bytes, started_ns: int
    ) -> None:
        """Counts one answered request, and keeps its line for the traffic log."""
        now_ns = self._monotonic_ns()
        us = (now_ns - started_ns) // 1000
        if reply.startswith(_ERROR):
            figures.errors += 1
        figures.latency.record(us)
        if self._log is not None:
            self._records.append(((now_ns + self._wall_ahead_ns) / 1e9, peer, line, reply, us))
            if len(self._records) >= _RECORDS_HELD_MAX:
                self._log_records()
