"""Rates and quantiles out of counters that only grow."""

from hypothesis import given
from hypothesis import strategies as st

from bank_node.telemetry.metrics import Histogram, quantile_us
from tui.model.rates import LENGTH, NO_RATES, Past, between, remembered
from tui.model.replies import Latencies, Metrics


def metrics(seconds, calls, slow=0, batches=0, operations=0, cpu_s=0.0):
    buckets = [0] * 65
    buckets[8], buckets[14] = calls - slow, slow
    ad = Latencies(calls, slow, 255, 255, 16_000, tuple(buckets))
    return Metrics(
        now_us=seconds * 1_000_000, commands={"AD": ad}, batches=batches,
        batched_operations=operations, cpu_s=cpu_s,
    )  # fmt: skip


def test_a_first_look_has_no_rates():
    assert between(None, metrics(1, 50)) == NO_RATES


def test_rates_are_what_has_come_in_since():
    rates = between(metrics(1, 100, batches=5, operations=50), metrics(3, 300, 4, 15, 150, 1.0))
    assert (rates.seconds, rates.requests_per_s, rates.errors_per_s) == (2, 100, 2)
    assert (rates.batch, rates.cpu_share) == (10, 0.5)
    assert rates.commands[0].per_s == 100


def test_quantiles_are_of_the_time_between_and_not_of_all_time():
    slow_then = metrics(1, 1_000, slow=1_000)
    fast_now = metrics(2, 2_000, slow=1_000)
    assert between(slow_then, fast_now).commands[0].p99_us == 255


def test_a_command_that_rests_keeps_its_latencies_and_has_no_rate():
    rates = between(metrics(1, 100), metrics(2, 100))
    assert (rates.commands[0].per_s, rates.commands[0].p99_us) == (0, 255)
    assert rates.p99_us == 0


def test_no_quantile_is_above_the_longest_latency():
    once = Latencies(1, 0, 1_480, 1_480, 1_480, (*[0] * 11, 1))
    rate = between(Metrics(now_us=1), Metrics(now_us=2, commands={"OM": once})).commands[0]
    assert (rate.p50_us, rate.p99_us) == (1_480, 1_480)


def test_what_operators_ask_is_told_at_the_end_and_is_no_life_of_the_bank():
    def looked(seconds, calls):
        own = Latencies(calls, calls, 9_000, 9_000, 9_000, (*[0] * 14, calls))
        return Metrics(now_us=seconds * 1_000_000, commands={"OM": own, "PP": own, "AD": own})

    idle, busy = looked(1, 5), looked(2, 15)
    assert [each.code for each in between(idle, busy).commands] == ["AD", "PP", "OM"]
    assert between(idle, busy).requests_per_s == between(idle, busy).errors_per_s == 20

    only_looked = Metrics(
        now_us=3_000_000, commands={**busy.commands, "OM": looked(3, 90).commands["OM"]}
    )
    rates = between(busy, only_looked)
    assert (rates.requests_per_s, rates.errors_per_s, rates.p99_us) == (0, 0, 0)
    assert rates.commands[-1].per_s == 75


def test_a_node_that_restarted_counts_from_zero():
    assert between(metrics(9, 900), metrics(2, 10)) == NO_RATES
    assert between(metrics(9, 900), metrics(10, 10)).requests_per_s == 0


def test_a_command_without_buckets_has_the_quantiles_of_all_time():
    now = Metrics(now_us=2, commands={"AD": Latencies(5, 0, 100, 200, 300)})
    assert between(Metrics(now_us=1), now).commands[0].p99_us == 200


@given(st.lists(st.integers(0, 2**40), min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_is_that_of_the_node_within_its_bucket(latencies, share):
    histogram = Histogram()
    for latency in latencies:
        histogram.record(latency)
    assert histogram.quantile_us(share) == min(
        quantile_us(histogram.counts, share), histogram.maximum_us
    )


def test_the_past_forgets_the_oldest():
    past = Past()
    for _ in range(LENGTH + 5):
        past = remembered(past, NO_RATES, Metrics(connections=3))
    assert past.connections == (3.0,) * LENGTH
