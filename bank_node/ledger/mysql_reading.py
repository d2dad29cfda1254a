"""Reading a MySQL ledger: its blocks in pages, and the state that a start begins with."""

from collections.abc import Iterator

from bank_node.errors import CorruptLedger
from bank_node.ledger import book
from bank_node.ledger.audit import Anchor, Row
from bank_node.ledger.book import CASH, Account, FreeNumbers, State
from bank_node.ledger.journal import EMPTY_HEAD, Block, Head, head_of
from bank_node.ledger.mysql_link import Link
from bank_node.ledger.mysql_schema import (
    SELECT_ANCHOR,
    SELECT_ROWS,
    block_of,
    select_blocks,
    select_last_block,
    select_news,
)

# Blocks fetched at once: many small ones fill a packet, and of large ones a few are enough.
_PAGE_BLOCKS = 64
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


def read_news(link: Link, last: Head) -> list[Block] | None:
    """Some of the blocks that follow the last one known; None if that one is not there any more.

    More may follow them.
    """
    page = [block_of(row) for row in link.rows(select_news(last.height, _PAGE_BLOCKS))]
    if last.height == 0:
        return page
    if not page or (page[0].height, page[0].hash) != (last.height, last.hash):
        return None
    return page[1:]


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


def restore(link: Link) -> tuple[State, Head, int, dict[int, int]]:
    """State and head of a stored ledger: its rows plus the blocks after them.

    Also returns the entry up to which the rows are complete, and which accounts changed after
    it, each with its last entry. The anchor is read before the rows and the rows before the
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
    changed: dict[int, int] = {}
    for block in read_blocks(link, anchor.height, head.height):
        for sequence, entry in block.entries():
            client = entry.credit or entry.debit
            changed[client] = sequence
            # Rows that were written later than the anchor hold this entry already.
            if sequence > max(anchor.sequence, up_to.get(client, 0)):
                book.apply(accounts, entry, sequence)
    state = State(dict(accounts), FreeNumbers(accounts))
    state.clients = len(accounts)
    state.cash = -sum(account.balance for account in accounts.values())
    state.sequence = head.sequence
    return state, head, anchor.sequence, changed
