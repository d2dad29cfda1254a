"""What goes wrong on purpose: the fate of each line on its way, and where a node is to crash.

Pure: chances are drawn by whoever is handed in, and nothing here delays or kills anything.
"""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from bank_node.config.crash_points import point
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Hold, Promise, Tell
from bank_node.ledger.transfers import Message

_TOLD = {
    Message.POST: "payer.commit",
    Message.VOID: "payer.abort",
    Message.ACKNOWLEDGE: "payer.end",
    Message.ASK: "payer.answer",
    Message.CREDIT: "payee.credit",
    Message.RELEASE: "payee.release",
}
_SAID = {"P": "payer.prepare", "C": "payer.commit", "A": "payer.abort", "Q": "payee.question"}
_ANSWERED = {"P": "payee.promise", "C": "payee.credit", "A": "payee.release", "Q": "payer.answer"}


class Odds(NamedTuple):
    """How likely each fault is, from 0 to 1."""

    drop: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.0
    """How late a line is at most, in seconds."""
    duplicate: float = 0.0
    reorder: float = 0.0


class Fate(NamedTuple):
    """What becomes of one line, and of the answer to it."""

    copies: tuple[float, ...] = (0.0,)
    """For each copy that arrives, how late it leaves; none when the line is lost."""
    waits: bool = False
    """Whether the copies wait until the next line has overtaken them."""
    answer: float | None = 0.0
    """How late the answer is, None when it is lost."""


class Fates:
    """Draws the fate of one line after the other. `odds` and `cut` may be replaced at any time."""

    def __init__(
        self, odds: Odds, draw: Callable[[], float], cut: Collection[str] = frozenset()
    ) -> None:
        """`draw` gives numbers from 0 up to, not including, 1; `cut` are banks out of reach."""
        self.odds = odds
        self.cut = cut
        self._draw = draw

    def next(self, bank: str) -> Fate:
        """The fate of the next line, which is for a bank.

        Always as many draws, so that one of the odds does not change what the others do.
        """
        odds = self.odds
        lost, unheard, late, late_s, doubled, doubled_s, waits, slow, slow_s = (
            self._draw() for _ in range(9)
        )
        first_s = late_s * odds.delay_s if late < odds.delay else 0.0
        copies = (first_s, doubled_s * odds.delay_s) if doubled < odds.duplicate else (first_s,)
        if bank in self.cut:
            return Fate((), False, None)
        answer = slow_s * odds.delay_s if slow < odds.delay else 0.0
        return Fate(
            () if lost < odds.drop else copies,
            waits < odds.reorder,
            None if unheard < odds.drop else answer,
        )


class Trap:
    """The point at which a node is to crash."""

    def __init__(self, at: str, spared: int) -> None:
        """`at` is a name of CRASH_POINTS or empty; it is passed `spared` times without harm."""
        self._at = at
        self._spared = spared

    def springs(self, moment: str, whats: Iterator[str], end: str) -> str:
        """The point at which the node is to crash now, empty if at none.

        It passes the points `before` or `after` (`moment`) all of `whats`.
        """
        if not self._at:
            return ""
        for what in whats:
            if point(moment, what, end) == self._at:
                self._spared -= 1
                if self._spared < 0:
                    return self._at
        return ""


def durables(operations: Iterator[Operation]) -> Iterator[str]:
    """What of DURABLE these operations are."""
    for operation in operations:
        if isinstance(operation, Hold):
            yield "payer.hold"
        elif isinstance(operation, Promise):
            yield "payee.promise"
        elif isinstance(operation, Tell):
            yield _TOLD[operation.message]


def sent(line: bytes) -> Iterator[str]:
    """What of SENT a line to another bank is."""
    words = line.decode("ascii", "replace").split(" ")
    if words[0] == "AD":
        yield "payer.deposit"
    elif words[0] == "TM":
        yield from (_SAID[message[:1]] for message in words[2].split(";"))


def answered(messages: str) -> Iterator[str]:
    """What of SENT the answers to messages of another bank are."""
    return (_ANSWERED[message[:1]] for message in messages.split(";"))
