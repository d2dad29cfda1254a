"""The rules of a robbery plan that need no search: nothing to do, nothing possible, bad input."""

import random
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robbery_oracle import KINDS, RANKS, network, some_target

from bank_node.banking.robbery import Bank, Plan, Unreachable, greedy_plan, plan

BOTH = pytest.mark.parametrize("objective", list(RANKS))
EVERY_PLANNER = pytest.mark.parametrize(
    "planner",
    [plan, greedy_plan, lambda banks, target: plan(banks, target, "closest")],
    ids=["fewest", "greedy", "closest"],
)
A, B, C = (Bank(f"10.1.2.{last}", 100 * last, last) for last in (3, 9, 10))


@EVERY_PLANNER
def test_a_target_of_nothing_needs_no_bank(planner):
    for banks in ([], [A, B], [Bank("10.0.0.1", 5, 0)]):
        found = planner(banks, 0)
        assert (found.banks, found.amount, found.clients) == ((), 0, 0)


@EVERY_PLANNER
def test_a_target_above_all_money_is_told_what_the_network_holds(planner):
    assert planner([A, B], 1201) == Unreachable(1201, 1200)
    assert planner([], 1) == Unreachable(1, 0)
    assert planner([Bank("10.0.0.1", 0, 50)], 1) == Unreachable(1, 0)


@EVERY_PLANNER
def test_all_money_needs_all_banks_that_have_any(planner):
    assert planner([C, A, Bank("10.9.9.9", 0, 0), B], 2200).banks == (A, B, C)


@EVERY_PLANNER
def test_sums_go_beyond_64_bits(planner):
    banks = [Bank(number, 2**63 - 1, 1) for number in range(5)]
    found = planner(banks, 5 * (2**63 - 1) - 0)
    assert found.amount == 5 * (2**63 - 1)
    assert planner(banks, 5 * 2**63) == Unreachable(5 * 2**63, 5 * (2**63 - 1))


@EVERY_PLANNER
def test_a_negative_target_and_two_banks_with_one_address_are_errors(planner):
    with pytest.raises(ValueError, match="negative"):
        planner([A], -1)
    with pytest.raises(ValueError, match=r"10\.1\.2\.3"):
        planner([A, B, Bank((10 << 24) + (1 << 16) + (2 << 8) + 3, 1, 1)], 1)


def test_an_unknown_objective_is_an_error():
    with pytest.raises(ValueError, match="richest"):
        plan([A], 1, "richest")


@pytest.mark.parametrize(
    "address", ["10.1.2", "10.1.2.3.4", "10.1.2.256", "10.1.2.-3", "10.1.2.3:65525", "", "a", -1]
)
def test_an_address_is_four_numbers_or_one_number(address):
    with pytest.raises(ValueError, match="address"):
        Bank(address, 1, 1)


@pytest.mark.parametrize(("amount", "clients"), [(-1, 0), (2**63, 0), (0, -1), (0, 2**63)])
def test_absurd_numbers_are_refused(amount, clients):
    with pytest.raises(ValueError, match=r"10\.0\.0\.1"):
        Bank("10.0.0.1", amount, clients)


def test_values_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        A.amount = 5


def test_fewest_prefers_few_clients_then_a_small_sum_then_few_banks_then_small_addresses():
    def chosen(*banks: tuple[int, int], target: int) -> list[int]:
        found = plan([Bank(i, *numbers) for i, numbers in enumerate(banks)], target)
        return [bank.number for bank in found.banks]

    assert chosen((100, 9), (40, 4), (60, 4), target=100) == [1, 2]
    assert chosen((100, 9), (60, 4), (60, 5), target=100) == [0]
    assert chosen((60, 4), (60, 5), (120, 9), target=100) == [2]
    assert chosen((60, 5), (60, 5), (60, 5), target=100) == [0, 1]


def test_closest_prefers_a_near_sum_on_either_side_then_few_clients():
    def chosen(*banks: tuple[int, int], target: int) -> list[int]:
        found = plan([Bank(i, *numbers) for i, numbers in enumerate(banks)], target, "closest")
        return [bank.number for bank in found.banks]

    assert chosen((100, 1), (94, 9), target=95) == [1]
    assert chosen((105, 3), (95, 2), target=100) == [1]
    assert chosen((105, 2), (95, 2), target=100) == [0]
    assert chosen((30, 1), (40, 1), target=10) == []


def test_addresses_are_compared_as_numbers():
    found = plan([Bank("10.0.0.10", 5, 1), Bank("10.0.0.9", 5, 1)], 5)
    assert [bank.address for bank in found.banks] == ["10.0.0.9"]


@BOTH
def test_banks_without_money_are_never_robbed_and_banks_without_clients_cost_nobody(objective):
    found = plan([Bank(1, 0, 0), Bank(2, 0, 9), Bank(3, 50, 0), Bank(4, 50, 3)], 50, objective)
    assert [bank.number for bank in found.banks] == [3]
    assert found.clients == 0


@BOTH
@pytest.mark.parametrize("kind", list(KINDS))
def test_the_order_of_the_banks_does_not_matter(objective, kind):
    rng = random.Random(7)
    banks = network(kind, 60, rng)
    target = some_target(banks, rng)
    first = plan(banks, target, objective, work_max=100_000)
    for _ in range(2):
        rng.shuffle(banks)
        assert plan(iter(banks), target, objective, work_max=100_000) == first


def test_addresses_as_text_and_as_numbers_make_the_same_plan():
    rng = random.Random(3)
    banks = network("coarse", 50, rng)
    dotted = [
        Bank(".".join(str(b) for b in bank.number.to_bytes(4)), bank.amount, bank.clients)
        for bank in banks
    ]
    target = some_target(banks, rng)
    first, second = plan(banks, target), plan(dotted, target)
    assert [bank.number for bank in first.banks] == [bank.number for bank in second.banks]


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), min_size=1, max_size=30), st.data()
)
def test_greedy_reaches_the_target_and_never_harms_fewer_than_the_plan(numbers, data):
    banks = [Bank(i, *pair) for i, pair in enumerate(numbers)]
    target = data.draw(st.integers(0, sum(bank.amount for bank in banks)))
    greedy, exact = greedy_plan(banks, target), plan(banks, target)
    assert isinstance(greedy, Plan)
    assert isinstance(exact, Plan)
    assert greedy.amount >= target
    assert greedy.clients >= exact.clients
    assert greedy.clients - greedy.clients_off_at_most <= exact.clients


def test_greedy_takes_the_most_money_for_each_client_first():
    assert greedy_plan([Bank(1, 90, 9), Bank(2, 50, 1), Bank(3, 90, 8)], 60).banks == (
        Bank(2, 50, 1),
        Bank(3, 90, 8),
    )
