"""Values: what may be written for an amount, an account and a bank, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node import values
from bank_node.errors import Reason, Refused
from bank_node.values import (
    ACCOUNT_MAX,
    ACCOUNT_MIN,
    ACCOUNTS_MAX,
    AMOUNT_MAX,
    AccountAddress,
    AccountNumber,
    BankCode,
    one_line,
    parse_account_address,
    parse_amount,
    parse_bank_code,
    port_number,
)

OCTETS = st.integers(0, 255)
ODD_BANKS = (
    b"",
    b"127.00.5.1",
    b"127.0.5.01",
    b"00.0.0.0",
    b"999.1.1.1",
    b"256.0.0.1",
    b"1.2.3.256",
    b"1.2.3",
    b"1.2.3.4.5",
    b"1..2.3",
    b".1.2.3",
    b"1.2.3.",
    b"1.2.3.4:65525",
    b"1.2.3.4/24",
    b"+1.2.3.4",
    b"-1.2.3.4",
    b"1.2.3.0x4",
    b"1.2.3.1e1",
    b"1.2.3. 4",
    b"1,2,3,4",
    b"1.2.3.1_0",
    b"localhost",
    b"::1",
    "1.2.3.٤".encode(),
    "1.2.3.４".encode(),
    b"1.2.3.4\0",
)


def _reason(parse: object, text: bytes) -> Reason:
    with pytest.raises(Refused) as caught:
        parse(text)
    return caught.value.reason


@pytest.mark.parametrize("value", [0, 1, 9, 10, AMOUNT_MAX - 1, AMOUNT_MAX])
def test_an_amount_is_read_up_to_the_edges_of_its_range(value):
    assert parse_amount(str(value).encode()) == value


def test_the_largest_amount_is_the_one_that_the_protocol_names():
    assert AMOUNT_MAX == 9223372036854775807


@pytest.mark.parametrize("value", [AMOUNT_MAX + 1, 2**64, 10**30, 10**63])
def test_an_amount_above_the_range_is_refused(value):
    assert _reason(parse_amount, str(value).encode()) is Reason.AMOUNT_FORMAT


# The longest line there is, that of TM, has 8192 bytes.
@pytest.mark.parametrize("zeros", [1, 3, 18, 40, 64, 1000, 8191])
def test_leading_zeros_of_an_amount_are_accepted(zeros):
    assert parse_amount(b"0" * zeros + b"5") == 5


def test_any_number_of_zeros_alone_is_nothing():
    assert parse_amount(b"0" * 1000) == 0


def test_leading_zeros_make_no_amount_of_a_digit_too_many():
    assert _reason(parse_amount, b"000" + str(AMOUNT_MAX + 1).encode()) is Reason.AMOUNT_FORMAT


def test_addresses_with_zeros_in_front_do_not_fill_the_memory():
    before = len(values._known)
    for zeros in range(1, 900):
        assert parse_account_address(b"0" * zeros + b"12345/10.1.2.3").number == 12345
    assert len(values._known) <= before + 8


@pytest.mark.parametrize(("text", "port"), [("1", 1), ("65535", 65535), ("00080", 80)])
def test_a_port_is_a_number_up_to_65535(text, port):
    assert port_number(text) == port


@pytest.mark.parametrize("text", ["", "0", "65536", "000080", "-1", "+1", "1 ", "²", "٣", "x"])
def test_nothing_else_is_a_port(text):
    assert port_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"+3000",
        b"-1",
        b"-0",
        b"1_000",
        b"1.0",
        b"1,5",
        b"1e3",
        b"0x10",
        b"ten",
        b" 5",
        b"5 ",
        b"5\0",
        b"NaN",
        b"inf",
        "٣".encode(),
        "５".encode(),
        "²".encode(),
        "൧".encode(),
        "5\u00a0".encode(),
        "−5".encode(),
        b"\xff",
    ],
)
def test_an_amount_is_ascii_digits_and_nothing_else(text):
    assert _reason(parse_amount, text) is Reason.AMOUNT_FORMAT


@given(st.characters(categories=["Nd", "Nl", "No"]).filter(lambda c: not c.isascii()))
def test_no_digit_outside_ascii_counts_as_a_digit(digit):
    text = digit.encode()
    assert _reason(parse_amount, text) is Reason.AMOUNT_FORMAT
    assert _reason(parse_account_address, b"1000" + text + b"/1.2.3.4") is Reason.ACCOUNT_FORMAT
    assert _reason(parse_bank_code, b"1.2.3." + text) is Reason.ACCOUNT_FORMAT


@given(OCTETS, OCTETS, OCTETS, OCTETS)
def test_every_canonical_ipv4_address_names_a_bank(a, b, c, d):
    text = f"{a}.{b}.{c}.{d}"
    assert parse_bank_code(text.encode()) == text


@pytest.mark.parametrize("text", ODD_BANKS)
def test_a_bank_has_one_spelling_only(text):
    assert _reason(parse_bank_code, text) is Reason.ACCOUNT_FORMAT
    assert _reason(parse_account_address, b"10001/" + text) is Reason.ACCOUNT_FORMAT


@pytest.mark.parametrize("number", [ACCOUNT_MIN, 10_001, 54_321, ACCOUNT_MAX])
def test_an_account_address_is_a_number_and_a_bank(number):
    address = parse_account_address(f"{number}/10.1.2.3".encode())
    assert address == AccountAddress(AccountNumber(number), BankCode("10.1.2.3"))
    assert str(address) == f"{number}/10.1.2.3"


def test_addresses_that_were_met_are_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(values, "_KNOWN_MAX", 3)
    monkeypatch.setattr(values, "_known", {})
    for number in [*range(ACCOUNT_MIN, ACCOUNT_MIN + 10)] * 2:
        assert parse_account_address(b"%d/10.1.2.3" % number).number == number
        assert len(values._known) <= 3
    again = parse_account_address(b"%d/10.1.2.3" % number)
    assert again is parse_account_address(b"%d/10.1.2.3" % number)


def test_account_numbers_have_five_digits():
    assert (ACCOUNT_MIN, ACCOUNT_MAX, ACCOUNTS_MAX) == (10_000, 99_999, 90_000)


def test_leading_zeros_of_an_account_number_are_accepted():
    assert parse_account_address(b"0010001/1.2.3.4") == parse_account_address(b"10001/1.2.3.4")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"/",
        b"10001",
        b"10001/",
        b"/1.2.3.4",
        b"9999/1.2.3.4",
        b"100000/1.2.3.4",
        b"0/1.2.3.4",
        b"+10001/1.2.3.4",
        b"-10001/1.2.3.4",
        b"10_001/1.2.3.4",
        b"10001.0/1.2.3.4",
        b"10001//1.2.3.4",
        b"10001/1.2.3.4/",
        b"10001\\1.2.3.4",
        b"1.2.3.4/10001",
        "١٠٠٠١/1.2.3.4".encode(),
    ],
)
def test_an_account_address_written_otherwise_is_refused(text):
    assert _reason(parse_account_address, text) is Reason.ACCOUNT_FORMAT


@given(st.binary(max_size=80))
@settings(max_examples=200)
def test_a_parser_returns_what_was_written_or_refuses(text):
    with suppress(Refused):
        assert 0 <= parse_amount(text) <= AMOUNT_MAX
    with suppress(Refused):
        assert parse_bank_code(text).encode() == text
    with suppress(Refused):
        assert str(parse_account_address(text)).encode() == text.lstrip(b"0")


@pytest.mark.parametrize("text", ["", "AB 500", "ER Není dostatek finančních prostředků.", "🏦"])
def test_printable_text_is_one_line_as_it_stands(text):
    assert one_line(text) == text


@pytest.mark.parametrize(
    "char",
    ["\n", "\r", "\t", "\0", "\x1b", "\x07", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e",
     "\u2066", "\u200f", "\ufeff", "\ud800"],
)  # fmt: skip
def test_characters_that_steer_a_terminal_or_end_a_line_become_question_marks(char):
    assert one_line(f"a{char}ž") == "a?ž"


@given(st.text(st.characters(codec=None)))
def test_one_line_keeps_the_length_and_is_always_printable(text):
    safe = one_line(text)
    assert safe.isprintable()
    assert len(safe) == len(text)
    assert len(safe.splitlines()) <= 1
