"""What happened last, numbered, in bounded memory: writers never wait for readers.

A reader keeps a cursor, the number of the last item that it has seen. One that is too slow loses
the oldest items and is told how many; nobody is woken, so that writing costs the same whether
there are a hundred readers or none.
"""

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """Items with their numbers, oldest first."""

    items: list[tuple[int, Item]]
    next: int
    """The cursor to go on with."""
    lost: int
    """How many items after the cursor were gone before they could be read."""


class Ring(Generic[Item]):
    """The last items of a stream, numbered from 1."""

    def __init__(self, size: int) -> None:
        """Keeps the last `size` items."""
        self._items: deque[Any] = deque(maxlen=size)
        self._newest = 0
        # Held for an append or a copy, never while anything else is done.
        self._lock = Lock()

    @property
    def newest(self) -> int:
        """The number of the newest item; 0 before the first."""
        return self._newest

    def add(self, items: Sequence[Item]) -> None:
        """Takes items in, oldest first. From any thread."""
        with self._lock:
            self._items.extend(items)
            self._newest += len(items)

    def has_news(self, after: int | None) -> bool:
        """Whether `read` would find something for this cursor."""
        return after is not None and self._newest != after

    def read(self, after: int | None, count: int) -> Page[Item]:
        """At most `count` items behind a cursor; without one, the newest.

        A cursor from the future is one of a node that has been started again since: it is taken
        for none.
        """
        with self._lock:
            kept, newest = list(self._items), self._newest
        items = self._apart(kept)
        oldest = newest - len(items) + 1
        if after is None or after > newest:
            first = max(oldest, newest - count + 1)
            lost = 0
        else:
            first = max(oldest, after + 1)
            lost = first - after - 1
        page = items[first - oldest : first - oldest + count]
        return Page(list(enumerate(page, first)), first + len(page) - 1, lost)

    def _apart(self, kept: list[Any]) -> list[Item]:
        """The items of what is kept, outside of the lock."""
        return kept
