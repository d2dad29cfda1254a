"""Transfers and notes in the SQLite file: rows that lag behind the journal as those of accounts.

The row of an open one holds its record, that of a finished one only the entry which holds it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from bank_node.ledger.journal import records_at
from bank_node.ledger.records import Record, decode
from bank_node.ledger.sqlite_blocks import find_block

_WRITE_TRANSFERS = "INSERT OR REPLACE INTO transfers VALUES "
# Each row of these tables has few columns, and SQLite takes 32,766 values in a statement.
_ROWS_MAX = 4096
# A join has no list to sort and to look through, as the IN of a selection has.
_FIND = (
    "SELECT transfers.key, transfers.entry FROM json_each(?) AS wanted CROSS JOIN transfers "
    "WHERE transfers.key = wanted.value"
)


def write_transfers(connection: sqlite3.Connection, rows: Iterable[tuple[str, int, bytes]]) -> None:
    """Writes rows: key, entry, and the record of a transfer that is open."""
    write_rows(connection, _WRITE_TRANSFERS, list(rows))


def write_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[int | str | bytes, ...]]
) -> None:
    """Writes rows by a statement that ends with VALUES.

    They are one statement: the interpreter is free while it runs, and SQLite keeps it prepared
    where portions are of one size.
    """
    for start in range(0, len(rows), _ROWS_MAX):
        part = rows[start : start + _ROWS_MAX]
        marks = f"({', '.join('?' * len(part[0]))})"
        connection.execute(
            statement + ", ".join([marks] * len(part)), list(chain.from_iterable(part))
        )


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
        places.update(connection.execute(_FIND, (msgspec.json.encode(unplaced).decode(),)))
    return records_at(places, lambda entry: find_block(connection, entry, height))
