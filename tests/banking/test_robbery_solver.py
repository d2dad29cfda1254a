"""The planner against an outside solver (HiGHS) on networks of 50 to 254 banks."""

import random
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from robbery_oracle import fewest_clients_by_solver, network, some_target

from bank_node.banking.robbery import Plan, plan

EASY = ("unrelated", "small", "correlated", "even but one", "coarse")
HARD = ("proportional", "strongly correlated", "inversely correlated")
# The solver hardly ever finds the answer for these in the second that it has.
HARDEST = ("nearly proportional",)


@pytest.fixture(scope="module")
def compare() -> Callable[[str, int, int], bool]:
    """Loads the solver, which is big, only where it is asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solver = pytest.importorskip("scipy.optimize", reason="HiGHS comes with scipy").milp
    return partial(compared, solver)


def compared(milp: Callable[..., Any], kind: str, size: int, seed: int) -> bool:
    """False when the plan harms more than the solver's; a solver without an answer is not asked.

    Whatever the plan says about itself must be true in any case.
    """
    rng = random.Random(f"{kind} {size} {seed}")
    banks = network(kind, size, rng)
    target = some_target(banks, rng)
    found = plan(banks, target, work_max=1_500_000)
    assert isinstance(found, Plan)
    expected = fewest_clients_by_solver(milp, banks, target)
    if expected is None:
        return True
    assert found.clients - found.clients_off_at_most <= expected
    assert found.clients <= expected or not found.proven
    return found.clients <= expected


@pytest.mark.parametrize("size", [50, 120, 254])
@pytest.mark.parametrize("kind", EASY)
def test_ordinary_networks_are_always_planned_as_well_as_by_the_solver(compare, kind, size):
    assert all(compare(kind, size, seed) for seed in range(4))


@pytest.mark.parametrize("size", [50, 254])
@pytest.mark.parametrize("kind", HARD)
def test_what_a_plan_of_an_adversarial_network_says_of_itself_agrees_with_the_solver(
    compare, kind, size
):
    compare(kind, size, 0)


@pytest.mark.soak
@pytest.mark.parametrize("kind", EASY)
@pytest.mark.parametrize("size", [50, 100, 175, 254])
def test_many_more_ordinary_networks_are_planned_as_well_as_by_the_solver(compare, kind, size):
    assert all(compare(kind, size, seed) for seed in range(100, 140))


@pytest.mark.soak
@pytest.mark.parametrize("kind", HARD + HARDEST)
@pytest.mark.parametrize("size", [50, 100, 254])
def test_what_plans_of_many_adversarial_networks_say_agrees_with_the_solver(compare, kind, size):
    for seed in range(100, 108):
        compare(kind, size, seed)
