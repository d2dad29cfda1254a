"""What banks say about requests: one form only, and nothing else is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import LINE_BYTES_MAX
from bank_node.protocol.letter_words import Asked, fitting
from bank_node.protocol.letters import LetterAnswer, parse_letter, parse_letter_answer
from bank_node.protocol.request_letters import CollectLetter, CollectStands

ID = "BRN" + "0a" * 16
texts = st.text(min_size=1, max_size=50).filter(lambda t: t.isprintable() and t == t.strip() != "")
ASKED = Asked(
    "shop@brno", 10_001, "5411", "alice@prague", 700, "CZK", "bill", 17, "Corner Shop", "two cups"
)
LETTER = CollectLetter(ID, 1, "asked", ASKED)
longest = st.sampled_from(["ab@brno", "a" * 256 + "@" + "b" * 32])


@given(
    texts,
    texts,
    longest,
    longest,
    st.integers(1, 2**63 - 1),
    st.sampled_from(["asked", "cancelled"]),
)
def test_a_letter_reads_back_the_same_and_fits_into_a_line(name, note, payee, payer, amount, word):
    asked = ASKED._replace(
        name=name, note=note, payee=payee, payer=payer, amount=amount, reference="r" * 35,
        expires_us=10**17 - 1,
    )  # fmt: skip
    letter = fitting(CollectLetter(ID, 1, word, asked))
    assert parse_letter(letter.line.encode()) == letter
    assert len(f"TQ 255.255.255.255 {letter.line} {'s' * 88}\r\n") <= LINE_BYTES_MAX
    # Texts are left out whole, the note before the name.
    assert letter.asked.note in (note, "")
    assert letter.asked.name == name or not letter.asked.note


@pytest.mark.parametrize("refused", [None, Reason.ASKING_OFF, Reason.TOO_MANY_REQUESTS])
def test_an_answer_reads_back_the_same(refused):
    assert parse_letter_answer(LetterAnswer(refused).line) == LetterAnswer(refused)


def test_what_became_of_a_request_reads_back_the_same():
    letter = CollectStands(ID, 3, "declined")
    assert parse_letter(letter.line.encode()) == letter


@pytest.mark.parametrize(
    ("found", "put"),
    [("BRN0", "brn0"), (",1,", ",01,"), (",1,", ",-1,"), ("asked", "begged"), (",700", ",0"),
     (",700", ",9223372036854775808"), ("10001", "1001"), ("10001", "01001"), ("5411", "541"),
     ("shop@brno", "Shop@brno"), ("shop@brno", "shop"), ("CZK", "czk"), ("bill", "b,ll"),
     ("Corner+Shop", "Corner%20Shop"), ("two+cups", "%00"), ("two+cups", "%C3%28"),
     ("collect", "collects"), (",two+cups", "")],
)  # fmt: skip
def test_another_form_of_a_letter_is_none(found, put):
    line = LETTER.line.replace(found, put, 1)
    assert line != LETTER.line
    with pytest.raises(Refused) as refused:
        parse_letter(line.encode())
    assert refused.value.reason is Reason.TRANSFER_MESSAGE_FORMAT


@pytest.mark.parametrize("line", [b"", b"stands", b"stands," + ID.encode() + b",1,Paid", b"\xff"])
def test_what_is_no_letter_is_refused(line):
    with pytest.raises(Refused):
        parse_letter(line)


@pytest.mark.parametrize("line", ["", "Heard", "refused.", "refused.nothing_like_it", "heard,1"])
def test_another_form_of_an_answer_is_none(line):
    assert parse_letter_answer(line) is None
