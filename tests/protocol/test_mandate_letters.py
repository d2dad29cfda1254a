"""What banks say about mandates: one form only, and nothing else is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import LINE_BYTES_MAX
from bank_node.protocol.letter_words import LETTER_CHARACTERS_MAX, Asked, day_word, fitting
from bank_node.protocol.letters import parse_letter
from bank_node.protocol.mandate_letters import (
    MandateLetter,
    PresentLetter,
    RunsLetter,
    TermsLetter,
)
from bank_node.protocol.payment_values import Recurrence
from bank_node.values import AMOUNT_MAX

ID, DAY = "BRN" + "0a" * 16, 739_000
ASKED = Asked("shop@brno", 10_001, "5411", "alice@prague", 700, "CZK", "m1", 17, "Shop", "paper")
MANDATE = MandateLetter(
    ID, 1, "asked", ASKED, is_exact=True, recurrence=Recurrence("monthly", "on", 15), start=DAY,
    end=DAY + 9,
)  # fmt: skip
RUNS = RunsLetter(
    ID, 3, "active", 700, DAY, 0, 0, 4, DAY, DAY, 70, 17, True, 2, 3, "PRA" + "1" * 32, "risk"
)
texts = st.text(min_size=1, max_size=50).filter(lambda t: t.isprintable() and t == t.strip() != "")


@given(texts, texts, st.booleans(), st.sampled_from(["asked", "revoked"]))
def test_a_mandate_reads_back_the_same_and_fits_into_a_line(name, note, is_exact, word):
    longest = "a" * 256 + "@" + "b" * 32
    asked = ASKED._replace(
        name=name, note=note, payee=longest, payer=longest, amount=AMOUNT_MAX,
        expires_us=10**17 - 1, reference="r" * 35,
    )  # fmt: skip
    letter = fitting(MANDATE._replace(asked=asked, is_exact=is_exact, word=word))
    assert parse_letter(letter.line.encode()) == letter
    assert len(f"TQ 255.255.255.255 {letter.line} {'s' * 88}\r\n") <= LINE_BYTES_MAX


@pytest.mark.parametrize(
    "letter",
    [
        MANDATE,
        MANDATE._replace(recurrence=Recurrence("aspresented")),
        TermsLetter(ID, 2, AMOUNT_MAX, DAY),
        PresentLetter(ID, 2, 0, 1),
        RUNS,
        RUNS._replace(first=0, last=0, last_payment="", why="", confirmed=False),
        RUNS._replace(proposed_amount=9, proposed_end=DAY),
    ],
)
def test_a_letter_reads_back_the_same(letter):
    assert parse_letter(letter.line.encode()) == letter
    assert len(letter.line) <= LETTER_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("letter", "found", "put"),
    [(MANDATE, "exact", "exactly"), (MANDATE, "monthly:on:15", "monthly"),
     (MANDATE, "monthly:on:15", "monthly:on:32"), (MANDATE, "asked", "cancelled"),
     (TermsLetter(ID, 2, 5, DAY), ",5,", ",0,"), (PresentLetter(ID, 2, 0, 1), ",0,1", ",0,0"),
     (PresentLetter(ID, 2, 0, 1), ",0,1", ",00,1"), (RUNS, ",1,2,3,", ",2,2,3,"),
     (RUNS, "active", "Active"), (RUNS, ",700,", ",0,"), (RUNS, "risk", "risk,"),
     (RUNS, "PRA1", "pra1"), (RUNS, ",70,", ",9223372036854775808,"),
     (MANDATE, f",{day_word(DAY)},", ",,"), (MANDATE, f",{day_word(DAY + 9)}", ","),
     (TermsLetter(ID, 2, 5, DAY), f",{day_word(DAY)}", ","),
     (RUNS, ",17,", f",{10**17},"), (MANDATE, ",17,", f",{10**17},")],
)  # fmt: skip
def test_another_form_is_none(letter, found, put):
    line = letter.line.replace(found, put, 1)
    assert line != letter.line
    with pytest.raises(Refused) as refused:
        parse_letter(line.encode())
    assert refused.value.reason is Reason.TRANSFER_MESSAGE_FORMAT
