"""What several nodes on one ledger do in tests."""

import time

from ledger_model import book

from bank_node.errors import (
    Conflict,
)
from bank_node.ledger.book import decide
from bank_node.ledger.journal import seal
from bank_node.ledger.mysql_address import parse_address
from bank_node.ledger.mysql_archive import MysqlArchive
from bank_node.telemetry.clock import Clock

CLOCK = Clock(lambda: time.time_ns() // 1000, time.monotonic_ns)


def verified(url):
    return MysqlArchive(parse_address(url), CLOCK).verify(lambda _entries: None)


def until_booked(store, *operations):
    """One batch as the writer books it against others: again until it fits."""
    while True:
        try:
            return book(store, *operations)
        except Conflict:
            pass


def pending(store, *operations):
    state = store.fork(operations)
    results = [decide(state, operation) for operation in operations]
    return results, state, seal(store.head, state.entries, 1)
