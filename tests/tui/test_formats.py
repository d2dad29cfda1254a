"""Figures as people read them."""

import pytest

from tui.model import formats

NOW = 1_795_000_000_000_000


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (7, "7"), (0.5, "0.5"), (9.94, "9.9"), (9.96, "10"), (999, "999"), (999.4, "999"),
     (999.6, "1.00k"), (1_000, "1.00k"), (12_345, "12.3k"), (999_499, "999k"), (999_500, "1.00M"),
     (9_223_372_036_854_775_807, "9.22E"), (-1_500, "-1.50k"), (10**22, "10000E")],
)  # fmt: skip
def test_a_short_figure_keeps_three_digits(value, told):
    assert formats.short(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0 µs"), (640, "640 µs"), (999.4, "999 µs"), (1_000, "1.0 ms"), (99_949, "99.9 ms"),
     (99_951, "100 ms"), (999_499, "999 ms"), (999_500, "1.0 s"), (61_000_000, "1m 01s"),
     (3_661_000_000, "1h 01m"), (90_000_000_000, "1d 01h"), (None, "–")],
)  # fmt: skip
def test_a_duration_is_told_in_its_own_unit(value, told):
    assert formats.duration(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "now"), (1, "now"), (2, "2s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h"),
     (86_400, "1d"), (-5, "now")],
)  # fmt: skip
def test_an_age_is_told_in_its_largest_unit(seconds, told):
    assert formats.age(NOW - seconds * 1_000_000, NOW) == told


def test_what_never_was_has_no_age_and_no_time():
    assert formats.age(None, NOW) == formats.clock(None) == formats.date(0) == "–"


def test_a_time_beyond_all_calendars_is_a_dash():
    assert formats.clock(10**30) == formats.date(10**30) == "–"
    assert formats.stamp(10**30) == str(10**30)


def test_times_are_local():
    assert formats.clock(NOW) == "11:06:40"
    assert formats.date(NOW) == "2026-11-18 11:06:40"
    assert formats.stamp(NOW) == "20261118-110640"


def test_counts_are_honest():
    assert formats.count_of(200, 90_000, "accounts") == "200 of 90,000 accounts"
    assert formats.count_of(7, 7, "accounts") == "7 accounts"
    assert formats.plural(1, "bank") == "1 bank"
    assert formats.plural(1_200, "entry", "entries") == "1,200 entries"


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KB"), (61_000_000, "58.2 MB")]
)
def test_sizes_are_told_in_powers_of_1024(count, told):
    assert formats.size(count) == told


def test_a_share_of_nothing_is_a_dash():
    assert formats.share(1, 4) == "25 %"
    assert formats.share(1, 0) == "–"
