"""Replies of the node as values: what is missing, what is too much, what is wrong, what is evil."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.console_bank import HOSTILE, FakeBank

from tui.model import replies, world
from tui.model.documents import Unreadable, read

LINES = {
    "OS": replies.Status, "OM": replies.Metrics, "OC": replies.AccountPage,
    "OD account=10001": replies.AccountDetail, "OE": replies.Events, "OL": replies.LogLines,
    "OT": replies.TrafficLines, "OP": world.Peers, "OI add=10.1.2.99": world.PeerChanged,
    "ON": world.Scan, "OK to=10.1.2.7 line=BC": world.PeerAnswer, "OB number=500": world.Robbery,
    "OJ": replies.Blocks, "OJ height=3": replies.Entries, "OV": replies.Verification,
    "OG": replies.Settings, "OZ format=csv what=journal": replies.Exported,
    "OX do=drain": replies.State,
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("hostile", [False, True])
def test_every_reply_of_the_channel_is_read(line, hostile):
    assert isinstance(read(FakeBank(hostile=hostile).answer(line), LINES[line]), LINES[line])


@pytest.mark.parametrize("line", LINES)
def test_a_field_that_is_missing_or_unknown_does_no_harm(line):
    shape = LINES[line]
    needed = {"number": 1} if shape is replies.AccountDetail else {}
    read(f"{line[:2]} {json.dumps({**needed, 'of a later version': [1]})}", shape)


@pytest.mark.parametrize(
    "document",
    ["{", "[]", '"x"', "7", '{"total": "many"}', '{"warnings": 5}', "[" * 5_000 + "]" * 5_000,
     '{"warnings": ' + "[" * 50 + "]" * 50 + "}", '{"total": 1.5}', '{"state": null}'],
)  # fmt: skip
def test_what_is_not_understood_is_said_in_one_safe_line(document):
    with pytest.raises(Unreadable) as told:
        read(f"OS {document}", replies.Status)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 300


def test_totals_beyond_64_bits_are_read():
    assert read('OS {"total": 829000000000000000000000}', replies.Status).total == 829 * 10**21


def test_a_reply_without_a_document_is_all_defaults():
    assert read("OS", replies.Status) == replies.Status()


@given(st.text(max_size=50))
def test_texts_enter_as_one_printable_line(text):
    assert read("OS " + json.dumps({"name": text}), replies.Status).name.isprintable()


def test_no_hostile_character_enters():
    name = read("OS " + json.dumps({"name": HOSTILE}), replies.Status).name
    assert name.isprintable()
    assert "[/foo]" in name
    assert len(name) <= 10_000
