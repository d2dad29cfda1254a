"""The folders of a node, and what the files in its data folder are called."""

import os
from pathlib import Path
from typing import Final

from bank_node.config.settings import Settings

LEDGER_FILE: Final = "bank.db"
IDENTITY_FILE: Final = "identity.key"
OFFICE_FILE: Final = "office.json"
OPERATOR_TOKEN_FILE: Final = "operator.token"  # noqa: S105 - the name of the file
OPERATOR_ADDRESS_FILE: Final = "operator.address"
"""Where the operator's port is told that was taken in the end, as `host:port`."""
PEERS_FILE: Final = "peers.json"
KEYS_FILE: Final = "keys.json"
HEADS_FILE: Final = "heads.json"
EVIDENCE_FOLDER: Final = "evidence"
EXPORT_FOLDER: Final = "export"


def data_folder(settings: Settings) -> Path:
    """Where the node keeps its files. The folder is not created here."""
    if settings.data:
        return _at_home(settings.data)
    from platformdirs import user_data_dir  # A named folder needs no knowledge of the system.

    return Path(user_data_dir("bank-node", appauthor=False))


def log_folder(settings: Settings) -> Path:
    """Where the log files are."""
    if settings.log.folder:
        return _at_home(settings.log.folder)
    return data_folder(settings) / "log"


def _at_home(text: str) -> Path:
    # Path.expanduser raises for `~nobody`, which may just as well be the name of a folder.
    return Path(os.path.expanduser(text))
