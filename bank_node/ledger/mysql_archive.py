"""A MySQL ledger as an archive: verified and read while its nodes go on serving."""

from collections.abc import Iterator
from contextlib import contextmanager

from bank_node.errors import CorruptLedger, StartupError, StoreError
from bank_node.ledger.archive import CheckNote, Progress, any_note
from bank_node.ledger.audit import Report, readable, verify
from bank_node.ledger.book import Account
from bank_node.ledger.journal import Block
from bank_node.ledger.mysql_address import Address
from bank_node.ledger.mysql_link import Beaten, Link, Lost
from bank_node.ledger.mysql_reading import (
    last_head,
    read_anchor,
    read_blocks,
    read_rows,
    read_transfer_rows,
    restore,
)
from bank_node.ledger.mysql_schema import require
from bank_node.ledger.state_reads import open_accounts
from bank_node.telemetry.clock import Clock

# Whoever looks at a ledger from outside has no client waiting for a reply.
OUTSIDE_TIMEOUT_S = 150.0


class MysqlArchive:
    """The ledger in a database."""

    def __init__(self, address: Address, clock: Clock, check_note: CheckNote = any_note) -> None:
        self._check_note = check_note
        self._address = address
        self._clock = clock

    def __str__(self) -> str:
        return str(self._address)

    @contextmanager
    def _reading(self) -> Iterator[Link]:
        link = Link(self._address, self._clock, OUTSIDE_TIMEOUT_S)
        try:
            require(link)
            yield link
        except StoreError as error:
            raise StartupError(f"the database cannot be read: {error}") from None
        except (Lost, Beaten) as error:
            raise CorruptLedger(f"the ledger cannot be read: {error}") from None
        finally:
            link.close()

    def count_entries(self) -> int:
        with self._reading() as link:
            return last_head(link).sequence

    def verify(self, progress: Progress) -> Report:
        with self._reading() as link:
            # In this order the rows are complete up to the anchor and never ahead of the blocks,
            # although nodes go on writing all three.
            anchor = read_anchor(link)
            rows, transfers = read_rows(link), read_transfer_rows(link)
            last = last_head(link)
            blocks = readable(read_blocks(link, 0, last.height), Lost)
            return verify(blocks, rows, transfers, anchor, progress, self._check_note)

    def accounts(self) -> list[Account]:
        with self._reading() as link:
            return open_accounts(restore(link)[0])

    def journal(self, after_height: int = 0) -> Iterator[Block]:
        with self._reading() as link:
            yield from readable(read_blocks(link, after_height, last_head(link).height), Lost)
