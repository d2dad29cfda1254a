"""A ring of the last items: numbered without gaps, honest about what a slow reader lost."""

from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.telemetry.ring import Ring


@pytest.fixture
def ring():
    return Ring(5)


def numbers(page):
    return [number for number, _ in page.items]


def test_an_empty_ring_has_nothing_and_a_cursor(ring):
    assert ring.read(None, 10) == ring.read(0, 10) == ([], 0, 0)


def test_items_are_numbered_from_1_and_read_from_a_cursor(ring):
    ring.add("abc")
    assert ring.read(0, 2) == ([(1, "a"), (2, "b")], 2, 0)
    assert ring.read(2, 2) == ([(3, "c")], 3, 0)
    assert ring.read(3, 2) == ([], 3, 0)


def test_without_a_cursor_the_newest_come(ring):
    ring.add("abcdefg")
    assert ring.read(None, 2) == ([(6, "f"), (7, "g")], 7, 0)
    assert numbers(ring.read(None, 100)) == [3, 4, 5, 6, 7]


def test_a_slow_reader_is_told_what_it_lost(ring):
    ring.add("abcdefg")
    assert ring.read(0, 2) == ([(3, "c"), (4, "d")], 4, 2)
    assert ring.read(4, 9).lost == 0


def test_a_cursor_of_an_earlier_node_is_no_cursor(ring):
    ring.add("ab")
    assert ring.read(900, 9) == ([(1, "a"), (2, "b")], 2, 0)
    assert ring.has_news(900)


def test_news_are_items_behind_the_cursor(ring):
    assert not ring.has_news(0)
    ring.add("a")
    assert ring.has_news(0)
    assert not ring.has_news(1)


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 12), st.data())
def test_whoever_reads_on_sees_everything_once_or_is_told_of_its_loss(adds, count, data):
    ring, total, cursor, seen, lost = Ring(10), 0, 0, [], 0
    for size in adds:
        ring.add(range(total + 1, total + size + 1))
        total += size
        if data.draw(st.booleans()):
            page = ring.read(cursor, count)
            assert all(number == item for number, item in page.items)
            seen += numbers(page)
            lost += page.lost
            cursor = page.next
    while items := ring.read(cursor, count).items:
        page = ring.read(cursor, count)
        assert items == page.items
        seen += numbers(page)
        lost += page.lost
        cursor = page.next
    assert seen == sorted(set(seen))
    assert len(seen) + lost == total == cursor


def test_items_of_many_threads_get_numbers_of_their_own():
    ring = Ring(100_000)
    threads = [
        Thread(target=lambda n=n: [ring.add([(n, i)]) for i in range(2000)]) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = ring.read(0, 100_000)
    assert numbers(page) == list(range(1, 8001))
    for n in range(4):
        assert [i for _, (m, i) in page.items if m == n] == list(range(2000))
