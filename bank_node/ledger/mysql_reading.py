"""Reading a MySQL ledger: its blocks in pages, and the state that a start begins with."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bank_node.errors import CorruptLedger
from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.book import CASH, Account, State
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, head_of, records_at
from bank_node.ledger.mysql_link import Link
from bank_node.ledger.mysql_schema import (
    SELECT_ANCHOR,
    SELECT_OPEN_TRANSFERS,
    SELECT_ROWS,
    SELECT_TRANSFERS,
    block_of,
    select_block_of,
    select_blocks,
    select_last_block,
    select_news,
    select_transfers,
)
from bank_node.ledger.records import Record, decode
from bank_node.ledger.recovery import Recovery

# Blocks fetched at once: many small ones fill a packet, and of large ones a few are enough.
_PAGE_BLOCKS = 64
# Keys looked up at once.
_PAGE_KEYS = 512
_HEIGHT_MAX = 2**63 - 1


def read_blocks(link: Link, after_height: int, up_to_height: int = _HEIGHT_MAX) -> Iterator[Block]:
    """The blocks above a height, in order. Raises what the link raises."""
    while after_height < up_to_height:
        page = link.rows(select_blocks(after_height, up_to_height, _PAGE_BLOCKS))
        for row in page:
            block = block_of(row)
            yield block
            after_height = block.height
        if len(page) < _PAGE_BLOCKS:
            return


class News(NamedTuple):
    """Blocks that follow the last one known."""

    blocks: list[Block]
    is_all: bool
    """Whether no more were there at that moment."""


def read_news(link: Link, last: Head, *, in_turn: bool) -> News | None:
    """What other nodes have added; None if the last block known is not there any more.

    `in_turn` waits until no other node is in the middle of a batch, and keeps the others waiting.
    """
    rows = link.rows(select_news(last.height, _PAGE_BLOCKS, in_turn=in_turn))
    page = [block_of(row) for row in rows if row[0] is not None]
    is_all = len(rows) < _PAGE_BLOCKS
    if last.height == 0:
        return News(page, is_all)
    if not page or (page[0].height, page[0].hash) != (last.height, last.hash):
        return None
    return News(page[1:], is_all)


def read_anchor(link: Link) -> Anchor:
    sequence, height, hash_ = link.rows(SELECT_ANCHOR)[0]
    return Anchor(sequence, height, bytes(hash_))


def read_rows(link: Link) -> list[Row]:
    rows: list[Row] = []
    for (text,) in link.rows(SELECT_ROWS):
        columns = [iter(map(int, text.split()))] * len(Row._fields)
        rows += map(Row._make, zip(*columns, strict=True))
    return rows


def last_head(link: Link) -> Head:
    """The end of the stored chain."""
    rows = link.rows(select_last_block())
    return head_of(block_of(rows[0])) if rows else EMPTY_HEAD


def restore(link: Link) -> tuple[State, Head, int, dict[int | str, int]]:
    """State and head of a stored ledger: its rows plus the blocks after them.

    Also returns the entry up to which the rows are complete, and what changed after it, each
    with its last entry. The anchor is read before the rows and the rows before the
    blocks, so that whatever other nodes write meanwhile, the rows are never ahead of the blocks.
    Raises CorruptLedger when they do not fit together; hashes are the business of `verify`.
    """
    anchor = read_anchor(link)
    rows = read_rows(link)
    accounts = {
        row.number: Account(row.number, row.balance, row.last_entry)
        for row in rows
        if row.is_open and row.number != CASH
    }
    up_to = {row.number: row.last_entry for row in rows if row.last_entry > anchor.sequence}
    head = last_head(link)
    if head.height < anchor.height or head.sequence < max(up_to.values(), default=0):
        raise CorruptLedger("the end of the journal is missing", height=head.height + 1)
    recovery = Recovery(accounts, read_open(link), anchor.sequence, up_to)
    for block in read_blocks(link, anchor.height, head.height):
        recovery.replay(block)
    return recovery.state(head.sequence), head, anchor.sequence, recovery.changed()


def read_open(link: Link) -> list[Record]:
    """The open transfers and notes, each as of the entry that its row stands for."""
    return [decode(bytes(record), entry) for entry, record in link.rows(SELECT_OPEN_TRANSFERS)]


def read_transfer_rows(link: Link) -> list[TransferRow]:
    return [
        TransferRow(bytes(name).decode(), entry, bytes(record))
        for name, entry, record in link.rows(SELECT_TRANSFERS)
    ]


def recall(
    ask: Callable[[bytes], list[tuple[Any, ...]]], wanted: Mapping[str, int]
) -> Iterator[Record]:
    """Finished transfers and notes; see `state.Recall`. `ask` returns the rows of a query."""
    places = {key: entry for key, entry in wanted.items() if entry}
    unplaced = [key for key, entry in wanted.items() if not entry]
    for first in range(0, len(unplaced), _PAGE_KEYS):
        page = unplaced[first : first + _PAGE_KEYS]
        found = ask(select_transfers(page))
        places |= {bytes(name).decode(): entry for name, entry in found}
    return records_at(places, lambda entry: block_of(ask(select_block_of(entry))[0]))
