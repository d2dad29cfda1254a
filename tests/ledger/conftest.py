"""The stores that the contract is tested on: a row here puts another one under the whole suite."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from ledger_model import Room

from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.store import Store
from bank_node.telemetry.clock import Clock


class Kind(NamedTuple):
    """How a store is opened on the room given to one test, and whether it outlives `close`."""

    open: Callable[[Path], Store]
    is_durable: bool


STORES = {
    "memory": Kind(lambda _: MemoryStore(), is_durable=False),
    "sqlite": Kind(lambda folder: SqliteStore(folder / "bank.db"), is_durable=True),
}


@pytest.fixture(params=STORES)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """A store of each kind in turn, empty, and closed after the test."""
    kind = STORES[request.param]
    room = Room(lambda: kind.open(tmp_path), kind.is_durable)
    yield room
    room.store.close()


@pytest.fixture
def durable_room(room: Room) -> Room:
    if not room.is_durable:
        pytest.skip("forgotten with the process")
    return room


@pytest.fixture
def clock() -> Clock:
    """Clocks that move by one at each look."""
    return Clock(count(1).__next__, count(1).__next__)
