"""What banks say about transfers reads back as it was said, and in no other spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol.transfer_messages import (
    MESSAGES_MAX,
    TransferAnswer,
    TransferMessage,
    Word,
    joined,
    parse_answers,
    parse_messages,
)

names = st.from_regex(r"[A-Za-z0-9._-]{1,36}", fullmatch=True)
accounts = st.integers(10_000, 99_999)
messages = st.one_of(
    st.tuples(st.just(Word.PREPARE), names, accounts, accounts, st.integers(0, 2**63 - 1)),
    st.tuples(
        st.just(Word.PREPARE),
        names,
        accounts,
        accounts,
        st.integers(0, 2**63 - 1),
        st.from_regex(r"[A-Za-z0-9._@/:%~+-]{1,40}", fullmatch=True),
    ),
    st.tuples(st.sampled_from([Word.COMMIT, Word.ABORT, Word.QUESTION]), names),
).map(lambda fields: TransferMessage(*fields))
answers = st.one_of(
    st.tuples(st.sampled_from(["prepared", "committed", "aborted"])),
    st.tuples(st.just("refused"), st.sampled_from(Reason)),
).map(lambda fields: TransferAnswer(*fields))


@given(st.lists(messages, min_size=1, max_size=9).map(tuple))
def test_messages_read_back(said):
    assert parse_messages(joined(said).encode()) == said


@given(st.lists(answers, min_size=1, max_size=9).map(tuple))
def test_answers_read_back(said):
    assert parse_answers(joined(said)) == said


@pytest.mark.parametrize(
    "text",
    ["", ";", "C", "C,", "C,a,b", "C,a;", "c,a", "X,a", "P,a,10001,10002", "P,a,10001,10002,5,",
     "P,a,10001,10002,5,6,7", "P,a,10001,10002,5,a=b", "P,a,10001,10002,5," + "x" * 781,
     "P,a,010001,10002,5", "P,a,10001,10002,05", "P,a,1,10002,5", "P,a,10001,10002,-5", "C,a b",
     "P,a,10001,10002,9223372036854775808", "C,a,10001,10002,5", "\xff"],
)  # fmt: skip
def test_any_other_spelling_is_refused(text):
    with pytest.raises(Refused) as caught:
        parse_messages(text.encode("latin-1"))
    assert caught.value.reason is Reason.TRANSFER_MESSAGE_FORMAT


def test_a_line_holds_so_many_messages_and_no_more():
    line = b";".join([b"C,a"] * MESSAGES_MAX)
    assert len(parse_messages(line)) == MESSAGES_MAX
    with pytest.raises(Refused):
        parse_messages(line + b";C,a")


@pytest.mark.parametrize(
    "text", ["", "yes", "prepared;", "refused", "refused.nothing", "prepared;;aborted"]
)
def test_answers_in_no_form_are_none(text):
    assert parse_answers(text) is None
