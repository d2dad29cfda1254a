"""The desk of an I/O thread: every line passes here once down and once up.

Down: parse, look the row up, check the audience and the route, let the handler name its
operation. Up: result to reply, count, log. What all desks share is the gate (`gate.py`); nothing
in a desk is shared but the writer's queue, so it takes no locks. Knows no sockets.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Done, Operation, ReadClients, Result
from bank_node.protocol.codec import Request, encode_reply, parse_request
from bank_node.protocol.commands import Effect, Route
from bank_node.service.calls import Answer, Bank, Call, Elsewhere, Handler
from bank_node.service.lookups import Lookups, Waiting
from bank_node.service.tally import Tally
from bank_node.service.tickets import NO_COMMAND, Plan, Session, Ticket
from bank_node.service.together import Together, Told
from bank_node.telemetry.traffic_lines import Answered

if TYPE_CHECKING:
    from bank_node.service.gate import Gate  # It knows this module.

_log = logging.getLogger(__name__)


class Desk:
    """Answers the requests of one I/O thread."""

    def __init__(self, gate: "Gate", run_soon: Callable[..., object], elsewhere: Elsewhere) -> None:
        self._bank = gate.bank
        self._code = gate.bank.code
        self._ledger = gate.ledger
        self._run_soon = run_soon
        self._elsewhere = elsewhere
        self._workers = gate.workers
        self._new_trace = gate.new_trace
        self._commands = gate.bank.commands()
        figures = gate.metrics.new_command_table()
        self._plans = {
            row.code: Plan(row, figures[row.code], reads_are_instant=gate.ledger.reads_are_instant)
            for row in self._commands.values()
        }
        self._no_plan = Plan(NO_COMMAND, figures[NO_COMMAND.code], reads_are_instant=False)
        self._refusals = {reason: self._refusal(reason) for reason in Reason}
        self._operations: list[Operation] = []
        self._tickets: list[Ticket] = []
        self._submissions: list[tuple[Sequence[Operation], Done]] = []
        self._together: Together | None = None
        self._lookups = Lookups()
        self._looks_up = not gate.ledger.reads_are_instant
        self._monotonic_ns = gate.clock.monotonic_ns
        self._tally = Tally(gate.clock, gate.log)
        self._queued = 0
        self._queued_max = gate.requests_queued
        self.refuse(gate.refused)

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
            session.in_flight += 1
            return None
        self._tally.note(plan, session.peer, line or b"", reply, started_ns)
        return reply

    def _carry_out(
        self, plan: Plan, request: Request, session: Session, started_ns: int
    ) -> bytes | None:
        arguments = request.arguments
        if plan.is_by_account and arguments[0].bank != self._code:
            return self._carry_on(plan, request, session, started_ns)
        make_operation = plan.handler.operation
        operation = make_operation(self._bank, arguments) if make_operation else None
        if operation is None:
            return self._without_ledger(plan, request, session, started_ns)
        # A read behind unfinished requests of its own connection is decided in their order.
        if plan.reads and not session.pending:
            return self._told(plan, arguments, self._ledger.read(operation))
        may_overtake = plan.looks_up and not session.pending
        ticket = self._hold(plan, request, session, started_ns)
        if self._looks_up and self._waits(Waiting(operation, ticket), may_overtake):
            return None
        self._tickets.append(ticket)
        self._operations.append(operation)
        return None

    def join(self, lines: Sequence[bytes | None], session: Session, started_ns: int) -> int:
        """Takes in the first of these lines with the session's latest request; returns how many.

        Only lines that the ledger decides right after it and that ask for the same command; they
        share its ticket. What any other line comes to, `answer` tells.
        """
        ticket = self._tickets[-1] if self._tickets else None
        latest = session.pending[-1] if session.pending else None
        if ticket is None or ticket is not latest or ticket.started_ns != started_ns:
            return 0
        room = self._queued_max - self._queued
        operations, arguments = ticket.plan.more(self._bank, lines[:room])
        count = len(operations)
        ticket.lines += cast("Sequence[bytes]", lines[:count])
        ticket.arguments += arguments
        self._operations += operations
        self._queued += count
        session.in_flight += count
        return count

    def _waits(self, waiting: Waiting, may_overtake: bool) -> bool:
        """Whether a request is looked up, or is kept behind one of its session that is."""
        session = waiting.ticket.session
        if self._lookups.hold_back(session, waiting):
            return True
        if may_overtake:
            self._lookups.add(session, waiting)
        return may_overtake

    def _hold(self, plan: Plan, request: Request, session: Session, started_ns: int) -> Ticket:
        """Keeps a place among the replies of a session for one that is to come."""
        if self._queued >= self._queued_max:
            raise Refused(Reason.TOO_BUSY)
        self._queued += 1
        session.in_flight += 1
        ticket = Ticket(session, request.line, plan, request.arguments, started_ns)
        session.pending.append(ticket)
        return ticket

    def _without_ledger(
        self, plan: Plan, request: Request, session: Session, started_ns: int
    ) -> bytes | None:
        handler = plan.handler
        if handler.now is not None:
            call = Call(self._bank, request.arguments, 0, started_ns, session, self._decide)
            return encode_reply(handler.now(call))
        if handler.work is None and handler.later is None:
            session.closing = session.closing or plan.closes
            session.is_link = session.is_link or plan.links
            return plan.told(self._bank, request.arguments, 0)
        is_behind = bool(session.pending)
        ticket = self._hold(plan, request, session, started_ns)
        ticket.trace = self._new_trace()
        call = Call(self._bank, request.arguments, ticket.trace, started_ns, session, self._decide)

        def done(answer: Answer) -> None:
            self._run_soon(self._answered, ticket, answer)

        try:
            if handler.later is not None:
                handler.later(call, done)
            elif is_behind and plan.row.effect is Effect.LOOKS_BACK:
                self._after_what_was_asked(partial(self._work_or_refuse, handler, call, done))
            else:
                self._work(handler, call, done)
        except BaseException:
            self._let_go(ticket)
            raise
        return None

    def _work(self, handler: Handler, call: Call, done: Callable[[Answer], None]) -> None:
        self._workers.run(partial(cast("Callable[[Call], str]", handler.work), call), done)

    def _work_or_refuse(self, handler: Handler, call: Call, done: Callable[[Answer], None]) -> None:
        try:
            self._work(handler, call, done)
        except Refused as refused:
            done(refused)

    def _after_what_was_asked(self, work: Callable[[], None]) -> None:
        """Has something done once the ledger has decided all that it was handed so far."""

        def decided(_results: Sequence[Result]) -> None:
            self._run_soon(work)

        self.flush()
        self._ledger.submit((ReadClients(),), decided)

    def _carry_on(
        self, plan: Plan, request: Request, session: Session, started_ns: int
    ) -> bytes | None:
        """Has a request for an account of another bank answered there."""
        account = request.arguments[0]
        if plan.row.route is Route.OWN_ACCOUNT:
            raise Refused(Reason.NOT_FORWARDED)
        if session.is_link:
            # A bank asked because it takes this one for the owner; asking on could go in circles.
            raise Refused(Reason.NOT_OURS, bank=account.bank, own=self._bank.code)
        ticket = self._hold(plan, request, session, started_ns)
        ticket.trace = self._new_trace()
        # Not as it was typed: strangers are pickier about blanks, zeros and case than this bank.
        line = " ".join((plan.row.code, *map(str, request.arguments))).encode()
        try:
            self._elsewhere.forward(
                account.bank, line, ticket.trace, session, partial(self._answered, ticket)
            )
        except BaseException:
            self._let_go(ticket)
            raise
        return None

    def adopt(self, bank: Bank, log: Callable[[Sequence[Answered]], None] | None) -> None:
        """Goes on with what has changed of the bank: its language, its plans, its traffic log."""
        self._bank = bank
        self._tally.log = log
        self._refusals = {reason: self._refusal(reason) for reason in Reason}

    def refuse(self, refused: Mapping[Effect, Reason]) -> None:
        """As the gate's."""
        for plan in self._plans.values():
            plan.refuse(refused.get(plan.row.effect))

    def _let_go(self, ticket: Ticket) -> None:
        """Gives back the place of a request that came to nothing; it is the session's last."""
        ticket.session.pending.pop()
        ticket.session.in_flight -= 1
        self._queued -= 1

    def _answered(self, ticket: Ticket, answer: Answer) -> None:
        """Takes the answer to a request that went elsewhere, unless it had waited too long."""
        self._queued -= 1
        if ticket.replies is not None:
            return
        if ticket.plan.row.waits:
            # Waiting for news is no latency.
            ticket.started_ns = self._monotonic_ns()
        if isinstance(answer, Refused):
            ticket.replies = [self._refused(answer)]
        else:
            ticket.replies = [encode_reply(answer) if isinstance(answer, str) else answer]
        ticket.session.flush()

    def flush(self) -> None:
        """Hands over what has gathered since the last call; called once a round of the loop."""
        self._close_submission()
        self._together = None
        submissions, self._submissions = self._submissions, []
        for operations, told in submissions:
            self._ledger.submit(operations, told)
        if self._looks_up and (lookups := self._lookups.take()):
            waiting = [each.ticket for each in lookups]
            self._ledger.look_up(
                [each.operation for each in lookups],
                lambda results: self._run_soon(self._deliver_found, waiting, results),
            )
        self._tally.flush()

    def _close_submission(self) -> None:
        """What was asked for so far goes to the ledger before what is asked for from now on."""
        if self._operations:
            self._together = None
            operations, tickets = self._operations, self._tickets
            self._operations, self._tickets = [], []
            self._submissions.append((
                operations, lambda results: self._run_soon(self._deliver, tickets, results)
            ))  # fmt: skip

    def _decide(self, operation: Operation, told: Told) -> None:
        """Takes what a request that goes on by itself wants of the ledger."""
        self._close_submission()
        together = self._together
        if together is None:
            self._together = together = Together()
            self._submissions.append((together.operations, together.deal))
        together.add(operation, told)

    def close(self) -> None:
        """The last call: nobody is answered any more."""
        self._elsewhere.close()

    def _deliver(self, tickets: list[Ticket], results: Sequence[Result]) -> None:
        """Turns results into replies and lets the sessions send them."""
        self._queued -= len(results)
        sessions: dict[Session, None] = {}
        # By far the most frequent results are the plain yes of AD and AW.
        is_plain = not any(results)
        first = 0
        for ticket in tickets:
            sessions[ticket.session] = None
            count = len(ticket.lines)
            # A ticket that has waited too long was answered already.
            if ticket.replies is None:
                constant = ticket.plan.constant
                if is_plain and constant is not None:
                    ticket.replies = [constant] * count
                else:
                    ticket.replies = self._told_all(ticket, results[first : first + count])
            first += count
        for session in sessions:
            session.flush()

    def _deliver_found(self, tickets: list[Ticket], results: Sequence[Result]) -> None:
        """Delivers what was looked up, and sends on its way what had to wait behind it."""
        for waiting in self._lookups.answered([ticket.session for ticket in tickets]):
            self._operations.append(waiting.operation)
            self._tickets.append(waiting.ticket)
        self._deliver(tickets, results)
        self.flush()

    def _told_all(self, ticket: Ticket, results: Sequence[Result]) -> list[bytes]:
        """The replies to the requests of a ticket, mostly without a look at each of them."""
        plan, arguments = ticket.plan, ticket.arguments
        if Reason not in map(type, results):
            # What is wrong with one of them is found out where it is told alone.
            with suppress(Exception):
                return plan.told_all(self._bank, arguments, results)
        return [self._told_late(plan, *each) for each in zip(arguments, results, strict=True)]

    def _told_late(self, plan: Plan, arguments: tuple[Any, ...], result: Result) -> bytes:
        """The reply to a held request; a defect costs this one, never the others of its batch."""
        try:
            return self._told(plan, arguments, result)
        except Refused as refused:
            return self._refused(refused)
        except Exception:
            _log.exception("a result could not be told")
            return self._untold(plan, Reason.INTERNAL)

    def _told(self, plan: Plan, arguments: tuple[Any, ...], result: Result) -> bytes:
        if isinstance(result, Reason):
            return self._refused(Refused(result, **self._bank.following.details(result)))
        return plan.told(self._bank, arguments, result)

    def sent(self, tickets: Sequence[Ticket]) -> None:
        """Told of tickets whose replies were handed to the transport."""
        self._tally.note_sent(tickets)

    def expire(self, ticket: Ticket) -> None:
        """Gives up waiting for replies."""
        ticket.replies = [self._untold(ticket.plan, Reason.TIMED_OUT)] * len(ticket.lines)

    def _untold(self, plan: Plan, reason: Reason) -> bytes:
        """The reply where no result can be told: whether a write happens is not known then."""
        writes = plan.row.effect is Effect.WRITES
        return self._refusals[Reason.OUTCOME_UNKNOWN if writes else reason]

    def refusal(self, reason: Reason) -> bytes:
        """The `ER` reply for a reason, as it goes over the wire."""
        return self._refusals[reason]

    def _refused(self, refused: Refused) -> bytes:
        if refused.details:
            return encode_reply(self._bank.catalogue.error(refused))
        return self._refusals[refused.reason]

    def _refusal(self, reason: Reason) -> bytes:
        return encode_reply(f"ER {self._bank.catalogue.error_sentence(reason)}")
