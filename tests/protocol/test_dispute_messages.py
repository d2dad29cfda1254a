"""What banks say about disputes: one form only, and nothing else is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import LINE_BYTES_MAX
from bank_node.protocol.dispute_messages import (
    DisputeAnswer,
    DisputeMessage,
    parse_dispute_answer,
    parse_dispute_message,
)

DISPUTE, PAYMENT = "PRA" + "0a" * 16, "PRA" + "1b" * 16
texts = st.text(min_size=1, max_size=50).filter(lambda t: t.isprintable() and t == t.strip() != "")
MESSAGE = DisputeMessage(DISPUTE, PAYMENT, 2, 1, "cold soup", withdrawn=True)
ANSWER = DisputeAnswer("owed", 17, 1, 3, "no", "time", PAYMENT, "not_enough_money")


@given(texts, st.integers(0, 99), st.booleans())
def test_a_message_reads_back_the_same_and_fits_into_a_line(text, number, withdrawn):
    message = DisputeMessage(DISPUTE, PAYMENT, number, number, text, withdrawn)
    assert parse_dispute_message(message.line.encode()) == message
    assert len(f"TD 255.255.255.255 {message.line} {'s' * 88}\r\n") <= LINE_BYTES_MAX


@given(texts, st.integers(0, 10**17 - 1))
def test_an_answer_reads_back_the_same_and_fits_into_a_line(text, deadline_us):
    answer = ANSWER._replace(text=text, deadline_us=deadline_us)
    assert parse_dispute_answer(answer.line.encode()) == answer
    assert len(f"TD {answer.line} {'s' * 88}\r\n") <= LINE_BYTES_MAX
    refused = DisputeAnswer(refused=Reason.DISPUTE_LATE)
    assert parse_dispute_answer(refused.line.encode()) == refused


@pytest.mark.parametrize(
    ("found", "put"),
    [("PRA0", "pra0"), (",2,", ",02,"), (",1,", ",100,"), ("cold+soup", "cold%20soup"),
     ("cold+soup", "cold;soup"), ("cold+soup", "+"), (",1", ",2"), ("cold+soup", "%C3%28")],
)  # fmt: skip
def test_another_form_of_a_message_is_none(found, put):
    line = MESSAGE.line.replace(found, put, 1) if put != ",2" else MESSAGE.line[:-1] + "2"
    with pytest.raises(Refused) as refused:
        parse_dispute_message(line.encode())
    assert refused.value.reason is Reason.TRANSFER_MESSAGE_FORMAT


@pytest.mark.parametrize(
    "line", ["", "refused.", "refused.nothing_like_it", "owed,017,1,3,no,time,,", "owed,17,1,3,no",
             "Owed,17,1,3,no,time,,", f"owed,{10**17},1,3,no,time,,", "owed,17,1,3,%00,time,,",
             "owed,17,-1,3,no,time,,"]
)  # fmt: skip
def test_another_form_of_an_answer_is_none(line):
    assert parse_dispute_answer(line.encode()) is None
