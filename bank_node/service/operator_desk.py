"""The desk of the operator's port: one for strangers, one for those who have shown the token.

Both are desks like the public one, with other rows; which of them reads a line is decided before
it is read.
"""

from collections.abc import Callable, Sequence

from bank_node.errors import Reason
from bank_node.protocol.commands import Audience, visible_commands
from bank_node.service.dispatch import Desk
from bank_node.service.tickets import Session, Ticket
from bank_node.telemetry.traffic_lines import Answered, records_of

_PUBLIC = frozenset(visible_commands(extensions=True, audience=Audience.PUBLIC))
_BACKSPACES = (b"\x08", b"\x7f")


class OperatorDesk:
    """Answers operators, and strangers who may become operators."""

    def __init__(self, strangers: Desk, operators: Desk) -> None:
        self._strangers = strangers
        self._operators = operators

    def answer(self, line: bytes | None, session: Session, started_ns: int) -> bytes | None:
        """The reply to one line, or None if there is none, or if it is to come."""
        standing = session.standing
        is_operator = standing is not None and standing.is_operator
        desk = self._operators if is_operator else self._strangers
        return desk.answer(line, session, started_ns)

    def join(self, lines: Sequence[bytes | None], session: Session, started_ns: int) -> int:
        """Nothing: what operators send hardly ever comes in such a hurry."""
        return 0

    def flush(self) -> None:
        """Hands over what has gathered since the last call."""
        self._strangers.flush()
        self._operators.flush()

    def close(self) -> None:
        """The last call: nobody is answered any more."""
        self._operators.close()

    def sent(self, tickets: Sequence[Ticket]) -> None:
        """Told of tickets whose replies were handed to the transport."""
        self._operators.sent(tickets)

    def expire(self, ticket: Ticket) -> None:
        """Gives up waiting for a reply."""
        self._operators.expire(ticket)

    def refusal(self, reason: Reason) -> bytes:
        """The `ER` reply for a reason, as it goes over the wire."""
        return self._operators.refusal(reason)


def public_only(
    log: Callable[[Sequence[Answered]], None],
) -> Callable[[Sequence[Answered]], None]:
    """A traffic log that keeps what operators did as clients: no tokens, no pages, no polls."""

    def keep(answered: Sequence[Answered]) -> None:
        kept = [record for record in records_of(answered) if _is_public(record[2])]
        if kept:
            log(kept)

    return keep


def _is_public(line: bytes) -> bool:
    # A backspace can make any command of any other; whoever types by hand is not logged then.
    words = line.split(None, 1)
    is_plain = not any(each in line for each in _BACKSPACES)
    return bool(words) and is_plain and words[0].upper() in _PUBLIC
