"""The tables of a MySQL ledger, their version, and the statements on them.

Plain tables only: no triggers, procedures, foreign keys or generated numbers, so that MySQL,
MariaDB, Galera and TiDB do the same with them.
"""

from collections.abc import Iterable

from bank_node.errors import StartupError
from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.journal import Block
from bank_node.ledger.mysql_link import Link

# Migration n leads from schema version n to n + 1. A released one never changes. Two nodes may
# run one at the same time, and a killed node may leave one half done, so every statement must be
# one that can be run again.
MIGRATIONS: tuple[tuple[bytes, ...], ...] = (
    (
        b"CREATE TABLE IF NOT EXISTS bank_blocks ("
        b" height BIGINT NOT NULL PRIMARY KEY, previous_hash BINARY(32) NOT NULL,"
        b" root BINARY(32) NOT NULL, time_us BIGINT NOT NULL, first_entry BIGINT NOT NULL,"
        b" body LONGBLOB NOT NULL, hash BINARY(32) NOT NULL, attached LONGBLOB NOT NULL,"
        b" offer BIGINT NOT NULL,"
        b" KEY by_entry (first_entry))",
        b"CREATE TABLE IF NOT EXISTS bank_accounts ("
        b" number BIGINT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL,"
        b" last_entry BIGINT NOT NULL, is_open BIGINT NOT NULL)",
        # Finished transfers have an empty record: the entry says where to find it.
        b"CREATE TABLE IF NOT EXISTS bank_transfers ("
        b" name VARBINARY(64) NOT NULL PRIMARY KEY, entry BIGINT NOT NULL,"
        b" is_open BIGINT NOT NULL, record LONGBLOB NOT NULL, KEY by_open (is_open))",
        b"CREATE TABLE IF NOT EXISTS bank_snapshot ("
        b" one BIGINT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL, height BIGINT NOT NULL,"
        b" hash BINARY(32) NOT NULL)",
        b"CREATE TABLE IF NOT EXISTS bank_turn (one BIGINT NOT NULL PRIMARY KEY)",
        b"INSERT IGNORE INTO bank_snapshot VALUES (1, 0, 0, x'" + b"00" * 32 + b"')",
        b"INSERT IGNORE INTO bank_turn VALUES (1)",
    ),
)
_CREATE_FACTS = (
    b"CREATE TABLE IF NOT EXISTS bank_facts ("
    b" name VARCHAR(32) NOT NULL PRIMARY KEY, value BIGINT NOT NULL)"
)
_SELECT_VERSION = b"SELECT value FROM bank_facts WHERE name = 'schema version'"
_SELECT_UNFINISHED = b"SELECT value FROM bank_facts WHERE name = 'unfinished migration'"

_COLUMNS = b"height, previous_hash, root, time_us, first_entry, body, hash, attached"
_INSERT = b"INSERT INTO bank_blocks (" + _COLUMNS + b", offer)"
_BLOCK = b"%d, x'%b', x'%b', %d, %d, x'%b', x'%b', x'%b', %d"


def migrate(link: Link) -> None:
    """Brings the tables up to date. Raises StartupError, and what the link raises."""
    link.execute(_CREATE_FACTS)
    version = _version(link)
    if version > len(MIGRATIONS):
        raise StartupError(
            f"the ledger is of schema version {version}, this program knows {len(MIGRATIONS)}; "
            "use a newer one"
        )
    for target, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            link.execute(statement)
        link.execute(
            b"INSERT INTO bank_facts VALUES ('schema version', %d) "
            b"ON DUPLICATE KEY UPDATE value = GREATEST(value, %d)" % (target, target)
        )


def require(link: Link) -> None:
    """Raises StartupError unless the tables are there, in the version that this program knows."""
    tables = link.rows(b"SHOW TABLES LIKE 'bank\\_facts'")
    version = _version(link) if tables else 0
    if version == 0:
        raise StartupError("there is no ledger in this database")
    if version != len(MIGRATIONS):
        raise StartupError(f"the ledger is of schema version {version}, start it once first")


def _version(link: Link) -> int:
    rows = link.rows(_SELECT_VERSION)
    return int(rows[0][0]) if rows else 0


def is_unfinished(link: Link) -> bool:
    """Whether a ledger is being copied into these tables, and not all of it is there."""
    return bool(link.rows(_SELECT_UNFINISHED))


def mark_unfinished(link: Link) -> None:
    link.execute(b"INSERT IGNORE INTO bank_facts VALUES ('unfinished migration', 1)")


def mark_finished(link: Link) -> None:
    link.execute(b"DELETE FROM bank_facts WHERE name = 'unfinished migration'")


def insert_blocks(blocks: Iterable[Block], offer: int = 0) -> bytes:
    """The statement that adds blocks. The primary key lets only one block have each height.

    `offer` is the random number by which a writer recognises its own: two nodes may well come to
    the same block, byte for byte, from different requests.
    """
    rows = b", ".join(b"(" + _literal(block, offer) + b")" for block in blocks)
    return _INSERT + b" VALUES " + rows


def insert_after_last(block: Block, offer: int, *, in_turn: bool) -> bytes:
    """The statement that adds a block if the one before it is there; a transaction of its own.

    It changes no row if the ledger has lost the block that this one continues. `in_turn` makes
    it wait for a node that is in the middle of a batch.
    """
    statement = _INSERT + b" SELECT " + _literal(block, offer)
    statement += b" FROM bank_turn AS turn"
    if block.height > 1:
        statement += b" JOIN bank_blocks AS last ON last.height = %d AND last.hash = x'%b'" % (
            block.height - 1,
            _hex(block.previous_hash),
        )
    return statement + b" WHERE turn.one = 1" + (b" FOR UPDATE" if in_turn else b"")


def select_blocks(after_height: int, up_to_height: int, limit: int) -> bytes:
    return (
        b"SELECT " + _COLUMNS + b" FROM bank_blocks WHERE height > %d AND height <= %d "
        b"ORDER BY height LIMIT %d" % (after_height, up_to_height, limit)
    )


def select_news(last_height: int, limit: int, *, in_turn: bool) -> bytes:
    """The block of this height without its body, and those that follow it with theirs.

    `in_turn` waits until no other node is in the middle of a batch, and keeps the others waiting
    until the end of the transaction. Where there is no block at all it finds one of NULLs.
    """
    columns = _COLUMNS.replace(b"body", b"IF(height > %d, body, '')" % last_height)
    end = b" ORDER BY height LIMIT %d" % limit
    if not in_turn:
        return b"SELECT " + columns + b" FROM bank_blocks WHERE height >= %d" % last_height + end
    return (
        b"SELECT " + columns + b" FROM bank_turn LEFT JOIN bank_blocks ON height >= %d"
        b" WHERE one = 1" % last_height + end + b" FOR UPDATE"
    )  # fmt: skip


def select_block_of(entry: int) -> bytes:
    """The last block that begins with this entry or before it."""
    return (
        b"SELECT "
        + _COLUMNS
        + (b" FROM bank_blocks WHERE first_entry <= %d ORDER BY first_entry DESC LIMIT 1" % entry)
    )


def select_offer(height: int) -> bytes:
    return b"SELECT offer FROM bank_blocks WHERE height = %d" % height


SELECT_HEIGHT = b"SELECT COALESCE(MAX(height), 0) FROM bank_blocks"


def select_last_block() -> bytes:
    return b"SELECT " + _COLUMNS + b" FROM bank_blocks ORDER BY height DESC LIMIT 1"


# Some hundreds of account rows in one text: the driver takes eight times as long for as many rows.
SELECT_ROWS = (
    b"SELECT GROUP_CONCAT(number, ' ', balance, ' ', last_entry, ' ', is_open SEPARATOR ' ') "
    b"FROM bank_accounts GROUP BY number DIV 512"
)
SELECT_TRANSFERS = b"SELECT name, entry, record FROM bank_transfers"
SELECT_OPEN_TRANSFERS = b"SELECT entry, record FROM bank_transfers WHERE is_open = 1"
SELECT_ANCHOR = b"SELECT sequence, height, hash FROM bank_snapshot WHERE one = 1"


def write_rows(rows: Iterable[Row]) -> bytes:
    """The statement that writes account rows, each only if it is newer than what is there.

    Several nodes may carry the snapshot forward at the same time.
    """
    values = b", ".join(b"(%d, %d, %d, %d)" % row for row in rows)
    # The entry comes last: assignments are made from left to right and compare with the old one.
    return (
        b"INSERT INTO bank_accounts (number, balance, last_entry, is_open) VALUES " + values +
        b" ON DUPLICATE KEY UPDATE"
        b" balance = IF(VALUES(last_entry) > last_entry, VALUES(balance), balance),"
        b" is_open = IF(VALUES(last_entry) > last_entry, VALUES(is_open), is_open),"
        b" last_entry = GREATEST(VALUES(last_entry), last_entry)"
    )  # fmt: skip


def select_transfers(keys: Iterable[str]) -> bytes:
    """The entries that the rows of transfers with these keys stand for."""
    names = b", ".join(b"x'%b'" % _hex(key.encode()) for key in keys)
    return b"SELECT name, entry FROM bank_transfers WHERE name IN (" + names + b")"


def write_transfers(rows: Iterable[TransferRow]) -> bytes:
    """The statement that writes rows of transfers, each only if it is newer than what is there."""
    values = b", ".join(
        b"(x'%b', %d, %d, x'%b')"
        % (_hex(row.key.encode()), row.entry, bool(row.record), _hex(row.record))
        for row in rows
    )
    return (
        b"INSERT INTO bank_transfers (name, entry, is_open, record) VALUES " + values +
        b" ON DUPLICATE KEY UPDATE"
        b" is_open = IF(VALUES(entry) > entry, VALUES(is_open), is_open),"
        b" record = IF(VALUES(entry) > entry, VALUES(record), record),"
        b" entry = GREATEST(VALUES(entry), entry)"
    )  # fmt: skip


def move_anchor(anchor: Anchor) -> bytes:
    """The statement that says up to where the account rows are complete; it never goes back."""
    return (
        b"UPDATE bank_snapshot SET hash = x'%b', height = %d, sequence = %d "
        b"WHERE one = 1 AND sequence < %d"
        % (_hex(anchor.hash), anchor.height, anchor.sequence, anchor.sequence)
    )


def block_of(row: tuple[object, ...]) -> Block:
    """A block as `select_blocks` returns it."""
    return Block._make(bytes(v) if isinstance(v, bytearray) else v for v in row)


def _literal(block: Block, offer: int) -> bytes:
    return _BLOCK % (
        block.height,
        _hex(block.previous_hash),
        _hex(block.root),
        block.time_us,
        block.first_entry,
        _hex(block.body),
        _hex(block.hash),
        _hex(block.attached),
        offer,
    )


def _hex(data: bytes) -> bytes:
    return data.hex().encode("ascii")
