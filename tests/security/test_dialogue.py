"""What one bank says to another is believed for that subject, between those two, and not turned."""

import pytest

from bank_node.security.dialogue import Dialogue
from bank_node.security.identity import new_identity

ASKER, ANSWERER, THIEF = (new_identity(bytes([n]) * 32) for n in (1, 2, 3))
HERE, THERE = "10.0.0.1", "10.0.0.2"
TALK = Dialogue("TQ", "request")


def read(reply, *, sender=THERE, receiver=HERE, word="pay", key=ANSWERER.key, talk=TALK):
    return talk.read_answer(sender, receiver, word, reply.encode(), key)


def test_a_question_is_believed_as_it_was_said_and_in_no_other_way():
    code, sender, word, signature = TALK.question(ASKER, HERE, THERE, "pay").decode().split()
    assert (code, sender, word) == ("TQ", HERE, "pay")
    assert TALK.is_question(HERE, THERE, "pay", signature, ASKER.key)
    assert not TALK.is_question(HERE, THERE, "pax", signature, ASKER.key)
    assert not TALK.is_question(HERE, "10.0.0.3", "pay", signature, ASKER.key)
    assert not TALK.is_question(THERE, HERE, "pay", signature, ASKER.key)
    assert not TALK.is_question(HERE, THERE, "pay", signature, THIEF.key)
    assert not TALK.is_question(HERE, THERE, "pay", signature, None)
    assert not Dialogue("TQ", "dispute").is_question(HERE, THERE, "pay", signature, ASKER.key)


def test_an_answer_is_believed_to_the_question_that_it_answers():
    reply = TALK.answer(ANSWERER, THERE, HERE, "pay", "heard")
    assert read(reply) == "heard"
    assert read(reply, word="pax") is None
    assert read(reply, sender=HERE, receiver=THERE) is None
    assert read(reply, key=THIEF.key) is None
    assert read(reply, key=None) is None
    assert read(reply, talk=Dialogue("TQ", "dispute")) is None


@pytest.mark.parametrize("reply", ["", "TQ", "TQ heard", "TD heard sig", "ER no", "TQ a b", "\xff"])
def test_what_is_no_answer_is_none(reply):
    assert read(reply) is None
