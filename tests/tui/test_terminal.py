"""The real thing in a terminal: `bank` alone, an account, a deposit, and nothing is left."""

import json
import os
import re
import select
import struct
import sys
import time

import pytest
from support.nodes import some_host
from support.processes import environment

pty = pytest.importorskip("pty", reason="there are no pseudo terminals here")
fcntl = pytest.importorskip("fcntl", reason="there are no pseudo terminals here")
termios = pytest.importorskip("termios", reason="there are no pseudo terminals here")

DEADLINE_S = 30.0
PRESS_AGAIN_S = 3.0
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")


class Terminal:
    """A program in a pseudo terminal of 100x30."""

    def __init__(self, *arguments, cwd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Before the program looks: a size that changes while it starts may go unseen. Workers
            # of the suite have a size of their own in the environment, which would win.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            os.chdir(cwd)
            own = environment(TERM="xterm-256color", BANK_OPERATOR_PORT="0")
            own = {key: own[key] for key in own.keys() - {"COLUMNS", "LINES"}}
            os.execve(sys.executable, [sys.executable, "-m", "bank_node", *arguments], own)
        self.drawn = b""

    def sees(self, text, *, pressing=""):
        """Waits until a text was drawn since the last one that was waited for.

        `pressing` is a key that does no harm when it is pressed again: a terminal that still
        starts may lose the first one, and a person would press it once more.
        """
        until = time.monotonic() + DEADLINE_S
        while text not in ESCAPES.sub(b"", self.drawn).decode("utf-8", "replace"):
            left = until - time.monotonic()
            assert left > 0, f"never: {text}\n{ESCAPES.sub(b'', self.drawn)[-3000:]!r}"
            self.types(pressing)
            patience = min(left, PRESS_AGAIN_S) if pressing else left
            while select.select([self.fd], [], [], patience)[0]:
                self.drawn += os.read(self.fd, 65_536)
                patience = 0
        self.drawn = b""

    def types(self, text):
        os.write(self.fd, text.encode())

    def exit_code(self):
        """Takes what is drawn until the program ends."""
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    if not os.read(self.fd, 65_536):
                        break
                except OSError:
                    break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_stranger_opens_an_account_deposits_and_leaves(tmp_path):
    data = tmp_path / "data"
    settings = {
        "network": {"host": some_host(), "port": 0, "subnets": []},
        "data": str(data),
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    terminal = Terminal(cwd=tmp_path)
    terminal.sees("serving")
    terminal.sees("opens an account", pressing="2")
    terminal.types("o")
    terminal.sees("Open an account")
    terminal.types("y")
    terminal.sees("is open.")
    terminal.types("d")
    terminal.sees("Deposit to")
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
