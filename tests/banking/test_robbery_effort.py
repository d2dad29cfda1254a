"""Deadlines and budgets: when the search stops, and that what it then says is true."""

import random

import pytest
from robbery_oracle import RANKS, best_of_all_sums, fewest_clients_by_table, network, some_target

from bank_node.banking.robbery import Bank, Plan, Unreachable, frontier, plan

BOTH = pytest.mark.parametrize("objective", list(RANKS))


class Clock:
    """Stands still for some readings and then jumps far beyond any deadline."""

    def __init__(self, readings: int) -> None:
        self.readings = readings

    def __call__(self) -> float:
        self.readings -= 1
        return 0.0 if self.readings >= 0 else 1_000.0


def hard_network(seed: int = 1) -> tuple[list[Bank], int]:
    """Takes seconds to plan with either objective."""
    rng = random.Random(seed)
    banks = network("nearly proportional", 254, rng)
    return banks, some_target(banks, rng)


def planned(*args, **kwargs) -> Plan:
    found = plan(*args, **kwargs)
    assert not isinstance(found, Unreachable)
    return found


@BOTH
@pytest.mark.parametrize("readings", [0, 1, 10, 60])
def test_the_search_ends_soon_after_the_deadline_with_a_plan_that_is_not_proven(
    objective, readings
):
    banks, target = hard_network()
    clock = Clock(readings)
    found = planned(banks, target, objective, now=clock, deadline_s=5.0)
    assert not found.proven
    if readings <= 1:
        assert found.clients_off_at_most + found.distance_off_at_most > 0
    if objective == "fewest":
        assert found.amount >= target
    assert clock.readings >= -40, "the clock was asked again and again after the deadline"


@pytest.mark.parametrize("readings", [0, 3, 20, 60, 200])
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_of_an_unproven_plan_contains_the_best_plan(readings, seed):
    rng = random.Random(seed)
    banks = [Bank(number, rng.randint(0, 10**12), rng.randint(0, 30)) for number in range(120)]
    target = some_target(banks, rng)
    found = planned(banks, target, now=Clock(readings), deadline_s=5.0)
    best = fewest_clients_by_table(banks, target)
    assert found.clients - found.clients_off_at_most <= best <= found.clients
    assert not found.proven or found.clients == best


@BOTH
@pytest.mark.parametrize("work_max", [0, 100, 2_000, 30_000])
def test_a_work_budget_bounds_the_search_in_the_same_way(objective, work_max):
    rng = random.Random(work_max)
    banks = network("coarse", 40, rng)
    target = some_target(banks, rng)
    found = planned(banks, target, objective, work_max=work_max)
    best = best_of_all_sums(banks, target, objective)
    clients, distance = (best[0], best[1] - target) if objective == "fewest" else best[1::-1]
    assert found.clients - found.clients_off_at_most <= clients
    if objective == "closest" or found.clients == clients:
        assert found.distance - found.distance_off_at_most <= distance


def test_more_work_never_makes_a_worse_plan():
    banks, target = hard_network()
    plans = [planned(banks, target, work_max=work) for work in (0, 10_000, 300_000, 1_000_000)]
    harmed = [found.clients for found in plans]
    assert harmed == sorted(harmed, reverse=True)
    assert harmed[0] > harmed[-1]


def test_a_plan_with_a_work_budget_is_the_same_each_time():
    banks, target = hard_network()
    first, second = (planned(banks, target, work_max=200_000) for _ in range(2))
    assert first == second


def test_a_deadline_in_the_far_future_changes_nothing():
    rng = random.Random(5)
    banks = network("unrelated", 200, rng)
    target = some_target(banks, rng)
    with_clock = planned(banks, target, now=lambda: 0.0, deadline_s=1.0)
    assert with_clock == planned(banks, target)
    assert with_clock.proven


@pytest.mark.parametrize("half", [{"now": lambda: 0.0}, {"deadline_s": 1.0}])
def test_a_deadline_needs_a_clock_and_a_clock_a_deadline(half):
    with pytest.raises(ValueError, match="deadline"):
        plan([Bank(1, 1, 1)], 1, **half)
    with pytest.raises(ValueError, match="deadline"):
        frontier([Bank(1, 1, 1)], **half)


@pytest.mark.soak
@BOTH
@pytest.mark.parametrize("kind", ["unrelated", "huge", "correlated", "strongly correlated"])
def test_sixty_five_thousand_banks_are_planned_within_the_work_of_seconds(objective, kind):
    rng = random.Random(kind)
    banks = network(kind, 65_000, rng)
    found = planned(banks, some_target(banks, rng), objective)
    assert objective == "closest" or found.amount >= found.target
    if objective == "fewest" and kind != "strongly correlated":
        assert found.proven
