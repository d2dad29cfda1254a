"""Nothing of a stranger is more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.console_bank import HOSTILE

from tui import safe


@given(st.text())
def test_a_line_holds_no_control_character(text):
    assert safe.line(text).isprintable()


@given(st.text(max_size=40), st.integers(1, 20))
def test_a_line_is_no_longer_than_its_limit(text, limit):
    assert len(safe.line(text, limit)) <= limit


def test_markup_is_text():
    assert safe.content(HOSTILE).plain.count("[/foo]") == 1
    assert safe.assemble((HOSTILE, "bold"), HOSTILE).plain.isprintable()


def test_rows_are_the_only_line_ends():
    assert safe.lines(HOSTILE, "b\nc").plain.count("\n") == 1


def test_nesting_has_an_end():
    deep = "x"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(ValueError, match="deep"):
        safe.tree(deep)


def test_keys_are_cleaned_as_values_are():
    assert safe.tree({"\x1b": ["\x07", 5, None]}) == {"?": ["?", 5, None]}
