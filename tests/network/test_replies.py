"""Replies of strangers: cut out of whatever they send, and judged strictly."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.network.replies import (
    ABSURD_NUMBER,
    GREETS,
    Kind,
    ReplyReader,
    ReplyTooLong,
    changes,
    code_of,
    judge,
)

MAX = 2**63 - 1
BOM = "\ufeff".encode()


def read(code: str, data: bytes, **how: object) -> tuple[str | None, set[str]]:
    """The reply in a packet as the reader finds it at once, and what was odd."""
    reader = ReplyReader(code, **how)
    return reader.feed(data), reader.oddities


@pytest.mark.parametrize(
    ("data", "oddities"),
    [
        (b"AB 500\r\n", set()),
        (b"AB 500\n", {r"ends \n"}),
        (b"AB 500\n\r", {r"ends \n\r"}),
        (b"AB 500\r\r\n", {r"ends \r\r\n"}),
        (b"\rAB 500\r\n", set()),
        (b"\r\n\n\r\nAB 500\r\n", set()),
        (b"  AB 500 \t \r\n", {"padded"}),
        (BOM + b"AB 500\r\n", {"byte order mark"}),
        (b" " + BOM + b" AB 500\r\n", {"byte order mark", "padded"}),
        (b"Welcome\r\nAB 500\r\n", {GREETS}),
        (b"Bank\r\nABC bank\r\nBalance:\r\nAB 500\r\n", {GREETS}),
    ],
)
def test_a_reply_is_found_whatever_is_around_it(data, oddities):
    assert read("AB", data) == ("AB 500", oddities)


@pytest.mark.parametrize("word", ["ER", "ERR", "ERROR:", "ERROR: ER", "Error:", "er"])
def test_an_error_word_is_a_reply_to_everything(word):
    assert read("AB", f"Hello\r\n{word} no such account\r\n".encode())[0] == (
        f"{word} no such account"
    )


def test_what_a_terminal_would_obey_is_taken_out():
    assert read("AB", b"ER \x1b[2J\x07\xe2\x80\xaeno\xff\r\n") == (
        "ER ?[2J??no\ufffd",
        {"control characters"},
    )


def test_a_reply_without_a_line_end_counts_after_a_pause():
    reader = ReplyReader("AB")
    assert reader.feed(b"AB 500") is None
    assert reader.quiet() == "AB 500"
    assert reader.oddities == {"no line end"}


@pytest.mark.parametrize("begun", [b"A", b"AB", b"AB ", b"E", b"ER", b"ERR", b"ERRO", b"", b"\r\n"])
def test_a_reply_that_has_only_begun_does_not_count_after_a_pause(begun):
    reader = ReplyReader("AB")
    assert reader.feed(begun) is None
    assert reader.quiet() is None
    assert reader.feed(b"") is None


@pytest.mark.parametrize("code", ["AB", "AD"])
def test_half_a_reply_at_the_end_of_the_time_is_none(code):
    reader = ReplyReader(code)
    assert reader.feed(f"{code} 5".encode()) is None
    assert reader.late() is None


def test_half_an_error_at_the_end_of_the_time_is_an_error():
    reader = ReplyReader("AD")
    assert reader.feed(b"ER no such acc") is None
    assert reader.late() == "ER no such acc"


@pytest.mark.parametrize("data", [b"No such account\r\n", b"No such account"])
def test_bare_words_are_the_reply_to_a_read_after_a_pause(data):
    reader = ReplyReader("AB")
    assert reader.feed(data) is None
    assert (reader.quiet(), reader.oddities) == ("No such account", {"bare words"})


def test_the_last_of_several_bare_lines_is_the_reply():
    reader = ReplyReader("AB")
    assert reader.feed(b"Welcome\r\nNo such account\r\n") is None
    assert reader.quiet() == "No such account"


@pytest.mark.parametrize("greets", [None, True, False])
def test_bare_words_are_no_refusal_of_a_deposit_while_they_may_be_a_greeting(greets):
    """A deposit called refused and booked a moment later would be made a second time."""
    reader = ReplyReader("AD", greets=greets)
    assert reader.feed(b"Welcome\r\n") is None
    words = "Welcome"
    assert reader.quiet() == (words if greets is False else None)
    assert reader.late() == (None if greets else words)
    assert reader.eof() == (None if greets else words)


def test_a_deposit_without_a_line_end_is_done_after_a_pause():
    reader = ReplyReader("AD")
    assert reader.feed(b"AD") is None
    assert reader.quiet() == "AD"


@pytest.mark.parametrize("data", [b"x" * 101, b"x\n" * 51, b"x" * 90 + b"\nAB 500 and more\n"])
def test_a_bank_that_talks_without_an_end_is_stopped(data):
    with pytest.raises(ReplyTooLong):
        ReplyReader("AB", bytes_max=100).feed(data)


STREAMS = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from(
            [b"\n", b"\r", b"\r\n", b"\n\r", b" ", BOM, b"AB", b"AB 500", b"AD", b"ER", b"ERROR: ",
             b"Welcome", b"x" * 40]
        ),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


def outcome(code: str, chunks: list[bytes]) -> object:
    reader = ReplyReader(code, bytes_max=120)
    try:
        for chunk in chunks:
            reply = reader.feed(chunk)
            if reply is not None:
                return reply
    except ReplyTooLong:
        return ReplyTooLong
    return reader.quiet(), reader.late(), reader.eof()


@given(st.data(), STREAMS, st.sampled_from(["AB", "AD", "BC", ""]))
def test_a_reply_is_the_same_in_whatever_pieces_it_comes(data, stream, code):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    chunks = [stream[a:b] for a, b in pairwise(sorted({0, *cuts, len(stream)}))]
    whole = outcome(code, [stream])
    assert outcome(code, chunks) == whole
    assert outcome(code, [stream[i : i + 1] for i in range(len(stream))]) == whole


@given(STREAMS, st.sampled_from(["AB", "AD", "AC", "BC", "BA", "RP", "QX", ""]))
def test_any_bytes_give_one_clean_line_that_is_done_or_refused(stream, code):
    reader = ReplyReader(code)
    reply = reader.feed(stream) or reader.eof()
    answer = judge(code, reply if reply is not None else stream.decode("latin-1"))
    assert answer.kind in (Kind.DONE, Kind.REFUSED)
    assert answer.text.isprintable()
    assert answer.text.startswith(code if answer.kind is Kind.DONE else "ER ")


@pytest.mark.parametrize(
    ("code", "reply", "text"),
    [
        ("AD", "AD", "AD"),
        ("AW", "AW ", "AW"),
        ("AR", "ar", "AR"),
        ("AB", "AB 0", "AB 0"),
        ("AB", "AB  0500", "AB 500"),
        ("BA", f"BA {MAX}", f"BA {MAX}"),
        ("BN", "BN 12", "BN 12"),
        ("BC", "BC 10.1.2.3", "BC 10.1.2.3"),
        ("AC", "AC 10001/10.1.2.3", "AC 10001/10.1.2.3"),
        ("AC", "AC 99999", "AC 99999"),
        ("RP", "RP Rob the bank 10.1.2.3.", "RP Rob the bank 10.1.2.3."),
        ("VE", "VE node 1.0 session", "VE node 1.0 session"),
        ("QX", "QX", "QX"),
    ],
)
def test_what_the_command_promises_is_done(code, reply, text):
    assert judge(code, reply)[:2] == (Kind.DONE, text)


@pytest.mark.parametrize(
    ("code", "reply", "text"),
    [
        ("AB", "ER no such account", "ER no such account"),
        ("AB", "ERR no such account", "ER no such account"),
        ("AB", "ERROR: ER no such account", "ER no such account"),
        ("AB", "ER Error reading it", "ER Error reading it"),
        ("AB", "No such account", "ER No such account"),
        ("AB", "ER", "ER no reason was given"),
        ("AB", "", "ER an empty reply"),
        ("AB", "AB", "ER unexpected reply: AB"),
        ("AB", "AB 5 0", "ER unexpected reply: AB 5 0"),
        ("AB", "AB ٣", "ER unexpected reply: AB ٣"),
        ("AB", "BA 500", "ER BA 500"),
        ("AR", "AR Account does not exists", "ER Account does not exists"),
        ("AD", "AD 500", "ER 500"),
        ("AD", "ADDED", "ER ADDED"),
        ("AC", "AC 10001/here", "ER unexpected reply: AC 10001/here"),
        ("AC", "AC 9999", "ER unexpected reply: AC 9999"),
        ("AC", "AC", "ER unexpected reply: AC"),
        ("BC", "BC", "ER unexpected reply: BC"),
        ("BC", "BC 10.1.2.3:65525", "ER unexpected reply: BC 10.1.2.3:65525"),
        ("BC", "SSH-2.0-OpenSSH_9.2", "ER SSH-2.0-OpenSSH_9.2"),
        ("QX", "What?", "ER What?"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_as_one_error_line(code, reply, text):
    assert judge(code, reply)[:2] == (Kind.REFUSED, text)


@pytest.mark.parametrize(
    "number",
    ["None", "null", "nan", "-inf", "9.223372036854778e+18", "9,22e18", "1.0", "-500", "+3",
     str(MAX + 1), "9" * 60_000],
)  # fmt: skip
@pytest.mark.parametrize("code", ["AB", "BA", "BN"])
def test_an_absurd_number_is_refused_and_marked(code, number):
    answer = judge(code, f"{code} {number}")
    assert answer.kind is Kind.REFUSED
    assert ABSURD_NUMBER in answer.oddities
    assert len(answer.text) < 500


def test_a_code_is_the_first_word_if_it_is_two_letters():
    lines = ("bc", " AB\t10001/1.2.3.4", "\ufeffBA", "hello", "B1", "ÁB", "", "A")
    assert [code_of(line) for line in lines] == ["BC", "AB", "BA", "", "", "", "", ""]


def test_what_is_not_known_to_be_harmless_is_taken_to_change_something():
    assert [changes(c) for c in ("BC", "BA", "BN", "AB", "VE")] == [False] * 5
    assert [changes(c) for c in ("AC", "AD", "AW", "AR", "QX", "")] == [True] * 6
