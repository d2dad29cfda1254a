"""The composition root: the only package that knows every room.

It is also the only one that looks at the clock or draws random numbers; everybody else is handed
them.
"""

from bank_node.node.banks import own_code
from bank_node.node.machine import devote_process
from bank_node.node.node import NAME, Node
from bank_node.node.place import open_office
from bank_node.node.stores import (
    archive_at,
    ledger_path,
    migration_ends,
    open_archive,
    open_store,
)

__all__ = [
    "NAME",
    "Node",
    "archive_at",
    "devote_process",
    "ledger_path",
    "migration_ends",
    "open_archive",
    "open_office",
    "open_store",
    "own_code",
]
