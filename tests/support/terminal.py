"""A program in a pseudo terminal, typed to and read like by a person."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

DEADLINE_S = 30.0
PRESS_AGAIN_S = 3.0
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")


class Terminal:
    """A program in a pseudo terminal of 100x30."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Before the program looks: a size that changes while it starts may go unseen. Workers
            # of the suite have a size of their own in the environment, which would win.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            os.chdir(cwd)
            own = {key: env[key] for key in env.keys() - {"COLUMNS", "LINES"}}
            os.execve(command[0], list(command), {**own, "TERM": "xterm-256color"})
        self.drawn = b""

    def sees(self, text: str, *, pressing: str = "") -> None:
        """Waits until a text was drawn since the last one that was waited for.

        `pressing` is a key that does no harm when it is pressed again: a terminal that still
        starts may lose the first one, and a person would press it once more.
        """
        until, press_at = time.monotonic() + DEADLINE_S, 0.0
        while text not in ESCAPES.sub(b"", self.drawn).decode("utf-8", "replace"):
            now = time.monotonic()
            assert now < until, f"never: {text}\n{ESCAPES.sub(b'', self.drawn)[-3000:]!r}"
            if pressing and now >= press_at:
                self.types(pressing)
                press_at = now + PRESS_AGAIN_S
            if select.select([self.fd], [], [], 0.1)[0]:
                self.drawn += os.read(self.fd, 65_536)
        self.drawn = b""

    def types(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def exit_code(self) -> int:
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
