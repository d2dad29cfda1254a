"""The real thing in a terminal: `bank` alone, an account, a deposit, and nothing is left."""

import json
import os
import sys

import pytest
from support.nodes import some_host
from support.processes import environment

pytest.importorskip("pty", reason="there are no pseudo terminals here")

from support.terminal import Terminal


def _started(folder, data):
    settings = {
        "network": {"host": some_host(), "port": 0, "subnets": []},
        "data": str(data),
    }
    (folder / "config.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "bank_node"]
    terminal = Terminal(command, cwd=folder, env=environment(BANK_OPERATOR_PORT="0"))
    terminal.sees("serving")
    return terminal


def test_who_closes_the_window_ends_the_console_and_its_bank(tmp_path):
    data = tmp_path / "data"
    terminal = _started(tmp_path, data)
    os.close(terminal.fd)
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 1
    assert _processes_of(data) == []


def test_a_stranger_opens_an_account_deposits_and_leaves(tmp_path):
    data = tmp_path / "data"
    terminal = _started(tmp_path, data)
    terminal.sees("There is no account yet", pressing="2")
    terminal.types("o")
    terminal.sees("Open an account")
    terminal.types("y")
    terminal.sees("is open.")
    # On a slow machine the row of the account comes later; the form takes digits only.
    terminal.sees("Deposit to", pressing="d")
    terminal.types("500\r")
    terminal.sees("Deposit 500?")
    terminal.types("y")
    terminal.sees("it is on disk")
    terminal.types("q")
    assert terminal.exit_code() == 0
    assert _processes_of(data) == []


def _processes_of(data):
    """Processes that still have the ledger open."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        try:
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if any(file.startswith(str(data)) for file in files):
            found.append(pid)
    return found
