"""What banks say to each other about mandates, as text.

The bank of the payee says what its client wants, one thing at a time; the bank of the payer, which
keeps the mandate, how it stands. Both number what they say, and say it until it is heard. Knows no
keys and no state.
"""

from typing import NamedTuple

from bank_node.protocol.letter_words import (
    ID,
    WORD,
    Asked,
    day_of,
    day_word,
    maybe,
    moment_of,
    number,
    of_form,
    read_asked,
    some_day_of,
)
from bank_node.protocol.payment_values import Recurrence, parse_amount_rule, parse_recurrence
from bank_node.protocol.request_letters import ASKED
from bank_node.values import AMOUNT_MAX

REVOKED = "revoked"


class MandateLetter(NamedTuple):
    """The bank of a payee: its client asks for a mandate, or has revoked it."""

    id: str
    serial: int
    word: str
    """ASKED or REVOKED."""
    asked: Asked
    is_exact: bool
    recurrence: Recurrence
    start: int
    end: int

    @property
    def line(self) -> str:
        rule = "exact" if self.is_exact else "max"
        name, by, day = self.recurrence
        often = f"{name}:{by}:{day}" if by else name
        return (
            f"mandate,{self.id},{self.serial},{self.word},{self.asked.words},{rule},{often},"
            f"{day_word(self.start)},{day_word(self.end)}"
        )


class TermsLetter(NamedTuple):
    """The bank of a payee: its client wants another amount or end."""

    id: str
    serial: int
    amount: int
    end: int

    @property
    def line(self) -> str:
        return f"terms,{self.id},{self.serial},{self.amount},{day_word(self.end)}"


class PresentLetter(NamedTuple):
    """The bank of a payee: its client says how much the next payment is of."""

    id: str
    serial: int
    occurrence: int
    """Which payment, counted from 0."""
    amount: int

    @property
    def line(self) -> str:
        return f"present,{self.id},{self.serial},{self.occurrence},{self.amount}"


class RunsLetter(NamedTuple):
    """The bank of a payer: how a mandate stands."""

    id: str
    serial: int
    state: str
    amount: int
    end: int
    proposed_amount: int
    """What the payee wants instead and the payer has not agreed to; 0 for nothing."""
    proposed_end: int
    occurrence: int
    first: int
    last: int
    presented: int
    noticed_us: int
    confirmed: bool
    tries: int
    paid: int
    last_payment: str
    why: str

    @property
    def line(self) -> str:
        return (
            f"runs,{self.id},{self.serial},{self.state},{self.amount},{day_word(self.end)},"
            f"{self.proposed_amount},{day_word(self.proposed_end)},{self.occurrence},"
            f"{day_word(self.first)},{day_word(self.last)},{self.presented},{self.noticed_us},"
            f"{int(self.confirmed)},{self.tries},{self.paid},{self.last_payment},{self.why}"
        )


def read_mandate(words: list[str]) -> MandateLetter:
    """Raises ValueError or Refused for what is not in form."""
    name, serial, word, *rest = words
    *asked, rule, often, start, end = rest
    if word not in (ASKED, REVOKED):
        raise ValueError(word)
    return MandateLetter(
        of_form(ID, name), number(serial), word, read_asked(asked),
        parse_amount_rule(rule.encode()), parse_recurrence(often.encode()),
        some_day_of(start), some_day_of(end),
    )  # fmt: skip


def read_terms(words: list[str]) -> TermsLetter:
    """Raises ValueError or Refused for what is not in form."""
    name, serial, amount, end = words
    return TermsLetter(of_form(ID, name), number(serial), _amount(amount), some_day_of(end))


def read_present(words: list[str]) -> PresentLetter:
    """Raises ValueError for what is not in form."""
    name, serial, occurrence, amount = words
    return PresentLetter(of_form(ID, name), number(serial), number(occurrence), _amount(amount))


def read_runs(words: list[str]) -> RunsLetter:
    """Raises ValueError or Refused for what is not in form."""
    (name, serial, state, amount, end, proposed, proposed_end, occurrence, first, last, presented,
     noticed, confirmed, tries, paid, payment, why) = words  # fmt: skip
    return RunsLetter(
        of_form(ID, name), number(serial), of_form(WORD, state), _amount(amount),
        day_of(end), _units(proposed), day_of(proposed_end), number(occurrence),
        day_of(first), day_of(last), _units(presented), moment_of(noticed),
        bool(number(confirmed)), number(tries), number(paid), maybe(ID, payment), maybe(WORD, why),
    )  # fmt: skip


def _units(word: str) -> int:
    units = number(word)
    if units > AMOUNT_MAX:
        raise ValueError(word)
    return units


def _amount(word: str) -> int:
    units = _units(word)
    if not units:
        raise ValueError(word)
    return units
