"""What banks say to each other about requests for money, as text.

Each side says how its own side stands, as often as it takes, and numbers what it says: so a letter
that comes twice, late or not at all does no harm. Knows no keys and no state.
"""

from typing import NamedTuple

from bank_node.protocol.letter_words import ID, WORD, Asked, number, of_form, read_asked

ASKED, CANCELLED = "asked", "cancelled"


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


def read_collect(words: list[str]) -> CollectLetter:
    """Raises ValueError or Refused for what is not in form."""
    name, serial, word, *asked = words
    if word not in (ASKED, CANCELLED):
        raise ValueError(word)
    return CollectLetter(of_form(ID, name), number(serial), word, read_asked(asked))


def read_stands(words: list[str]) -> CollectStands:
    """Raises ValueError for what is not in form."""
    name, serial, state = words
    return CollectStands(of_form(ID, name), number(serial), of_form(WORD, state))
