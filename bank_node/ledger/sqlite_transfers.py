"""Transfers and notes in the SQLite file: rows that lag behind the journal as those of accounts.

The row of an open one holds its record, that of a finished one only the entry which holds it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from bank_node.ledger.journal import records_at
from bank_node.ledger.records import Record, decode
from bank_node.ledger.sqlite_blocks import find_block

# One statement for all rows of a portion: the interpreter is free while it runs.
_WRITE_FINISHED = (
    "INSERT OR REPLACE INTO transfers SELECT value ->> 0, value ->> 1, x'' FROM json_each(?)"
)
_WRITE_OPEN = "INSERT OR REPLACE INTO transfers VALUES (?, ?, ?)"
# A join has no list to sort and to look through, as the IN of a selection has.
_FIND = (
    "SELECT transfers.key, transfers.entry FROM json_each(?) AS wanted CROSS JOIN transfers "
    "WHERE transfers.key = wanted.value"
)


def write_transfers(connection: sqlite3.Connection, rows: Iterable[tuple[str, int, bytes]]) -> None:
    """Writes rows: key, entry, and the record of a transfer that is open."""
    finished, still_open = [], []
    for row in rows:
        if row[2]:
            still_open.append(row)
        else:
            finished.append(row[:2])
    connection.execute(_WRITE_FINISHED, (json.dumps(finished),))
    if still_open:
        connection.executemany(_WRITE_OPEN, still_open)


def read_open(connection: sqlite3.Connection) -> Iterator[Record]:
    """The open transfers and notes, each as of the entry that its row stands for."""
    rows = connection.execute("SELECT entry, record FROM transfers WHERE record != x''")
    return (decode(record, entry) for entry, record in rows)


def recall(
    connection: sqlite3.Connection, wanted: Mapping[str, int], height: int
) -> Iterator[Record]:
    """Finished transfers and notes; see `state.Recall`. Looks up to a block height."""
    unplaced = [key for key, entry in wanted.items() if not entry]
    places = {key: entry for key, entry in wanted.items() if entry}
    if unplaced:
        places.update(connection.execute(_FIND, (json.dumps(unplaced),)))
    return records_at(places, lambda entry: find_block(connection, entry, height))
