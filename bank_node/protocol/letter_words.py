"""What letters between banks about requests are made of: the forms of their words, who asks whom.

Text has one form only. Knows no keys and no state.
"""

import re
from datetime import date
from typing import NamedTuple, Protocol, Self, TypeVar

from bank_node.protocol.payment_values import (
    parse_date,
    parse_reference,
    parse_text,
    parse_vpa,
    to_word,
)
from bank_node.values import AMOUNT_MAX

LETTER_CHARACTERS_MAX = 880
"""So that a line with a letter, a bank and a signature stays below the limit of all lines."""
ID = re.compile(r"[A-Z]{3}[0-9a-f]{32}")
WORD = re.compile(r"[a-z_]{1,40}")
# One form only: no zeros in front.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
# Microseconds that every calendar can tell.
_MOMENT = re.compile(r"0|[1-9][0-9]{0,16}")
_CATEGORY = re.compile(r"[0-9]{4}")
_CURRENCY = re.compile(r"[A-Z]{3}")


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


class Asking(Letter, Protocol):
    """A letter that asks for something."""

    @property
    def asked(self) -> Asked: ...
    def _replace(self, *, asked: Asked) -> Self: ...


AnyAsking = TypeVar("AnyAsking", bound=Asking)


def fitting(letter: AnyAsking) -> AnyAsking:
    """A letter that fits into a line: a note that would make it too long is left out, or a name."""
    if len(letter.line) > LETTER_CHARACTERS_MAX:
        letter = letter._replace(asked=letter.asked._replace(note=""))
    if len(letter.line) > LETTER_CHARACTERS_MAX:
        letter = letter._replace(asked=letter.asked._replace(name=""))
    return letter


def read_asked(words: list[str]) -> Asked:
    """Raises ValueError or Refused for what is not in form."""
    payee, account, category, payer, amount, currency, reference, expires, name, note = words
    if not 0 < number(amount) <= AMOUNT_MAX or len(account) != 5:
        raise ValueError(amount)
    return Asked(
        str(parse_vpa(payee.encode())),
        number(account),
        of_form(_CATEGORY, category),
        str(parse_vpa(payer.encode())),
        number(amount),
        of_form(_CURRENCY, currency),
        parse_reference(reference.encode()),
        moment_of(expires),
        parse_text(name.encode()) if name else "",
        parse_text(note.encode()) if note else "",
    )


def of_form(form: re.Pattern[str], word: str) -> str:
    """Raises ValueError."""
    if not form.fullmatch(word):
        raise ValueError(word)
    return word


def number(word: str) -> int:
    """Raises ValueError."""
    return int(of_form(_NUMBER, word))


def moment_of(word: str) -> int:
    """Microseconds since 1970, before the year 5000. Raises ValueError."""
    return int(of_form(_MOMENT, word))


def maybe(form: re.Pattern[str], word: str) -> str:
    """A word of a form, or none. Raises ValueError."""
    return of_form(form, word) if word else ""


def day_word(day: int) -> str:
    """A day, counted from the year 1, as a date; nothing for 0."""
    return date.fromordinal(day).isoformat() if day else ""


def day_of(word: str) -> int:
    """A day; 0 for no word. Raises Refused."""
    return some_day_of(word) if word else 0


def some_day_of(word: str) -> int:
    """A day, where there must be one. Raises Refused."""
    return parse_date(word.encode())
