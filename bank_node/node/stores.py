"""Which store the settings name, where it is, and how it is looked at from outside."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bank_node.banking.payments.records import check
from bank_node.config import LEDGER_FILE, Settings, data_folder
from bank_node.errors import StartupError
from bank_node.ledger.ownership import own
from bank_node.ledger.store import Store
from bank_node.node.machine import CLOCK, without_collector

if TYPE_CHECKING:
    from bank_node.ledger.archive import Archive
    from bank_node.ledger.migration import Target


def ledger_path(settings: Settings) -> Path:
    """Where the SQLite ledger of these settings is. Raises StartupError for another store."""
    url = settings.store.url
    if not url:
        return data_folder(settings) / LEDGER_FILE
    if is_shared(url):
        raise StartupError(
            "this is for a ledger in a file; copy one out of a database, and back, with "
            "`bank migrate`, or use the backup of the database"
        )
    return sqlite_path(url)


def sqlite_path(url: str) -> Path:
    """The file that a `sqlite:///` URL names; some write a fourth slash."""
    path = url.partition("://")[2].lstrip("/")
    return Path(path if sys.platform == "win32" else f"/{path}")


def is_shared(url: str) -> bool:
    """Whether a URL names a database that several nodes may serve."""
    return url.startswith("mysql://")


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Raises StartupError or CorruptLedger."""
    if not is_shared(settings.store.url):
        from bank_node.ledger.sqlite_store import SqliteStore

        with without_collector():
            return SqliteStore(ledger_path(settings))
    # The driver is loaded by those who use it.
    from bank_node.ledger.mysql_address import parse_address
    from bank_node.ledger.mysql_store import MysqlStore

    with without_collector():
        return MysqlStore(
            parse_address(settings.store.url),
            CLOCK,
            lambda: secrets.randbits(64),
            settings.network.timeout,
        )


def open_archive(settings: Settings) -> "Archive":
    """The ledger that the settings name, to be read and verified. Raises StartupError."""
    url = settings.store.url
    return archive_at(url) if is_shared(url) else _file_archive(ledger_path(settings))


def archive_at(url: str) -> "Archive":
    """The ledger at the URL of a store. Raises StartupError."""
    if not is_shared(url):
        return _file_archive(sqlite_path(url))
    from bank_node.ledger.mysql_address import parse_address
    from bank_node.ledger.mysql_archive import MysqlArchive

    return MysqlArchive(parse_address(url), CLOCK, check)


def _file_archive(path: Path) -> "Archive":
    from bank_node.ledger.sqlite_archive import SqliteArchive

    return SqliteArchive(path, check)


@contextmanager
def migration_ends(source: str, target: str) -> "Iterator[tuple[Archive, Target]]":
    """The two ends of a migration, by their URLs. No node serves a file of them meanwhile.

    Raises StartupError.
    """
    for url in (source, target):
        if not is_shared(url) and not url.startswith("sqlite:///"):
            raise StartupError("a store is sqlite:///path or mysql://user:password@host/database")
    with ExitStack() as stack:
        archive = archive_at(source)
        if not is_shared(source):
            archive.count_entries()
            stack.callback(own(sqlite_path(source)).release)
        yield archive, stack.enter_context(closing(_target_at(target)))


def _target_at(url: str) -> "Target":
    if is_shared(url):
        from bank_node.ledger.mysql_address import parse_address
        from bank_node.ledger.mysql_target import MysqlTarget

        return MysqlTarget(parse_address(url), CLOCK)
    from bank_node.ledger.sqlite_target import SqliteTarget

    return SqliteTarget(sqlite_path(url))
