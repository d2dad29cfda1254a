"""Asks the banks of payees about disputes that clients of this bank have raised.

It remembers only whom it has asked lately. What is to be said is in the ledger, so a restart asks
again, and the same question again changes nothing.
"""

import logging
from collections.abc import Sequence
from functools import partial
from threading import Lock

from msgspec import Struct

from bank_node.banking.payments.disputes_abroad import (
    ABOUT_DISPUTES,
    Heed,
    letter_of,
    statements,
)
from bank_node.banking.payments.papers import PAYEE, PAYER, Dispute
from bank_node.banking.payments.records import read
from bank_node.errors import Refused
from bank_node.ledger.notes import Note
from bank_node.ledger.operations import Result
from bank_node.ledger.writer import Writer
from bank_node.protocol.dispute_messages import DisputeAnswer, DisputeMessage, parse_dispute_answer
from bank_node.security.identity import Identity
from bank_node.service.counter import Counter
from bank_node.values import BankCode

_log = logging.getLogger(__name__)

# Both sides have said what they may after so many questions.
_ROUNDS_MAX = 12
_AT_ONCE = 32
_KEPT_MAX = 100_000
_US = 1_000_000


class _Asked(Struct):
    """When and about what a bank was last asked."""

    entry: int
    again_us: int
    told: int = 0
    """How many of the payer's texts it has."""
    rounds: int = 0


class Inquiries:
    """See the module. Everything may be called from any thread."""

    def __init__(self, ledger: Writer, counter: Counter, identity: Identity, own: str) -> None:
        self._ledger = ledger
        self._counter = counter
        self._identity = identity
        self._own = own
        self._lock = Lock()
        self._asked: dict[str, _Asked] = {}
        self._under_way: set[str] = set()

    def make_round(self, open_notes: Sequence[Note]) -> int:
        """Asks about disputes that have changed, or whose answer is old; how many those are."""
        now_us = self._counter.clock.now_us()
        wanted = []
        for note in open_notes:
            dispute = read(Dispute, note)
            asked = self._begin(dispute.id, note.entry, now_us) if dispute.payee_bank else None
            if asked is not None:
                wanted.append((dispute, asked))
        for dispute, asked in wanted:
            self._ask(dispute, asked)
        return len(wanted)

    def _begin(self, dispute_id: str, entry: int, now_us: int) -> _Asked | None:
        with self._lock:
            before = self._asked.get(dispute_id)
            is_due = before is None or before.entry != entry or now_us >= before.again_us
            if not is_due or dispute_id in self._under_way or len(self._under_way) >= _AT_ONCE:
                return None
            if len(self._asked) >= _KEPT_MAX:
                self._asked = {}
            again_us = now_us + self._counter.rules.dispute_ask_s * _US
            asked = _Asked(entry, again_us, before.told if before else 0)
            self._asked[dispute_id] = asked
            self._under_way.add(dispute_id)
            return asked

    def _ask(self, dispute: Dispute, asked: _Asked) -> None:
        letter, bank = letter_of(dispute, asked.told), BankCode(dispute.payee_bank)
        line = ABOUT_DISPUTES.question(self._identity, self._own, bank, letter.line)
        self._counter.around.ask(bank, line, partial(self._answered, dispute, asked, letter))

    def _answered(
        self, dispute: Dispute, asked: _Asked, letter: DisputeMessage, reply: bytes | Refused
    ) -> None:
        answer = self._read(BankCode(dispute.payee_bank), letter, reply)
        if answer is None:
            self._end(dispute.id)
            return
        heed = Heed(dispute, answer, self._counter.terms())
        self._ledger.submit((heed,), partial(self._heeded, dispute, asked, answer))

    def _read(
        self, bank: BankCode, letter: DisputeMessage, reply: bytes | Refused
    ) -> DisputeAnswer | None:
        if isinstance(reply, Refused):
            return None
        key = self._counter.around.key_of(bank)
        word = ABOUT_DISPUTES.read_answer(bank, self._own, letter.line, reply, key)
        answer = parse_dispute_answer(word.encode()) if word else None
        if answer is None:
            _log.warning("the bank %s has not answered about a dispute as agreed", bank)
        return answer

    def _heeded(
        self, dispute: Dispute, asked: _Asked, answer: DisputeAnswer, results: Sequence[Result]
    ) -> None:
        """Asks on while one side has said what the other one has not heard."""
        (note,) = results
        if not isinstance(note, Note):
            self._end(dispute.id)
            return
        after = read(Dispute, note)
        asked.entry, asked.told = note.entry, answer.heard
        asked.rounds += 1
        has_more = (
            answer.heard < len(statements(after, PAYER))
            or answer.said > len(statements(after, PAYEE))
            or (after.withdrawing and not dispute.withdrawing)
        )
        is_wanted = after.is_open and answer.refused is None and has_more
        if is_wanted and asked.rounds < _ROUNDS_MAX:
            self._ask(after, asked)
        else:
            self._end(dispute.id)

    def _end(self, dispute_id: str) -> None:
        with self._lock:
            self._under_way.discard(dispute_id)
