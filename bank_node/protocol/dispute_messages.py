"""What banks say to each other about a dispute, as text: one message, one answer.

The bank of the payer says what its client says and how much it has heard; the bank of the payee,
which decides, answers how the dispute stands and with the next text of its own client. All of it
may be lost, doubled or late: the same message again changes nothing. Knows no keys and no state.
"""

import re
from typing import NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import parse_text, to_word

_ID = rb"[A-Z]{3}[0-9a-f]{32}"
# One form only: no zeros in front.
_NUMBER = rb"0|[1-9][0-9]?"
_TEXT = rb"[A-Za-z0-9_.~+%-]{1,620}"
_MESSAGE = re.compile(rb"(%s),(%s),(%s),(%s),(%s)?,([01])" % (_ID, _ID, _NUMBER, _NUMBER, _TEXT))
_NAME = rb"[a-z_]{1,40}"
_ANSWER = re.compile(
    rb"(%s),(0|[1-9][0-9]{0,16}),(%s),(%s),(%s)?,(%s)?,(%s)?,(%s)?"
    % (_NAME, _NUMBER, _NUMBER, _TEXT, _NAME, _ID, _NAME)
)
_REFUSED = re.compile(rb"refused\.([a-z0-9_]{1,40})")


class DisputeMessage(NamedTuple):
    """What the bank of a payer says about a dispute that its client has raised."""

    dispute: str
    payment: str
    heard: int
    """How many texts of the payee it has."""
    number: int = 0
    """Which of the payer's texts `text` is, counted from 0."""
    text: str = ""
    withdrawn: bool = False

    @property
    def line(self) -> str:
        dispute, payment, heard, number, text, withdrawn = self
        return f"{dispute},{payment},{heard},{number},{_word(text)},{int(withdrawn)}"


class DisputeAnswer(NamedTuple):
    """How a dispute stands at the bank that decides it, or why it is none there."""

    state: str = ""
    deadline_us: int = 0
    heard: int = 0
    """How many texts of the payer it has."""
    said: int = 0
    """How many texts of the payee it has."""
    text: str = ""
    """The payee's next text that the other bank does not have."""
    decided: str = ""
    refund: str = ""
    why: str = ""
    refused: Reason | None = None

    @property
    def line(self) -> str:
        if self.refused is not None:
            return f"refused.{self.refused.value}"
        state, deadline_us, heard, said, text, decided, refund, why, _ = self
        return f"{state},{deadline_us},{heard},{said},{_word(text)},{decided},{refund},{why}"


def _word(text: str) -> str:
    return to_word(text) if text else ""


def parse_dispute_message(text: bytes) -> DisputeMessage:
    """Raises Refused(TRANSFER_MESSAGE_FORMAT) for what does not read back the same."""
    found = _MESSAGE.fullmatch(text)
    if found is None:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    dispute, payment, heard, number, said, withdrawn = found.groups()
    try:
        words = _text(said)
    except Refused:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT) from None
    message = DisputeMessage(
        dispute.decode(), payment.decode(), int(heard), int(number), words, withdrawn == b"1"
    )
    if message.line.encode() != text:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return message


def parse_dispute_answer(text: bytes) -> DisputeAnswer | None:
    """None for what is no answer."""
    refused = _REFUSED.fullmatch(text)
    try:
        if refused is not None:
            return DisputeAnswer(refused=Reason(refused.group(1).decode()))
        found = _ANSWER.fullmatch(text)
        if found is None:
            return None
        state, deadline, heard, said, words, decided, refund, why = found.groups()
        who, payment, reason = (part.decode() if part else "" for part in (decided, refund, why))
        answer = DisputeAnswer(
            state.decode(), int(deadline), int(heard), int(said), _text(words), who, payment,
            reason,
        )  # fmt: skip
    except (ValueError, Refused):
        return None
    return answer if answer.line.encode() == text else None


def _text(word: bytes | None) -> str:
    return parse_text(word) if word else ""
