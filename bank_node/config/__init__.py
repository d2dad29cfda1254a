"""Settings: what they are, where each came from, and why a wrong one is refused.

Later wins: defaults, the JSON file, environment (`BANK_<SECTION>_<KEY>`), command line.
The room reads files and text; it never opens a store or a socket.
"""

from bank_node.config.folders import (
    EVIDENCE_FOLDER,
    EXPORT_FOLDER,
    HEADS_FILE,
    IDENTITY_FILE,
    KEYS_FILE,
    LEDGER_FILE,
    OFFICE_FILE,
    OPERATOR_ADDRESS_FILE,
    OPERATOR_TOKEN_FILE,
    PEERS_FILE,
    data_folder,
    log_folder,
)
from bank_node.config.keys import Key, keys
from bank_node.config.loading import (
    DEFAULT_FILE,
    DEFAULT_ORIGIN,
    Described,
    Effective,
    changed,
    load,
)
from bank_node.config.problems import SettingsError, masked
from bank_node.config.saving import save
from bank_node.config.settings import (
    Faults,
    Limits,
    Log,
    Network,
    Operator,
    Protocol,
    Replication,
    Robbery,
    Settings,
    Store,
)

__all__ = [
    "DEFAULT_FILE",
    "DEFAULT_ORIGIN",
    "EVIDENCE_FOLDER",
    "EXPORT_FOLDER",
    "HEADS_FILE",
    "IDENTITY_FILE",
    "KEYS_FILE",
    "LEDGER_FILE",
    "OFFICE_FILE",
    "OPERATOR_ADDRESS_FILE",
    "OPERATOR_TOKEN_FILE",
    "PEERS_FILE",
    "Described",
    "Effective",
    "Faults",
    "Key",
    "Limits",
    "Log",
    "Network",
    "Operator",
    "Protocol",
    "Replication",
    "Robbery",
    "Settings",
    "SettingsError",
    "Store",
    "changed",
    "data_folder",
    "keys",
    "load",
    "log_folder",
    "masked",
    "save",
]
