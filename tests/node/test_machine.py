"""What a node asks of the machine."""

from threading import Thread

from bank_node.node.machine import Chance


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
