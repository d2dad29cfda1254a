"""What is typed often starts quickly: no command loads a library that it has no use for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.nodes import some_host
from support.processes import Served, environment

# Each of them takes longer to load than the rest of the program together.
HEAVY = {"cryptography", "mysql", "numpy", "rich", "textual"}
# What a node is made of, and what neither a version nor a client of another bank needs.
NODE = {"bank_node.node", "bank_node.ledger", "bank_node.banking", "bank_node.service", "sqlite3"}

IMPORTED = re.compile(r"^import time:.*\| +(\S+)$", re.MULTILINE)


def imported(told: str) -> set[str]:
    found = set(IMPORTED.findall(told))
    assert "click" in found
    return found


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bank_node", *arguments],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_version_loads_neither_a_client_nor_a_node(tmp_path):
    ended = run(tmp_path, "--version")
    assert ended.returncode == 0
    assert not imported(ended.stderr) & (HEAVY | NODE | {"asyncio", "bank_node.network"})


def test_a_call_loads_no_node(tmp_path, served):
    host, port = served.address
    ended = run(tmp_path, "call", "--host", host, "--port", str(port), "BC")
    assert ended.stdout == f"BC {host}\n"
    assert not imported(ended.stderr) & (HEAVY | NODE)


def test_a_node_serves_before_it_has_loaded_what_it_may_never_need(tmp_path):
    host = some_host()
    # The first start makes the key of the bank, which takes the library for keys.
    with Served(tmp_path, host) as node:
        node.stop()
    with Served(tmp_path, host, PYTHONPROFILEIMPORTTIME="1") as node:
        assert node.ask("AC").startswith("AC ")
        node.terminate()
        code, told = node.ended()
    assert code == 0
    assert "bank_node.node" in imported(told)
    assert not imported(told) & HEAVY


@pytest.mark.parametrize("wrong", ["verfy", "main", "serve:serve"])
def test_a_command_that_does_not_exist_is_refused(tmp_path, wrong):
    ended = run(tmp_path, wrong)
    assert ended.returncode == 2
    assert f"No such command '{wrong}'" in ended.stderr
