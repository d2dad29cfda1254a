"""What is signed reads in one way only: other values, other bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.security.canonical import canonical

values = st.one_of(st.binary(max_size=5), st.text("ab\0", max_size=5), st.integers(0, 2**64 - 1))
messages = st.tuples(st.sampled_from(["head", "heads", ""]), st.lists(values, max_size=4))


@settings(max_examples=250)
@given(messages, messages)
def test_two_messages_have_the_same_bytes_only_if_they_are_the_same(one, other):
    is_same = one[0] == other[0] and list(map(repr, one[1])) == list(map(repr, other[1]))
    assert (canonical(one[0], *one[1]) == canonical(other[0], *other[1])) == is_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a",), (b"a",)),
        (("1",), (1,)),
        (("",), ()),
        (("a", ""), ("a",)),
    ],
)
def test_values_cannot_run_into_each_other(one, other):
    assert canonical("test", *one) != canonical("test", *other)


def test_another_purpose_gives_other_bytes():
    assert canonical("prepare", "x") != canonical("commit", "x")


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_that_does_not_fit_is_an_error(number):
    with pytest.raises(OverflowError):
        canonical("test", number)
