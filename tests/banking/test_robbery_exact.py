"""The planner against every subset and against tables of all sums: nothing may be better."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robbery_oracle import (
    RANKS,
    best_of_all_subsets,
    best_of_all_sums,
    fewest_clients_by_table,
    network,
    rank_of,
    some_target,
)

from bank_node.banking.robbery import Bank, Plan, branch, closest, fewest, plan, sweep

BOTH = pytest.mark.parametrize("objective", list(RANKS))

AMOUNTS = (
    st.integers(0, 2**63 - 1)
    | st.integers(0, 9)
    | st.integers(0, 3).map(lambda tens: 10 * tens)
    | st.integers(2**63 - 9, 2**63 - 1)
)
CLIENTS = st.integers(0, 100_000) | st.integers(0, 3)


@st.composite
def networks(draw: st.DrawFn, banks_max: int) -> list[Bank]:
    """Few banks; often many of them are alike, empty, or without clients."""
    kinds = draw(st.lists(st.tuples(AMOUNTS, CLIENTS), min_size=1, max_size=banks_max))
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=banks_max))
    addresses = draw(st.permutations(range(len(chosen))))
    return [
        Bank(f"10.0.{address // 3}.{address * 7 % 256}", amount, clients)
        for address, (amount, clients) in zip(addresses, chosen, strict=True)
    ]


def reachable(data: st.DataObject, banks: list[Bank]) -> int:
    """Any target, or one that is a sum of some of the banks, or next to one."""
    total = sum(bank.amount for bank in banks)
    some = data.draw(st.lists(st.sampled_from(banks), unique=True))
    near = sum(bank.amount for bank in some) + data.draw(st.integers(-1, 1))
    return min(total, max(0, data.draw(st.integers(0, total) | st.just(near))))


def planned(banks: list[Bank], target: int, objective: str, **effort: int) -> Plan:
    found = plan(banks, target, objective, **effort)
    assert isinstance(found, Plan)
    assert found.amount == sum(bank.amount for bank in found.banks)
    assert found.clients == sum(bank.clients for bank in found.banks)
    assert set(found.banks) <= set(banks)
    return found


@BOTH
@given(st.data(), networks(banks_max=10))
@settings(max_examples=100)
def test_no_other_set_of_banks_is_better_down_to_the_last_tie_break(objective, data, banks):
    target = reachable(data, banks)
    found = planned(banks, target, objective)
    assert rank_of(found, objective) == best_of_all_subsets(banks, target, objective)
    assert (found.proven, found.clients_off_at_most, found.distance_off_at_most) == (True, 0, 0)


@BOTH
@given(st.data(), networks(banks_max=15))
@settings(max_examples=8)
def test_fifteen_banks_are_no_different(objective, data, banks):
    target = reachable(data, banks)
    found = planned(banks, target, objective)
    assert rank_of(found, objective) == best_of_all_subsets(banks, target, objective)


@BOTH
@given(st.data(), networks(banks_max=9))
@settings(max_examples=100)
def test_searches_cut_short_anywhere_tell_the_truth(objective, data, banks):
    """With limits so narrow that even few banks need every method meant for many."""
    target = reachable(data, banks)
    with pytest.MonkeyPatch.context() as patch:
        for module, name, values in NARROW:
            patch.setattr(module, name, data.draw(st.sampled_from(values), label=name))
        work_max = data.draw(st.sampled_from((0, 10, 100, 1000, 100_000)))
        found = planned(banks, target, objective, work_max=work_max)
    best = best_of_all_subsets(banks, target, objective)
    rank = rank_of(found, objective)
    assert rank >= best
    assert rank == best or not found.proven
    clients, distance = (0, 1) if objective == "fewest" else (1, 0)
    assert rank[clients] - found.clients_off_at_most <= best[clients]
    if rank[0] == best[0]:
        assert rank[1] <= best[1] + (found.distance_off_at_most, found.clients_off_at_most)[clients]
    if objective == "closest":
        assert rank[distance] - found.distance_off_at_most <= best[distance]


NARROW = (
    (branch, "DEVIATIONS_FIRST", (1, 2, 8)),
    (branch, "CORE_EXCESS", (1, 2, 4)),
    (branch, "CORE_MAX", (2, 6, 20)),
    (branch, "CORE_THIN", (2, 20)),
    (branch, "STATES_THIN", (1, 5)),
    (branch, "JOIN_MOVES", (1, 2, 4)),
    (branch, "WORK_TIES", (1, 50, 10**6)),
    (fewest, "WORK_EASY", (1, 5, 100)),
    (sweep, "STATES_MAX", (1, 3, 10, 10**5)),
    (closest, "SUMS_MAX", (1, 4)),
    (closest, "STRETCH_MOVES", (1, 2, 3)),
    (closest, "SUMS_KEPT", (1, 4, 8)),
    (closest, "CORE_MAX", (3, 20)),
    (closest, "DEVIATIONS_FIRST", (1, 3)),
)


@BOTH
@pytest.mark.parametrize("seed", range(8))
def test_forty_banks_with_few_different_sums_are_planned_down_to_the_last_tie_break(
    objective, seed
):
    rng = random.Random(seed)
    banks = network("coarse", 40, rng)
    target = some_target(banks, rng) + rng.choice((-1, 0, 0))
    found = planned(banks, max(1, target), objective)
    assert found.proven
    assert rank_of(found, objective) == best_of_all_sums(banks, max(1, target), objective)


@pytest.mark.parametrize("clients_max", [1, 3, 40])
@pytest.mark.parametrize("amount_max", [50, 2**63 - 1])
def test_a_hundred_banks_with_few_clients_harm_as_few_as_the_table_of_all_clients_says(
    clients_max, amount_max
):
    for seed in range(3):
        rng = random.Random(seed)
        banks = [
            Bank(address, rng.randint(0, amount_max), rng.randint(0, clients_max))
            for address in range(100)
        ]
        target = some_target(banks, rng)
        found = planned(banks, target, "fewest")
        assert found.clients == fewest_clients_by_table(banks, target)
        assert found.clients_off_at_most == 0
