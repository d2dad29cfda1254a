"""Which store the settings name, and where it is."""

import sys
from pathlib import Path

from bank_node.config import Settings, data_folder
from bank_node.errors import StartupError
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.store import Store


def ledger_path(settings: Settings) -> Path:
    """Where the SQLite ledger of these settings is. Raises StartupError for another store."""
    url = settings.store.url
    if not url:
        return data_folder(settings) / "bank.db"
    scheme, _, path = url.partition("://")
    if scheme != "sqlite":
        raise StartupError(f"the store {scheme}:// is not available, use sqlite:///path")
    return Path(path.removeprefix("/") if sys.platform == "win32" else path)


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Raises StartupError or CorruptLedger."""
    return SqliteStore(ledger_path(settings))
