"""Names that a bank gives: handles, MMIDs, ids of payments and tokens of merchants."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.banking.payments import names
from bank_node.banking.payments.names import Merchant, make_vmid, open_vmid, payment_id
from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import parse_payment_id, parse_vmid, parse_vpa

SECRET, OTHER = b"s" * 32, b"o" * 32
MERCHANTS = st.builds(Merchant, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
ADDRESSES = st.tuples(*[st.integers(0, 255)] * 4)


@given(ADDRESSES, ADDRESSES)
def test_every_bank_has_a_handle_of_its_own(one, other):
    first, second = (names.default_handle(".".join(map(str, a))) for a in (one, other))
    assert (first == second) is (one == other)
    assert parse_vpa(f"al@{first}".encode()).handle == first


@given(MERCHANTS)
def test_a_token_stands_for_its_merchant_and_is_opened_by_its_bank_only(merchant):
    token = make_vmid(SECRET, merchant)
    assert parse_vmid(token.encode()) == token
    assert open_vmid(SECRET, token) == merchant
    with pytest.raises(Refused) as caught:
        open_vmid(OTHER, token)
    assert caught.value.reason is Reason.NO_SUCH_MERCHANT


@given(MERCHANTS, st.data())
def test_a_token_with_one_changed_character_is_worth_nothing(merchant, data):
    token = make_vmid(SECRET, merchant)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFabcdef0123456789-_"))
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(Refused):
            open_vmid(SECRET, changed)


@given(st.text(max_size=60))
def test_what_is_made_up_is_no_token(text):
    with pytest.raises(Refused):
        open_vmid(SECRET, text)


def test_tokens_of_neighbours_have_nothing_in_common():
    one, other = (make_vmid(SECRET, Merchant(10_001 + n, 1)) for n in (0, 1))
    assert sum(a == b for a, b in zip(one[2:], other[2:], strict=True)) < 12
    assert "10001" not in one


def test_the_same_reference_is_the_same_payment_and_nobody_else_can_tell_which():
    one = payment_id(SECRET, "prague", 10_001, "rent")
    assert parse_payment_id(one.encode()) == one
    assert one == payment_id(SECRET, "prague", 10_001, "rent")
    assert len({one, payment_id(OTHER, "prague", 10_001, "rent"),
                payment_id(SECRET, "prague", 10_002, "rent"),
                payment_id(SECRET, "prague", 10_001, "rent2")}) == 4  # fmt: skip
    assert payment_id(SECRET, "ab", 1, "x").startswith("ABX")


def test_a_retrieval_number_has_12_digits_and_an_mmid_7():
    assert names.rrn_of(71) == "000000000071"
    assert re.fullmatch(r"[0-9]{7}", names.mmid_of("127.0.0.1", 999))
    assert names.mmid_of("127.0.0.1", 1)[:4] == names.mmid_of("127.0.0.1", 2)[:4]
