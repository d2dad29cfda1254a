"""The door between sockets and service: what the server is handed, and nothing more."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bank_node.errors import Reason


class Ticket(Protocol):
    """Requests whose replies are not sent yet; `replies` is None until they are known."""

    started_ns: int
    replies: list[bytes] | None


class Desk(Protocol):
    """Answers the requests of one I/O thread."""

    def answer(self, line: bytes | None, session: Any, started_ns: int) -> bytes | None:
        """The reply to a line; None if there is none, or if a ticket in `session.pending` will
        bring it. A line of None was too long."""

    def join(self, lines: Sequence[bytes | None], session: Any, started_ns: int) -> int:
        """Takes in what of these lines, from the first on, is more of what the session asked for
        last; returns how many. Such lines have no replies of their own, the ticket brings them."""

    def flush(self) -> None:
        """Called once a round of the loop, after all sockets that were ready have been read."""

    def close(self) -> None:
        """The last call, after all connections have ended."""

    def sent(self, tickets: Sequence[Any]) -> None:
        """Told of tickets whose replies were handed to the transport."""

    def expire(self, ticket: Any) -> None:
        """Sets the replies of a ticket that has waited too long."""

    def refusal(self, reason: Reason) -> bytes:
        """The reply for a reason that the server itself finds."""


DeskFactory = Callable[[Callable[..., object]], Desk]
"""Makes the desk of an I/O thread, from a function that calls others on that thread."""
