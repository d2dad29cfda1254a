"""The frontier: the fewest clients for each amount, whole or sampled."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robbery_oracle import fewest_clients_by_table, network, sums_of_all_subsets

from bank_node.banking.robbery import Bank, Frontier, FrontierPoint, frontier, plan

NUMBERS = st.tuples(st.integers(0, 20), st.integers(0, 5))


def pairs(curve: Frontier) -> list[tuple[int, int]]:
    return [(point.amount, point.clients) for point in curve.points]


@given(st.lists(NUMBERS, max_size=8))
def test_a_complete_frontier_is_every_plan_that_no_other_plan_beats(numbers):
    banks = [Bank(i, *pair) for i, pair in enumerate(numbers)]
    sums = {(amount, clients) for clients, amount, _ in sums_of_all_subsets(banks)}
    unbeaten = sorted(
        (amount, clients)
        for amount, clients in sums
        if amount
        and not any(
            (more, less) != (amount, clients) and more >= amount and less <= clients
            for more, less in sums
        )
    )
    curve = frontier(banks, points_max=1000)
    assert curve.complete
    assert pairs(curve) == unbeaten
    assert all(point.proven for point in curve.points)


def test_a_network_without_money_has_an_empty_frontier():
    assert frontier([]) == frontier([Bank(1, 0, 5)]) == Frontier((), complete=True)


def test_one_bank_is_one_point():
    assert frontier([Bank(1, 500, 3)]) == Frontier((FrontierPoint(500, 3, True),), complete=True)


@pytest.mark.parametrize("work_max", [10_000_000, 30_000])
def test_a_thinned_frontier_has_exact_points_and_reaches_all_money(work_max):
    rng = random.Random(2)
    banks = [Bank(i, rng.randint(1, 10**9), rng.randint(1, 40)) for i in range(60)]
    curve = frontier(banks, points_max=12, work_max=work_max)
    assert not curve.complete
    assert len(curve.points) == 12
    assert curve.points[-1].amount == sum(bank.amount for bank in banks)
    for point in curve.points:
        assert point.proven
        assert point.clients == fewest_clients_by_table(banks, point.amount)


def test_samples_rise_and_say_what_a_plan_for_their_amount_says():
    banks = network("unrelated", 254, random.Random(4))
    curve = frontier(banks, points_max=10)
    assert not curve.complete
    assert len(curve.points) == 10
    assert pairs(curve) == sorted(set(pairs(curve)))
    for point in curve.points:
        assert point.proven
        assert plan(banks, point.amount).clients == point.clients


def test_without_time_there_are_fewer_samples_and_none_claims_too_much():
    banks = network("nearly proportional", 254, random.Random(4))
    curve = frontier(banks, points_max=50, work_max=20_000)
    assert 0 < len(curve.points) < 50
    for point in curve.points:
        exact = plan(banks, point.amount, work_max=1_000_000)
        assert exact.clients <= point.clients
        assert not point.proven or exact.clients + exact.clients_off_at_most >= point.clients


def test_a_frontier_of_no_points_is_not_complete():
    assert frontier([Bank(1, 5, 1)], points_max=0) == Frontier((), complete=False)


def test_two_banks_with_one_address_are_an_error():
    with pytest.raises(ValueError, match="address"):
        frontier([Bank(1, 5, 1), Bank("0.0.0.1", 5, 1)])
