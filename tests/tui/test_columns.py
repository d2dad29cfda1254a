"""How a table shares its width, and how a text is fitted into its column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.chart import once
from tui.widgets.columns import GAP, Column, laid_out
from tui.widgets.grid import fitted

COLUMNS = (
    Column("a", "A", 8),
    Column("b", "B", 10, flex=1),
    Column("c", "C", 6, flex=2, from_width=60),
    Column("d", "D", 7),
)


def whole(columns):
    return 2 + sum(width for _, width in columns) + GAP * (len(columns) - 1)


@given(st.integers(1, 300))
def test_the_columns_fill_the_width_and_never_more(width):
    shown = laid_out(COLUMNS, width)
    assert shown[0][0] == 0
    assert [index for index, _ in shown] == sorted(index for index, _ in shown)
    if len(shown) > 1:
        assert whole(shown) == width


def test_columns_are_left_out_from_the_right():
    assert [index for index, _ in laid_out(COLUMNS, 26)] == [0, 1]


def test_a_column_waits_for_the_width_that_it_asks_for():
    assert 2 not in [index for index, _ in laid_out(COLUMNS, 59)]
    assert 2 in [index for index, _ in laid_out(COLUMNS, 60)]


@given(st.text(max_size=60), st.integers(1, 40), st.booleans())
def test_a_fitted_text_has_the_width_of_its_column(text, width, right):
    assert cell_len(fitted(text, width, right=right)) == width


@pytest.mark.parametrize("text", ["A" * 100_000, "漢" * 100_000, "\x1b[2J" * 20_000])
def test_a_huge_text_is_cut_before_it_is_measured(text):
    assert cell_len(fitted(text, 20)) == 20


def test_numbers_stand_at_the_right_and_texts_are_cut_with_an_ellipsis():
    assert fitted("12", 5, right=True) == "   12"
    assert fitted("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["-1", "-1", "latest", "latest", "latest"], ["-1", "", "", "", "latest"]),
        (["-3s", "-2s", "-2s", "-1s", "now"], ["-3s", "", "-2s", "-1s", "now"]),
        (["0", "0", "0", "0"], ["0", "", "", ""]),
        (["0", "1", "2"], ["0", "1", "2"]),
    ],
)
def test_no_label_of_an_axis_is_told_twice(labels, told):
    assert once(labels) == told
