"""A MySQL database that a ledger is copied into."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bank_node.errors import StartupError, StoreError
from bank_node.ledger.archive import Archive
from bank_node.ledger.audit import Anchor, Row, TransferRow
from bank_node.ledger.journal import Block, Head
from bank_node.ledger.mysql_address import Address
from bank_node.ledger.mysql_archive import OUTSIDE_TIMEOUT_S, MysqlArchive
from bank_node.ledger.mysql_link import Beaten, Link, Lost
from bank_node.ledger.mysql_reading import last_head
from bank_node.ledger.mysql_schema import (
    insert_blocks,
    is_unfinished,
    mark_finished,
    mark_unfinished,
    migrate,
    move_anchor,
    write_rows,
    write_transfers,
)
from bank_node.telemetry.clock import Clock

_ROWS_AT_ONCE = 8192


class MysqlTarget:
    """See the module. A mark in the database keeps nodes away until everything is there."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._link = Link(address, clock, OUTSIDE_TIMEOUT_S)

    @contextmanager
    def _writing(self) -> Iterator[Link]:
        try:
            yield self._link
        except (StoreError, Lost, Beaten) as error:
            raise StartupError(
                f"{self._address} cannot be written, run the same migration again: {error}"
            ) from None

    def begin(self) -> Head:
        with self._writing() as link:
            migrate(link)
            head = last_head(link)
            if head.height and not is_unfinished(link):
                raise StartupError(f"there is a ledger in {self._address}, name an empty database")
            mark_unfinished(link)
            return head

    def add(self, blocks: Sequence[Block]) -> None:
        with self._writing() as link:
            link.execute(insert_blocks(blocks))

    def finish(self, rows: Sequence[Row], transfers: Sequence[TransferRow], anchor: Anchor) -> None:
        with self._writing() as link:
            for first in range(0, len(rows), _ROWS_AT_ONCE):
                link.execute(write_rows(rows[first : first + _ROWS_AT_ONCE]))
            for first in range(0, len(transfers), _ROWS_AT_ONCE):
                link.execute(write_transfers(transfers[first : first + _ROWS_AT_ONCE]))
            link.execute(move_anchor(anchor))

    def copied(self) -> Archive:
        return MysqlArchive(self._address, self._clock)

    def publish(self) -> None:
        with self._writing() as link:
            mark_finished(link)

    def close(self) -> None:
        self._link.close()
