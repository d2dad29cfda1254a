"""The transfers in the SQLite file: rows that lag behind the journal as the account rows do.

The row of an open transfer holds its record, that of a finished one only the entry which holds it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from bank_node.ledger.journal import transfers_at
from bank_node.ledger.sqlite_blocks import find_block
from bank_node.ledger.transfers import Transfer, decode

# One statement for all rows of a portion: the interpreter is free while it runs.
_WRITE_FINISHED = (
    "INSERT OR REPLACE INTO transfers SELECT value ->> 0, value ->> 1, x'' FROM json_each(?)"
)
_WRITE_OPEN = "INSERT OR REPLACE INTO transfers VALUES (?, ?, ?)"
_FIND = "SELECT key, entry FROM transfers WHERE key IN (SELECT value FROM json_each(?))"


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


def read_open(connection: sqlite3.Connection) -> Iterator[Transfer]:
    """The open transfers, each as of the entry that its row stands for."""
    rows = connection.execute("SELECT entry, record FROM transfers WHERE record != x''")
    return (decode(record, entry) for entry, record in rows)


def recall(
    connection: sqlite3.Connection, wanted: Mapping[str, int], height: int
) -> Iterator[Transfer]:
    """The finished transfers with these keys; see `state.Recall`. Looks up to a block height."""
    unplaced = [key for key, entry in wanted.items() if not entry]
    places = {key: entry for key, entry in wanted.items() if entry}
    if unplaced:
        places.update(connection.execute(_FIND, (json.dumps(unplaced),)))
    return transfers_at(places, lambda entry: find_block(connection, entry, height))
