"""Letters that banks write to each other about requests and mandates: how they are read, answered.

Knows no keys and no state.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.protocol.letter_words import LETTER_CHARACTERS_MAX, Letter
from bank_node.protocol.mandate_letters import read_mandate, read_present, read_runs, read_terms
from bank_node.protocol.request_letters import read_collect, read_stands

HEARD = "heard"
_REFUSED = re.compile(r"refused\.([a-z0-9_]{1,40})")
_READERS: dict[str, Callable[[list[str]], Letter]] = {
    "collect": read_collect,
    "stands": read_stands,
    "mandate": read_mandate,
    "terms": read_terms,
    "present": read_present,
    "runs": read_runs,
}


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


class LetterAnswer(NamedTuple):
    """What another bank answers to a letter: it has heard, or why it does not take it."""

    refused: Reason | None = None

    @property
    def line(self) -> str:
        return HEARD if self.refused is None else f"refused.{self.refused.value}"


def parse_letter_answer(text: str) -> LetterAnswer | None:
    """None for what is no answer."""
    if text == HEARD:
        return LetterAnswer()
    found = _REFUSED.fullmatch(text)
    try:
        return LetterAnswer(Reason(found[1])) if found else None
    except ValueError:
        return None
