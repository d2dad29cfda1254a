"""Signed messages about transfers on their way to other banks, in as few lines as they fit into.

Belongs to one loop. Every message that leaves is replied to once, with an answer that its bank has
signed or with the certainty that there will be none.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field

from bank_node.banking.transfers.flights import Reply
from bank_node.banking.transfers.signing import answer_bytes, answer_evidence, request_bytes
from bank_node.errors import Reason, Refused
from bank_node.node.acquaintance import Acquaintance
from bank_node.protocol.transfer_messages import (
    BATCH_BYTES_MAX,
    MESSAGES_MAX,
    PREPARED,
    TransferMessage,
    Word,
    parse_answers,
)
from bank_node.security.identity import Identity, is_signed
from bank_node.service.calls import Elsewhere
from bank_node.values import BankCode, one_line

_log = logging.getLogger(__name__)

Envelope = tuple[str, TransferMessage]
"""The key of a flight and what is said about it."""

# While a group of lines is on its way to a bank, messages for it gather; once the group has been
# away for longer than a bank that is well takes, perhaps lost, another one follows it.
_BURSTS = 2
_LATE_S = 0.25
# What a burst may hold, so that its last line is answered long before a link gives up waiting,
# also by a bank that has just started and has thousands of questions of its own.
_LINES_A_BURST = 8


# Words about transfers, and deposits at banks that know nothing else; questions are free.
_OF_LEADERS = (b"TM ", b"AD ")


class WhileLeading:
    """The way to other banks of a node that may stop leading its bank.

    What was decided here and did not reach the node that leads now is not the word of the bank: no
    other bank may act on it.
    """

    def __init__(self, way: Elsewhere, leads: Callable[[], bool]) -> None:
        self._way = way
        self._leads = leads
        self.close = way.close

    def forward(
        self,
        bank: BankCode,
        line: bytes,
        trace: int,
        client: Any,
        done: Callable[[bytes | Refused], object],
    ) -> None:
        """See Elsewhere."""
        if line.startswith(_OF_LEADERS) and not self._leads():
            # No client hears this: what was to be sent waits, and is nobody's word for now.
            raise Refused(Reason.NOT_LEADER, leader="?")
        self._way.forward(bank, line, trace, client, done)


class Lane(Struct):
    """What is on its way to one bank, and what waits for it."""

    waiting: list[Envelope] = field(default_factory=list)
    bursts: int = 0
    left_at: float = 0.0
    """When the latest burst left."""
    is_to_hear: bool = False
    """Whether the bank has promised something and hears in a moment what was decided."""


class Burst:
    """Lines that left together."""

    def __init__(self, unanswered: int) -> None:
        self.unanswered = unanswered


class PostOffice:
    """See the module."""

    def __init__(
        self,
        own: BankCode,
        identity: Identity,
        acquaintance: Acquaintance,
        carrier: Elsewhere,
        replied: Callable[[Sequence[Envelope], Sequence[Reply]], None],
        is_awaited: Callable[[str, TransferMessage], bool],
    ) -> None:
        """`replied` hears of each message once, with its reply.

        `is_awaited` is asked about a message when it is about to leave; if nobody wants an answer
        any more it stays here, and nobody hears of it.
        """
        self._own = own
        self._identity = identity
        self._acquaintance = acquaintance
        self._carrier = carrier
        self._replied = replied
        self._is_awaited = is_awaited
        self._now = asyncio.get_running_loop().time
        self._lanes: dict[BankCode, Lane] = {}
        self._complaints: dict[BankCode, str] = {}

    def send(self, messages: Sequence[tuple[str, BankCode, TransferMessage]]) -> None:
        """Takes messages on, each with the key of its flight and the bank that it is for."""
        banks = set()
        for key, bank, message in messages:
            lane = self._lanes.get(bank)
            if lane is None:
                lane = self._lanes[bank] = Lane()
            lane.waiting.append((key, message))
            banks.add(bank)
            if message.word is Word.COMMIT:
                lane.is_to_hear = False
        for bank in banks:
            self._move(bank)

    def is_on_its_way(self, bank: BankCode) -> bool:
        """Whether lines are on their way to a bank, and its answers are about to come."""
        lane = self._lanes.get(bank)
        if lane is None or not (lane.bursts or lane.is_to_hear):
            return False
        return self._now() - lane.left_at < _LATE_S

    def tick(self) -> None:
        """Sends what has waited for long enough; called a few times a second."""
        for bank in self._lanes:
            self._move(bank)

    def _move(self, bank: BankCode) -> None:
        """Sends all that waits for a bank, unless enough is on its way there.

        What gathers meanwhile shares the next lines: a signature costs more than all else that
        is done for a message. A bank that has just promised something hears what was decided
        along with it. Without that, decisions would come a moment too late for the next lines,
        and every payee would hear of its money one journey later.
        """
        lane, now = self._lanes[bank], self._now()
        is_late = now - lane.left_at >= _LATE_S
        if not lane.waiting or lane.bursts >= (_BURSTS if is_late else 1):
            return
        if lane.is_to_hear and not is_late:
            return
        batches = _batches([each for each in lane.waiting if self._is_awaited(*each)])
        lane.waiting = [envelope for _, batch in batches[_LINES_A_BURST:] for envelope in batch]
        if not batches:
            return
        batches = batches[:_LINES_A_BURST]
        lane.is_to_hear = False
        lane.bursts += 1
        lane.left_at = now
        burst = Burst(len(batches))
        for text, batch in batches:
            self._send(bank, text, batch, burst)

    def _send(self, bank: BankCode, text: str, batch: Sequence[Envelope], burst: "Burst") -> None:
        signature = self._identity.sign(request_bytes(self._own, bank, text))
        line = f"TM {self._own} {text} {signature}".encode()
        answered = partial(self._answered, bank, batch, text, burst)
        try:
            self._carrier.forward(bank, line, 0, self, answered)
        except Refused as refused:
            asyncio.get_running_loop().call_soon(answered, refused)

    def _answered(
        self,
        bank: BankCode,
        batch: Sequence[Envelope],
        text: str,
        burst: "Burst",
        answer: bytes | Refused,
    ) -> None:
        lane, replies = self._lanes[bank], self._replies(bank, text, len(batch), answer)
        if any(reply.answer and reply.answer.said == PREPARED for reply in replies):
            lane.is_to_hear = True
        self._replied(batch, replies)
        burst.unanswered -= 1
        if not burst.unanswered:
            lane.bursts -= 1
            self._move(bank)

    def _complain(self, bank: BankCode, what: str) -> None:
        """Logs what is wrong with the answers of a bank, once until it changes."""
        if self._complaints.get(bank) != what:
            self._complaints[bank] = what
            _log.warning("the bank %s %s", bank, what)

    def _replies(
        self, bank: BankCode, text: str, count: int, answer: bytes | Refused
    ) -> Sequence[Reply]:
        if isinstance(answer, Refused):
            was_sent = answer.reason is Reason.BANK_OUTCOME_UNKNOWN
            reason = Reason.BANK_SILENT if was_sent else answer.reason
            return [Reply(None, was_sent, reason)] * count
        words = answer.decode("utf-8", "replace").split()
        answers = parse_answers(words[1]) if len(words) == 3 and words[0] == "TM" else None
        if answers is None or len(answers) != count:
            self._complain(bank, f"says: {one_line(' '.join(words))[:200]}")
            is_refusal = words[:1] == ["ER"]
            why = Reason.MESSAGES_REFUSED if is_refusal else Reason.ANSWER_NOT_SIGNED
            return [Reply(None, reason=why)] * count
        key = self._acquaintance.key_of(bank)
        if not key or not is_signed(answer_bytes(bank, self._own, text, words[1]), words[2], key):
            self._complain(bank, "has answered without the signature of its key")
            return [Reply(None, reason=Reason.ANSWER_NOT_SIGNED)] * count
        self._complaints.pop(bank, None)
        evidence = answer_evidence(text, words[1], words[2])
        return [Reply(each, evidence=evidence) for each in answers]


def _batches(envelopes: Sequence[Envelope]) -> list[tuple[str, list[Envelope]]]:
    """Messages in portions that fit into one line each, in their order, each with its text."""
    batches: list[tuple[list[str], list[Envelope]]] = []
    size = BATCH_BYTES_MAX + 1
    for envelope in envelopes:
        text = envelope[1].text
        if size + len(text) >= BATCH_BYTES_MAX or len(batches[-1][1]) == MESSAGES_MAX:
            batches.append(([], []))
            size = 0
        texts, batch = batches[-1]
        texts.append(text)
        batch.append(envelope)
        size += len(text) + 1
    return [(";".join(texts), batch) for texts, batch in batches]
