"""Figures: cheap to record, honest within a factor of two, and the same whoever counted them."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.telemetry.metrics import CommandFigures, Histogram, Metrics

HALF_AN_HOUR_US = 1800 * 10**6
LATENCIES = st.lists(st.integers(0, HALF_AN_HOUR_US), min_size=1, max_size=200)
SHARES = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0])


def histogram_of(latencies: list[int]) -> Histogram:
    histogram = Histogram()
    for microseconds in latencies:
        histogram.record(microseconds)
    return histogram


def figures_of(histogram: Histogram) -> tuple[list[int], int, int]:
    return histogram.counts, histogram.maximum_us


def exact_quantile(latencies: list[int], share: float) -> int:
    rank = max(1, math.ceil(share * len(latencies)))
    return sorted(latencies)[rank - 1]


@given(LATENCIES, SHARES)
@settings(max_examples=200)
def test_a_quantile_is_at_least_the_exact_one_and_less_than_twice_as_much(latencies, share):
    exact = exact_quantile(latencies, share)
    told = histogram_of(latencies).quantile_us(share)
    assert exact <= told <= 2 * exact


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 1023, 1024, 10**6, 2**31, 2**63])
def test_one_latency_is_told_exactly(value):
    histogram = histogram_of([value])
    assert {histogram.quantile_us(share) for share in (0.0, 0.5, 1.0)} == {value}


def test_the_latency_of_a_machine_that_slept_for_a_day_is_recorded_too():
    assert histogram_of([1, 86_400 * 10**6]).quantile_us(0.9) == 86_400 * 10**6


def test_the_highest_quantile_is_the_maximum_itself():
    assert histogram_of([1, 5, 600, 1025]).quantile_us(1.0) == 1025


def test_an_empty_histogram_tells_zeros():
    assert Histogram().summary() == {"count": 0, "p50_us": 0, "p99_us": 0, "max_us": 0}


def test_a_summary_counts_everything_that_was_recorded():
    summary = histogram_of([100] * 98 + [5000, 7000]).summary()
    assert summary["count"] == 100
    assert summary["max_us"] == 7000
    assert 100 <= summary["p50_us"] < 200
    assert 5000 <= summary["p99_us"] <= 7000


@given(LATENCIES, LATENCIES)
def test_merging_is_the_same_as_recording_in_one_place(first, second):
    merged = histogram_of(first)
    merged.add(histogram_of(second))
    assert figures_of(merged) == figures_of(histogram_of(first + second))


def test_merging_leaves_the_other_histogram_alone():
    other = histogram_of([5, 9])
    before = figures_of(histogram_of([5, 9]))
    Histogram().add(other)
    merged = histogram_of([1])
    merged.add(other)
    merged.record(700)
    assert figures_of(other) == before


def test_merging_command_figures_adds_errors_and_latencies():
    total, part = CommandFigures(), CommandFigures()
    for figures in (total, part):
        figures.errors = 1
        figures.latency.record(10)
    total.add(part)
    assert (total.errors, total.latency.count) == (2, 2)


def test_a_snapshot_adds_up_the_tables_of_all_threads():
    metrics = Metrics()
    for code, latencies in (("AD", [5]), ("AB", [10, 20]), ("AB", [4000])):
        table = metrics.new_command_table()
        table[code].errors += 1
        for latency in latencies:
            table[code].latency.record(latency)
    commands = metrics.snapshot()["commands"]
    assert list(commands) == ["AB", "AD"]
    assert (commands["AB"]["count"], commands["AB"]["errors"]) == (3, 2)
    assert commands["AB"]["max_us"] == 4000
    assert (commands["AD"]["count"], commands["AD"]["errors"]) == (1, 1)


def test_a_command_that_nobody_called_is_not_shown():
    metrics = Metrics()
    assert metrics.new_command_table()["AD"].latency.count == 0
    assert metrics.snapshot()["commands"] == {}


def test_taking_a_snapshot_changes_no_figure():
    metrics = Metrics()
    for _ in range(2):
        metrics.new_command_table()["AB"].latency.record(7)
    assert metrics.snapshot() == metrics.snapshot()
    assert metrics.snapshot()["commands"]["AB"]["count"] == 2


def test_batches_are_counted_with_their_size_and_the_time_of_their_commit():
    metrics = Metrics()
    for operations, microseconds in ((3, 900), (64, 1500), (1, 400)):
        metrics.committed(operations, microseconds)
    snapshot = metrics.snapshot()
    assert snapshot["batches"] == 3
    assert snapshot["batched_operations"] == 68
    assert snapshot["batch_operations_max"] == 64
    assert (snapshot["commit"]["count"], snapshot["commit"]["max_us"]) == (3, 1500)


def test_a_snapshot_is_plain_data_that_shows_every_counter():
    metrics = Metrics()
    counters = {name for name, value in vars(metrics).items() if isinstance(value, int)}
    snapshot = json.loads(json.dumps(metrics.snapshot()))
    assert counters | {"commit", "commands"} == set(snapshot)
    assert "traffic_lines_lost" in counters
