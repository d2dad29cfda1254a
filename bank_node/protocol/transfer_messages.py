"""What banks say to each other about transfers, as text.

One line carries messages about many transfers, and its reply an answer to each, in their order.
Text has one form only: what does not read back the same is refused. Knows no keys and no state.
"""

import re
from enum import Enum
from typing import NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.values import (
    AccountNumber,
    Amount,
    TransferId,
    parse_account_number,
    parse_amount,
    parse_transfer_id,
)

# So that any line stays below the limit of all lines, with its code, a bank and a signature.
BATCH_BYTES_MAX = 880
# What a payment says along with a transfer; this room does not know what it means.
MEMO_CHARACTERS_MAX = 780
_MEMO = re.compile(rb"[A-Za-z0-9._@/:%~+-]{1,780}")
_SIGNATURE = re.compile(rb"[A-Za-z0-9_-]{1,88}")


class Word(Enum):
    """What a message is; always the payer's bank speaks, but for QUESTION."""

    PREPARE = "P"
    """Promise to take this money."""
    COMMIT = "C"
    """It has been decided: take it."""
    ABORT = "A"
    """It has been given up."""
    QUESTION = "Q"
    """The payee's bank asks what became of a transfer that it made a promise for."""


class TransferMessage(NamedTuple):
    """One message. All but PREPARE only name the transfer."""

    word: Word
    id: TransferId
    payer: AccountNumber = AccountNumber(0)
    payee: AccountNumber = AccountNumber(0)
    amount: Amount = Amount(0)
    memo: str = ""
    """What the payer's bank tells the payee's about the payment that this transfer is for."""

    @property
    def text(self) -> str:
        words = (self.word.value, self.id)
        if self.word is Word.PREPARE:
            memo = (self.memo,) if self.memo else ()
            return ",".join((*words, str(self.payer), str(self.payee), str(self.amount), *memo))
        return ",".join(words)


PREPARED, COMMITTED, ABORTED = "prepared", "committed", "aborted"


class TransferAnswer(NamedTuple):
    """One answer: `prepared`, `committed`, `aborted`, or `refused` with a reason."""

    said: str
    reason: Reason | None = None

    @property
    def text(self) -> str:
        return f"refused.{self.reason.value}" if self.reason else self.said


_ANSWERS = {
    answer.text: answer
    for answer in (
        *map(TransferAnswer, (PREPARED, COMMITTED, ABORTED)),
        *(TransferAnswer("refused", reason) for reason in Reason),
    )
}
_WORDS = {word.value.encode(): word for word in Word}


def parse_messages(text: bytes) -> tuple[TransferMessage, ...]:
    """Messages such as `P,a1,10001,10002,500;C,a0`. Raises Refused(TRANSFER_MESSAGE_FORMAT)."""
    try:
        messages = tuple(map(_message, text.split(b";")))
    except Refused:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT) from None
    if joined(messages).encode() != text:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return messages


def _message(text: bytes) -> TransferMessage:
    letter, *words = text.split(b",")
    word = _WORDS.get(letter)
    if word is Word.PREPARE and len(words) in (4, 5):
        if len(words) == 5 and not _MEMO.fullmatch(words[4]):
            raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
        return TransferMessage(
            word,
            parse_transfer_id(words[0]),
            parse_account_number(words[1]),
            parse_account_number(words[2]),
            parse_amount(words[3]),
            b"".join(words[4:]).decode("ascii"),
        )
    if word in (None, Word.PREPARE) or len(words) != 1:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    assert word is not None
    return TransferMessage(word, parse_transfer_id(words[0]))


def joined(parts: "tuple[TransferMessage, ...] | tuple[TransferAnswer, ...]") -> str:
    """Messages or answers as text."""
    return ";".join(part.text for part in parts)


def parse_answers(text: str) -> tuple[TransferAnswer, ...] | None:
    """Answers such as `prepared;refused.no_such_payee`; None if they are not in form."""
    answers = tuple(map(_ANSWERS.get, text.split(";")))
    return None if None in answers else answers  # type: ignore[return-value]


def parse_signature(text: bytes) -> str:
    """A signature as text; whether it is right is for those to say who know the key."""
    if not _SIGNATURE.fullmatch(text):
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return text.decode("ascii")
