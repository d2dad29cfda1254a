"""What banks say to each other about requests for money, as text: one letter, one answer.

Each side says how its own side stands, as often as it takes, and numbers what it says: so a letter
that comes twice, late or not at all does no harm. Text has one form only. Knows no keys, no state.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import parse_reference, parse_text, parse_vpa, to_word
from bank_node.values import AMOUNT_MAX

LETTER_CHARACTERS_MAX = 880
"""So that a line with a letter, a bank and a signature stays below the limit of all lines."""
HEARD = "heard"
ASKED, CANCELLED = "asked", "cancelled"

_ID = re.compile(r"[A-Z]{3}[0-9a-f]{32}")
# One form only: no zeros in front.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_WORD = re.compile(r"[a-z_]{1,40}")
_CATEGORY = re.compile(r"[0-9]{4}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_REFUSED = re.compile(r"refused\.([a-z0-9_]{1,40})")


class Letter(Protocol):
    """What one bank says to another about a paper of theirs."""

    @property
    def id(self) -> str: ...
    @property
    def serial(self) -> int: ...
    @property
    def line(self) -> str: ...


class Asked(NamedTuple):
    """What the bank of a payee asks for, and of whom."""

    payee: str
    account: int
    category: str
    """What the payee trades with; 0000 for whoever is no merchant."""
    payer: str
    amount: int
    currency: str
    reference: str
    expires_us: int
    name: str = ""
    note: str = ""

    @property
    def words(self) -> str:
        payee, account, category, payer, amount, currency, reference, expires_us, *texts = self
        name, note = (to_word(text) if text else "" for text in texts)
        return (
            f"{payee},{account},{category},{payer},{amount},{currency},{reference},{expires_us},"
            f"{name},{note}"
        )


class CollectLetter(NamedTuple):
    """The bank of a payee: its client asks for money, or does not any more."""

    id: str
    serial: int
    word: str
    """ASKED or CANCELLED."""
    asked: Asked

    @property
    def line(self) -> str:
        return f"collect,{self.id},{self.serial},{self.word},{self.asked.words}"


class CollectStands(NamedTuple):
    """The bank of a payer: what its client made of a request."""

    id: str
    serial: int
    state: str

    @property
    def line(self) -> str:
        return f"stands,{self.id},{self.serial},{self.state}"


def fitting(letter: CollectLetter) -> CollectLetter:
    """A letter that fits into a line: a note that would make it too long is left out, or a name."""
    if len(letter.line) > LETTER_CHARACTERS_MAX:
        letter = letter._replace(asked=letter.asked._replace(note=""))
    if len(letter.line) > LETTER_CHARACTERS_MAX:
        letter = letter._replace(asked=letter.asked._replace(name=""))
    return letter


def parse_letter(text: bytes) -> Letter:
    """Raises Refused(TRANSFER_MESSAGE_FORMAT) for what does not read back the same."""
    try:
        kind, *words = text.decode("ascii").split(",")
        letter = _READERS[kind](words)
        if letter.line.encode() == text and len(text) <= LETTER_CHARACTERS_MAX:
            return letter
    except (ValueError, KeyError, Refused):
        pass
    raise Refused(Reason.TRANSFER_MESSAGE_FORMAT)


def answer_line(refused: Reason | None) -> str:
    """What is answered to a letter."""
    return HEARD if refused is None else f"refused.{refused.value}"


class LetterAnswer(NamedTuple):
    """What another bank answers to a letter: it has heard, or why it does not take it."""

    refused: Reason | None = None


def parse_letter_answer(text: str) -> LetterAnswer | None:
    """None for what is no answer."""
    found = _REFUSED.fullmatch(text)
    try:
        return LetterAnswer(Reason(found[1])) if found else _PLAIN.get(text)
    except ValueError:
        return None


_PLAIN = {HEARD: LetterAnswer()}


def _read_collect(words: list[str]) -> CollectLetter:
    name, serial, word, *asked = words
    if word not in (ASKED, CANCELLED):
        raise ValueError(word)
    return CollectLetter(_of(_ID, name), _number(serial), word, _read_asked(asked))


def _read_asked(words: list[str]) -> Asked:
    payee, account, category, payer, amount, currency, reference, expires, name, note = words
    if not 0 < _number(amount) <= AMOUNT_MAX or len(account) != 5:
        raise ValueError(amount)
    return Asked(
        str(parse_vpa(payee.encode())),
        _number(account),
        _of(_CATEGORY, category),
        str(parse_vpa(payer.encode())),
        _number(amount),
        _of(_CURRENCY, currency),
        parse_reference(reference.encode()),
        _number(expires),
        parse_text(name.encode()) if name else "",
        parse_text(note.encode()) if note else "",
    )


def _read_stands(words: list[str]) -> CollectStands:
    name, serial, state = words
    return CollectStands(_of(_ID, name), _number(serial), _of(_WORD, state))


def _of(form: re.Pattern[str], word: str) -> str:
    if not form.fullmatch(word):
        raise ValueError(word)
    return word


def _number(word: str) -> int:
    return int(_of(_NUMBER, word))


_READERS: dict[str, Callable[[list[str]], Letter]] = {
    "collect": _read_collect,
    "stands": _read_stands,
}
