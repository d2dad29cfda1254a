"""The blocks in the SQLite file: how they are written, read and found."""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator

from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, head_of

INSERT_BLOCK = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT_BLOCKS = (
    "SELECT height, previous_hash, root, time_us, first_entry, body, hash, attached FROM blocks"
)


def read_blocks(connection: sqlite3.Connection, after_height: int = 0) -> Iterator[Block]:
    """The stored blocks above a height, in order."""
    query = f"{_SELECT_BLOCKS} WHERE height > ? ORDER BY height"
    return map(Block._make, connection.execute(query, (after_height,)))


def find_block(connection: sqlite3.Connection, entry: int, height_max: int) -> Block | None:
    """The last block up to a height that begins at or before an entry.

    Searched by halves over the heights: an index of entries would make every commit cost more.
    """
    query = "SELECT first_entry FROM blocks WHERE height = ?"
    height = bisect_right(
        range(1, height_max + 1), entry, key=lambda n: connection.execute(query, (n,)).fetchone()[0]
    )
    row = connection.execute(f"{_SELECT_BLOCKS} WHERE height = ?", (height,)).fetchone()
    return Block._make(row) if row else None


def tail(connection: sqlite3.Connection, sequence: int) -> Iterator[Block]:
    """The blocks that hold entries after a sequence number."""
    newest_first = connection.execute(f"{_SELECT_BLOCKS} ORDER BY height DESC")
    newest = []
    for row in newest_first:
        block = Block._make(row)
        if block.last_entry <= sequence:
            break
        newest.append(block)
    return reversed(newest)


def last_head(connection: sqlite3.Connection) -> Head:
    row = connection.execute(f"{_SELECT_BLOCKS} ORDER BY height DESC LIMIT 1").fetchone()
    return head_of(Block._make(row)) if row else EMPTY_HEAD
