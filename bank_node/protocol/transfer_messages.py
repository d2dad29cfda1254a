"""What banks say to each other about transfers, as text.

One line carries messages about many transfers, and its reply an answer to each, in their order.
Text has one form only: what does not read back the same is refused. Knows no keys and no state.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.values import AMOUNT_MAX, AccountNumber, Amount, TransferId

# So that any line stays below the limit of its kind, with its code, a bank and a signature.
BATCH_BYTES_MAX = 8000
# So that the answers to a line stay short as well.
MESSAGES_MAX = 256
# What a payment says along with a transfer; this room does not know what it means.
MEMO_CHARACTERS_MAX = 780
_SIGNATURE = re.compile(rb"[A-Za-z0-9_-]{1,88}")


class Word(StrEnum):
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
        word, name, payer, payee, amount, memo = self
        if word is Word.PREPARE:
            said = f"P,{name},{payer},{payee},{amount}"
            return f"{said},{memo}" if memo else said
        return f"{word},{name}"


Messages = tuple[TransferMessage, ...]
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
# One form only: no zeros in front.
_MESSAGE = re.compile(
    rb"P,([A-Za-z0-9._-]{1,36}),([1-9][0-9]{4}),([1-9][0-9]{4}),(0|[1-9][0-9]{0,18})"
    rb"(?:,([A-Za-z0-9._@/:%~+-]{1,780}))?"
    rb"|([CAQ]),([A-Za-z0-9._-]{1,36})"
)


def parse_messages(text: bytes) -> Messages:
    """Messages such as `P,a1,10001,10002,500;C,a0`. Raises Refused(TRANSFER_MESSAGE_FORMAT)."""
    texts = text.split(b";", MESSAGES_MAX)
    if len(texts) > MESSAGES_MAX:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return tuple(map(_message, texts))


def _message(text: bytes) -> TransferMessage:
    found = _MESSAGE.fullmatch(text)
    if found is None:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    prepared, payer, payee, amount, memo, letter, name = found.groups()
    if letter:
        return TransferMessage(_WORDS[letter], TransferId(name.decode()))
    units = int(amount)
    if units > AMOUNT_MAX:
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return TransferMessage(
        Word.PREPARE,
        TransferId(prepared.decode()),
        AccountNumber(int(payer)),
        AccountNumber(int(payee)),
        Amount(units),
        memo.decode() if memo else "",
    )


def joined(parts: "Messages | tuple[TransferAnswer, ...]") -> str:
    """Messages or answers as text."""
    return ";".join([part.text for part in parts])


def parse_answers(text: str) -> tuple[TransferAnswer, ...] | None:
    """Answers such as `prepared;refused.no_such_payee`; None if they are not in form."""
    answers = tuple(map(_ANSWERS.get, text.split(";")))
    return None if None in answers else answers  # type: ignore[return-value]


def parse_signature(text: bytes) -> str:
    """A signature as text; whether it is right is for those to say who know the key."""
    if not _SIGNATURE.fullmatch(text):
        raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)
    return text.decode("ascii")
