"""What a desk keeps of a request: the session it came from, its place in order, and its plan."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Operation
from bank_node.protocol.codec import encode_replies, encode_reply, parse_alike
from bank_node.protocol.commands import COMMANDS, Command, Effect, Route
from bank_node.service.calls import Arguments, Bank, Handler
from bank_node.service.handlers import HANDLERS
from bank_node.service.hiding import HIDDEN, shown_junk, shown_request
from bank_node.telemetry.metrics import CommandFigures

_NO_HANDLER = Handler("ER")
# What is not a request is counted as well, under a code that no command can have.
NO_COMMAND = Command("??", (), "ER <message>", "A line that is not a command.")


class Session(Protocol):
    """What the gate needs of a connection. `pending` are its tickets in request order."""

    peer: str
    """`host:port`, as the traffic log shows it."""

    pending: "deque[Ticket]"
    in_flight: int
    """How many requests the tickets in `pending` are for."""
    closing: bool
    is_link: bool
    """Whether another bank speaks on it, whose requests must not be carried on."""
    standing: Any
    """What is remembered about the client; None at first."""

    def flush(self) -> None:
        """Sends the replies that are ready, up to the first one that is not."""


class Ticket:
    """Requests of one session and command, with nothing between them, that are answered together.

    Mostly one; those of one packet that the ledger decides share a ticket, because what is done
    for each ticket costs more than what is done for each request. `replies` is None until they are
    known, and then has one for each line.
    """

    __slots__ = ("arguments", "lines", "plan", "replies", "session", "started_ns", "trace")

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
        self.lines = [line]
        self.plan = plan
        self.arguments = [arguments]
        self.started_ns = started_ns
        self.replies: list[bytes] | None = None if reply is None else [reply]
        self.trace = 0
        """The number that all lines of the traffic log about it carry; 0 for one line alone."""


class Plan:
    """How one desk serves one command: row and handler joined once instead of at every call."""

    __slots__ = (
        "closes",
        "constant",
        "figures",
        "handler",
        "hides",
        "is_by_account",
        "links",
        "looks_up",
        "reads",
        "row",
    )

    def __init__(self, row: Command, figures: CommandFigures, *, reads_are_instant: bool) -> None:
        self.row = row
        self.handler = HANDLERS.get(row.code, _NO_HANDLER)
        self.figures = figures
        self.is_by_account = row.route is not Route.OWN
        self.reads = row.effect is Effect.READS and reads_are_instant
        self.looks_up = row.effect is Effect.READS and not reads_are_instant
        self.closes = row.closes
        self.links = row.links
        self.hides = bool(row.secrets) or row.code not in COMMANDS
        reply = self.handler.reply
        self.constant = encode_reply(reply) if isinstance(reply, str) else None

    def shown(self, line: bytes, reply: bytes) -> tuple[bytes, bytes]:
        """What the traffic log may show of a request and its reply, where `hides` is set."""
        row = self.row
        if row.code not in COMMANDS:
            return shown_junk(line), reply
        if row.secret_reply and reply.startswith(row.code.encode("ascii")):
            reply = reply[:2] + b" " + HIDDEN
        return shown_request(line, row.secrets), reply

    def more(
        self, bank: Bank, lines: Sequence[bytes | None]
    ) -> tuple[list[Operation], list[Arguments]]:
        """What the ledger is to do for the first of these lines, and their arguments.

        As far as each of them is a whole request of this command that this bank decides itself; a
        line that would be refused is none.
        """
        make = self.handler.operation
        operations: list[Operation] = []
        arguments: list[Arguments] = []
        if make is None:
            return operations, arguments
        # Whatever is wrong with a line is found out and told where it is answered alone.
        with suppress(Exception):
            for given in parse_alike(lines, self.row):
                if self.is_by_account and given[0].bank != bank.code:
                    break
                operation = make(bank, given)
                if operation is None:
                    break
                operations.append(operation)
                arguments.append(given)
        return operations, arguments

    def refuse(self, reason: Reason | None) -> None:
        """Has the command refused for a reason from now on, or carried out as ever.

        What has been begun is still told as ever.
        """
        whole = HANDLERS.get(self.row.code, _NO_HANDLER)
        if reason is None:
            self.handler = whole
            self.is_by_account = self.row.route is not Route.OWN
            return

        def refuse(*_arguments: Any) -> NoReturn:
            raise Refused(reason)

        # Other banks are not asked either.
        self.is_by_account = False
        self.handler = Handler(reply=whole.reply, operation=whole.operation and refuse, now=refuse)

    def told_all(
        self, bank: Bank, arguments: Sequence[Arguments], results: Sequence[Any]
    ) -> list[bytes]:
        """The replies for several results, none of which is a refusal."""
        if self.constant is not None:
            return [self.constant] * len(results)
        reply = self.handler.reply
        assert not isinstance(reply, str)
        return encode_replies([reply(bank, *each) for each in zip(arguments, results, strict=True)])

    def told(self, bank: Bank, arguments: tuple[Any, ...], result: Any) -> bytes:
        """The reply for a result, as it goes over the wire."""
        if self.constant is not None:
            return self.constant
        reply = self.handler.reply
        assert not isinstance(reply, str)
        return encode_reply(reply(bank, arguments, result))
