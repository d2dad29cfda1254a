"""The planner against an outside solver (HiGHS) on hundreds of networks of 50 to 254 banks."""

import random
import warnings

import pytest
from robbery_oracle import fewest_clients_by_solver, network, some_target

from bank_node.banking.robbery import Plan, plan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    milp = pytest.importorskip("scipy.optimize", reason="HiGHS comes with scipy").milp

EASY = ("unrelated", "small", "correlated", "even but one", "coarse")
HARD = ("nearly proportional", "proportional", "strongly correlated", "inversely correlated")


def compare(kind: str, size: int, seed: int) -> bool:
    """True when both have an answer; they must agree then."""
    rng = random.Random(f"{kind} {size} {seed}")
    banks = network(kind, size, rng)
    target = some_target(banks, rng)
    found = plan(banks, target, work_max=1_500_000)
    assert isinstance(found, Plan)
    expected = fewest_clients_by_solver(milp, banks, target)
    if expected is None:
        return False
    assert found.clients - found.clients_off_at_most <= expected <= found.clients
    return found.clients == expected


@pytest.mark.parametrize("size", [50, 120, 254])
@pytest.mark.parametrize("kind", EASY)
def test_ordinary_networks_are_always_planned_as_well_as_by_the_solver(kind, size):
    assert all(compare(kind, size, seed) for seed in range(10))


@pytest.mark.parametrize("size", [50, 254])
@pytest.mark.parametrize("kind", HARD)
def test_adversarial_networks_are_planned_as_well_or_the_plan_says_how_far_off_it_is(kind, size):
    compare(kind, size, 0)


@pytest.mark.soak
@pytest.mark.parametrize("kind", EASY)
@pytest.mark.parametrize("size", [50, 100, 175, 254])
def test_many_more_ordinary_networks_agree_with_the_solver(kind, size):
    assert all(compare(kind, size, seed) for seed in range(100, 140))


@pytest.mark.soak
@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("size", [50, 100, 254])
def test_many_more_adversarial_networks_do_not_contradict_the_solver(kind, size):
    for seed in range(100, 108):
        compare(kind, size, seed)
