"""The stores that the contract is tested on: a row here puts another one under the whole suite."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ledger_model import FIRST_NUMBER, Room
from support.mariadb import open_store

from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.mysql_store import MysqlStore
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.store import Store
from bank_node.telemetry.clock import Clock


class Kind(NamedTuple):
    """How a store is opened on the room given to one test, and whether it outlives `close`.

    `place` makes what `open` is called with.
    """

    place: Callable[[pytest.FixtureRequest], Any]
    open: Callable[[Any], Store]
    is_durable: bool


def _folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue("tmp_path")
    return folder


def _database(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue("mariadb")
    url: str = server.url(server.new_database())
    return url


STORES = {
    "memory": Kind(lambda _: None, lambda _: MemoryStore(), is_durable=False),
    "sqlite": Kind(_folder, lambda folder: SqliteStore(folder / "bank.db"), is_durable=True),
    "mysql": Kind(_database, open_store, is_durable=True),
}


@pytest.fixture(params=STORES)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    """A store of each kind in turn, empty, and closed after the test."""
    kind = STORES[request.param]
    place = kind.place(request)
    room = Room(lambda: kind.open(place), kind.is_durable)
    yield room
    room.store.close()


@pytest.fixture
def few_numbers(monkeypatch: pytest.MonkeyPatch) -> range:
    """The account numbers of a bank that is soon full, whichever store keeps it."""
    numbers = range(FIRST_NUMBER, FIRST_NUMBER + 500)
    monkeypatch.setattr("bank_node.ledger.state.ACCOUNT_MAX", numbers[-1])
    return numbers


@pytest.fixture
def durable_room(room: Room) -> Room:
    if not room.is_durable:
        pytest.skip("forgotten with the process")
    return room


@pytest.fixture
def clock() -> Clock:
    """Clocks that move by one at each look."""
    return Clock(count(1).__next__, count(1).__next__)


@pytest.fixture
def database(mariadb: Any) -> str:
    """The name of an empty database."""
    name: str = mariadb.new_database()
    return name


@pytest.fixture
def url(mariadb: Any, database: str) -> str:
    address: str = mariadb.url(database)
    return address


@pytest.fixture
def node(url: str) -> Iterator[Callable[..., MysqlStore]]:
    """Opens stores on one ledger; all of them are closed after the test."""
    with ExitStack() as stack:

        def open_node(timeout_s: float = 5.0, where: str = url) -> MysqlStore:
            return stack.enter_context(closing(open_store(where, timeout_s)))

        yield open_node
