"""Tells other banks what they have to hear about requests, until they have heard it.

What is owed is in the ledger: here is only remembered what was said lately, so a restart says it
again, and the same letter again changes nothing.
"""

import logging
from collections.abc import Sequence
from functools import partial
from threading import Lock

from msgspec import Struct

from bank_node.banking.payments.mandates import REVOKE
from bank_node.banking.payments.papers import PAYER, MandateAbroad, Request
from bank_node.banking.payments.records import request_of
from bank_node.errors import Refused
from bank_node.ledger.notes import Note
from bank_node.ledger.writer import Writer
from bank_node.protocol.letter_words import Letter
from bank_node.security.identity import Identity
from bank_node.service.counter import Counter
from bank_node.service.letters import ABOUT_REQUESTS, letter_about, read_answer, taking

_log = logging.getLogger(__name__)

_AT_ONCE = 64
_KEPT_MAX = 100_000
_US = 1_000_000
# The pause after the first letter that nobody answers; each further one is twice as long.
_PAUSE_S = 4


class _Said(Struct):
    """What was said about a paper, and when it is said again."""

    serial: int
    again_us: int
    times: int = 0


class Correspondence:
    """See the module. Everything may be called from any thread."""

    def __init__(self, ledger: Writer, counter: Counter, identity: Identity, own: str) -> None:
        self._ledger = ledger
        self._counter = counter
        self._identity = identity
        self._own = own
        self._lock = Lock()
        self._said: dict[str, _Said] = {}
        self._under_way: set[str] = set()

    def heard(self, notes: Sequence[Note]) -> None:
        """Takes in papers that became durable, and says at once what is owed about them."""
        for note in notes:
            paper = request_of(note)
            if not paper.is_owed:
                continue
            if _is_waited_for(paper):
                # Who has asked for it says it, and waits for the answer.
                self._begin(paper, is_said=True)
            else:
                self._say(paper)

    def make_round(self, open_notes: Sequence[Note]) -> int:
        """Says again what was not answered; how much that was."""
        owed = (paper for paper in map(request_of, open_notes) if paper.is_owed)
        return sum(map(self._say, owed))

    def _say(self, paper: Request) -> bool:
        if not self._begin(paper):
            return False
        assert paper.there is not None, "it is owed to another bank"
        letter = letter_about(paper, self._counter.currency)
        bank = paper.there.bank
        line = ABOUT_REQUESTS.question(self._identity, self._own, bank, letter.line)
        self._counter.around.ask(bank, line, partial(self._answered, paper, letter))
        return True

    def _begin(self, paper: Request, *, is_said: bool = False) -> bool:
        """Whether it is time to say what is owed; then, or if it `is_said`, remembers that."""
        assert paper.there is not None, "it is owed to another bank"
        now_us, serial = self._counter.clock.now_us(), paper.there.said
        with self._lock:
            before = self._said.get(paper.id)
            is_new = before is None or before.serial != serial
            is_due = is_new or (before is not None and now_us >= before.again_us)
            if not is_due or paper.id in self._under_way or len(self._under_way) >= _AT_ONCE:
                return False
            if len(self._said) >= _KEPT_MAX:
                self._said = {}
            times = before.times + 1 if before and not is_new else 0
            pause_s = min(_PAUSE_S << min(times, 16), self._counter.rules.dispute_ask_s)
            self._said[paper.id] = _Said(serial, now_us + pause_s * _US, times)
            if not is_said:
                self._under_way.add(paper.id)
            return True

    def _answered(self, paper: Request, letter: Letter, reply: bytes | Refused) -> None:
        with self._lock:
            self._under_way.discard(letter.id)
        if isinstance(reply, Refused) or paper.there is None:
            return
        bank = paper.there.bank
        answer = read_answer(self._own, bank, letter, reply, self._counter.around.key_of(bank))
        if answer is None:
            _log.warning("the bank %s has not answered about a request as agreed", bank)
            return
        take = taking(paper, letter.serial, answer.refused)
        self._ledger.submit((take,), lambda _results: None)


def _is_waited_for(paper: Request) -> bool:
    """Whether whoever has written a paper down says it, and waits for the answer."""
    there = paper.there
    if there is None or there.side != PAYER:
        return False
    wish = there.wish if isinstance(there, MandateAbroad) else ""
    return paper.state == "sent" or (bool(wish) and wish != REVOKE)
