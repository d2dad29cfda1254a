"""What a node asks of the machine."""

import gc
from threading import Thread

import pytest

from bank_node.node.machine import Chance, without_collector


@pytest.fixture
def collector():
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


def test_no_number_is_drawn_twice_by_threads_that_draw_at_once():
    chance = Chance()
    drawn: list[list[int]] = [[] for _ in range(4)]

    def draw(numbers: list[int]) -> None:
        numbers.extend(chance() for _ in range(2_000))

    threads = [Thread(target=draw, args=(numbers,)) for numbers in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [number for numbers in drawn for number in numbers]
    assert len(set(every)) == 8_000
    assert all(0 <= number < 2**64 for number in every)


@pytest.mark.usefixtures("collector")
def test_the_collector_goes_on_after_work_without_it_even_if_that_fails():
    during = []

    def fail():
        during.append(gc.isenabled())
        raise ValueError

    with pytest.raises(ValueError), without_collector():
        fail()
    assert during == [False]
    assert gc.isenabled()


@pytest.mark.usefixtures("collector")
def test_a_collector_that_was_off_stays_off():
    gc.disable()
    with without_collector():
        pass
    assert not gc.isenabled()
