"""Thousands of histories of banks that crash and wires that lose, each from one seed."""

import pytest
from transfer_sim import World


def live(seed: int, seconds: float = 40.0) -> World:
    world = World(seed, banks=2 + seed % 3)
    clock, draws = world.clock, world.draws
    moment = 0.0
    while moment < seconds:
        moment += draws.expovariate(4)
        clock.after(moment, world.order)
    moment = 0.0
    while moment < seconds:
        moment += draws.expovariate(0.3)
        clock.after(moment, world.mischief)
    world.run(seconds)
    world.heal()
    world.run(90)
    return world


@pytest.mark.parametrize("seed", range(24))
def test_no_history_loses_or_makes_money_and_all_end(seed):
    world = live(seed)
    world.check()
    world.assert_all_is_resolved()


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(100, 140))
def test_many_more_histories(hundred):
    for seed in range(hundred * 100, hundred * 100 + 100):
        try:
            world = live(seed)
            world.check()
            world.assert_all_is_resolved()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
