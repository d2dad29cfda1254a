"""Arguments by name: any order, every value proven, every mistake told with what is right."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol.codec import parse_request
from bank_node.protocol.commands import Audience, visible_commands
from bank_node.protocol.fields import choice, parse_fields, seconds, switch, text, whole
from bank_node.protocol.filters import EVERYTHING, AccountFilter, parse_account_filter
from bank_node.values import AMOUNT_MAX

FIELDS = (
    whole("count", 1, 500, 50),
    choice("sort", "up", "down", default="up"),
    switch("start"),
    seconds("wait", 20),
    text("line", "<line>", takes_rest=True),
)
TABLE = visible_commands(extensions=True, audience=Audience.OPERATOR)


def parsed(line):
    return parse_fields(line.encode().split(), FIELDS, "XX usage")


def refusal(line):
    with pytest.raises(Refused) as caught:
        parsed(line)
    return caught.value.reason, caught.value.details


def test_what_is_left_out_has_its_default():
    assert parsed("") == {"count": 50, "sort": "up", "start": False, "wait": 0.0, "line": None}


def test_order_does_not_matter_and_names_are_read_in_either_case():
    assert parsed("WAIT=1.5 sort=DOWN start=1 count=007") == {
        "count": 7, "sort": "down", "start": True, "wait": 1.5, "line": None,
    }  # fmt: skip


def test_a_field_can_take_the_rest_of_the_line():
    assert parsed("count=1 line=AD 1/2  count=5")["line"] == "AD 1/2 count=5"


@pytest.mark.parametrize("word", ["cuont=5", "count", "=5", "count:5", "x" * 900])
def test_an_unknown_field_is_told_with_the_right_ones(word):
    reason, details = refusal(word)
    assert reason is Reason.FIELD_UNKNOWN
    assert details["usage"] == "XX usage"
    assert len(details["field"]) <= 40


@pytest.mark.parametrize(
    "word",
    [
        "count=0", "count=501", "count=-1", "count=", "count=1.0", "count=" + "9" * 900, "count=٣",
        "sort=left", "sort=", "start=yes", "wait=21", "wait=-1", "wait=1e1", "wait=nan", "wait=inf",
        "wait=.", "line=\x1b[2J",
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_is_right(word):
    reason, details = refusal(word)
    assert reason is Reason.FIELD_FORMAT
    assert details["field"] == word.partition("=")[0]
    assert details["expected"]


def test_a_field_is_given_once():
    assert refusal("count=1 count=1") == (Reason.FIELD_TWICE, {"field": "count"})


def test_a_field_that_is_needed_is_asked_for():
    needed = (whole("height", 1, 9, required=True),)
    with pytest.raises(Refused) as caught:
        parse_fields((), needed, "XX usage")
    assert caught.value.reason is Reason.FIELD_MISSING
    assert needed[0].shape == "height=1..9"


@given(st.binary(max_size=200))
def test_no_bytes_get_further_than_a_refusal(noise):
    with suppress(Refused):
        assert set(parse_fields(noise.split(), FIELDS, "XX usage")) == {f.name for f in FIELDS}


@pytest.mark.parametrize("line", [b"OC", b"oc\r", b"OC count=200 first=0", b"OC first=0"])
def test_a_command_with_fields_has_all_of_them_as_its_one_argument(line):
    request = parse_request(line, TABLE)
    assert request.command.code == "OC"
    assert request.arguments == (
        {"first": 0, "count": 200, "sort": "number", "filter": EVERYTHING},
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("77", AccountFilter("77")),
        ("007", AccountFilter("007")),
        (">5", AccountFilter("", 6, AMOUNT_MAX)),
        (">=5", AccountFilter("", 5, AMOUNT_MAX)),
        ("<5", AccountFilter("", 0, 4)),
        ("<=5", AccountFilter("", 0, 5)),
        ("=5", AccountFilter("", 5, 5)),
        ("5..9", AccountFilter("", 5, 9)),
        ("<0", AccountFilter("", 0, -1)),
    ],
)
def test_what_can_be_looked_for_among_accounts(typed, meant):
    assert parse_account_filter(typed) == meant


@pytest.mark.parametrize("typed", ["", "x", "123456", "5..", ">", "> 5", "=-1", "1..2..3", "٣"])
def test_nothing_else_can(typed):
    with pytest.raises(ValueError):
        parse_account_filter(typed)
