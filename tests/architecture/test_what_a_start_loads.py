"""What a node loads before it serves: everybody who starts one waits for each module."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What only some nodes need, or what a node needs only once somebody asks for it.
LATER = (
    "aiohttp",
    "bank_node.banking.robbery.planner",
    "bank_node.ledger.audit",
    "bank_node.ledger.migration",
    "bank_node.ledger.mysql_store",
    "cryptography",
    "mysql",
    "rich",
    "shutil",
    "textual",
    "zoneinfo",
)
SCRIPT = (
    "import json, sys, bank_node.cli.serve, bank_node.node, bank_node.ledger.sqlite_store; "
    "print(json.dumps(sorted(sys.modules)))"
)


def test_a_node_that_starts_loads_nothing_that_it_may_never_need():
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    loaded = json.loads(told.stdout)
    assert not set(LATER).intersection(loaded)
