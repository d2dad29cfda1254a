"""Values of payments: what may be written for an address, a PIN, a text or a payee."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Reason, Refused
from bank_node.protocol import payment_values as values
from bank_node.protocol.payment_values import MobilePayee, Vpa, parse_payee, parse_text, parse_vpa
from bank_node.values import AccountAddress

NAMES = st.from_regex(r"[a-z0-9._-]{2,40}", fullmatch=True)
HANDLES = st.from_regex(r"[a-z]{2,64}", fullmatch=True)


def reason(parse, text):
    with pytest.raises(Refused) as caught:
        parse(text)
    return caught.value.reason


@given(NAMES, HANDLES)
def test_an_address_is_read_as_it_is_told(name, handle):
    assert parse_vpa(str(Vpa(name, handle)).encode()) == Vpa(name, handle)
    assert parse_vpa(f"{name}@{handle}".upper().encode()) == Vpa(name, handle)


@pytest.mark.parametrize(
    "text",
    [b"", b"alice", b"@prague", b"a@prague", b"alice@", b"alice@p", b"alice@prague1", b"a b@prague",
     b"alice@@prague", b"alice@prague@brno", "alicе@prague".encode(), b"alice@pra.gue",
     b"a" * 257 + b"@prague", b"alice@" + b"p" * 65, b"alice@prague\n"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    assert reason(parse_vpa, text) is Reason.VPA_FORMAT


@pytest.mark.parametrize(
    ("one", "other"),
    [("alice", "al1ce"), ("bob", "b0b"), ("rnary", "mary"), ("will", "vvill"), ("a.b-c", "abc"),
     ("sam", "5am"), ("ivan", "lvan")],
)  # fmt: skip
def test_names_that_look_alike_have_one_skeleton(one, other):
    assert Vpa(one, "x").skeleton == Vpa(other, "x").skeleton


@pytest.mark.parametrize(("one", "other"), [("alice", "alica"), ("bob", "rob"), ("ann", "anna")])
def test_names_that_do_not_look_alike_have_skeletons_of_their_own(one, other):
    assert Vpa(one, "x").skeleton != Vpa(other, "x").skeleton


@given(NAMES)
def test_every_name_has_a_skeleton(name):
    assert Vpa(name, "x").skeleton


@pytest.mark.parametrize("text", [b"1234", b"0000", b"123456"])
def test_a_pin_has_4_or_6_digits(text):
    assert values.parse_pin(text) == text.decode()


@pytest.mark.parametrize("text", [b"", b"123", b"12345", b"1234567", b"12a4", "١٢٣٤".encode()])
def test_what_is_no_pin_is_refused(text):
    assert reason(values.parse_pin, text) is Reason.PIN_FORMAT


@pytest.mark.parametrize("text", [b"1234", b"0000", b"987654", b"999999", b"3456"])
def test_a_pin_that_everybody_tries_first_cannot_be_chosen(text):
    assert reason(values.parse_new_pin, text) is Reason.PIN_TOO_EASY


def test_a_pin_that_is_not_too_easy_can_be_chosen():
    assert values.parse_new_pin(b"1470") == "1470"


@pytest.mark.parametrize(
    "text", [b"0", b"00", b"-1", b"1.5", b"nan", b"1e5", b"", b"+5", b"9" * 19]
)
def test_a_payment_has_an_amount_above_0(text):
    assert reason(values.parse_payment_amount, text) is Reason.PAYMENT_AMOUNT


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=50))
def test_a_text_survives_being_made_a_word(text):
    word = values.to_word(text)
    assert len(word.split()) == 1
    assert parse_text(word.encode()) == text


@pytest.mark.parametrize("text", [b"", b"+", b"a%00b", b"a%0Ab", b"%ff", b"x" * 51, b"%E2%80%AE"])
def test_what_is_no_text_is_refused(text):
    assert reason(parse_text, text) is Reason.TEXT_FORMAT


def test_a_payee_is_an_address_an_account_or_a_mobile_number_with_its_mmid():
    assert parse_payee(b"Alice@Prague") == Vpa("alice", "prague")
    assert parse_payee(b"10001/127.0.0.1") == AccountAddress(10001, "127.0.0.1")
    assert parse_payee(b"+420777123456:1234001") == MobilePayee("420777123456", "1234001")


@pytest.mark.parametrize("text", [b"", b"alice", b"10001", b"420777123456:12", b"1/2", b":1234001"])
def test_what_is_no_payee_is_refused(text):
    assert reason(parse_payee, text) is Reason.PAYEE_FORMAT


@given(st.binary(max_size=80))
def test_no_bytes_break_a_parser(text):
    for name in ("vpa", "mobile", "pin", "new_pin", "category", "reference", "payment_id", "vmid",
                 "payment_amount", "text", "payee"):  # fmt: skip
        with suppress(Refused):
            getattr(values, f"parse_{name}")(text)
