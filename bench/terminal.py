"""`bank tui` in a pseudo terminal: what it draws and when, what is pressed, what it takes.

Knows terminals and processes; never what a screen shows.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError

REPOSITORY = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 120, 40
_READ_BYTES = 65_536


class NeverDrawnError(BenchError):
    """A console that did not show what it should."""


class Terminal:
    """One console and the terminal that it runs in."""

    def __init__(self, pid: int, terminal: int) -> None:
        self.pid = pid
        self._terminal = terminal
        self._began = time.perf_counter()

    def drawn(self, text: bytes, within_s: float) -> float:
        """Milliseconds from the start until a text was drawn. Raises NeverDrawnError."""
        seen = b""
        while text not in seen:
            left = within_s - (time.perf_counter() - self._began)
            if left < 0 or not select.select([self._terminal], [], [], left)[0]:
                raise NeverDrawnError(f"the console never draws {text.decode()}")
            seen = seen[-100:] + os.read(self._terminal, _READ_BYTES)
        return (time.perf_counter() - self._began) * 1000

    def read_for(self, seconds: float) -> None:
        """Takes what is drawn, as a terminal does."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if not self._read(left):
                return

    def press(self, key: bytes, within_s: float) -> float:
        """Milliseconds from a key until something is drawn; all of `within_s` if nothing is."""
        self.read_for(0.05)
        began = time.perf_counter()
        os.write(self._terminal, key)
        select.select([self._terminal], [], [], within_s)
        return (time.perf_counter() - began) * 1000

    @contextmanager
    def halted(self) -> Iterator[None]:
        """A console that gets no processor: it asks for nothing and draws nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def awake(self, catch_up_s: float) -> Iterator[None]:
        """Lets a halted console go on; the block begins when it has caught up."""
        os.kill(self.pid, signal.SIGCONT)
        try:
            self.read_for(catch_up_s)
            yield
        finally:
            os.kill(self.pid, signal.SIGSTOP)

    def cpu_s(self) -> float:
        """The processor time that the console has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """The resident memory of the console."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def _read(self, within_s: float) -> bool:
        if select.select([self._terminal], [], [], within_s)[0]:
            try:
                os.read(self._terminal, _READ_BYTES)
            except OSError:
                return False
        return True


@contextmanager
def console(bank: Sequence[str], data: Path) -> Iterator[Terminal]:
    """Starts the console of the node with this data folder; kills it in the end."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(REPOSITORY)
        os.environ["TERM"] = "xterm-256color"
        # An installed program is compiled, and so is this one from its second start on.
        for name in ("PYTHONDONTWRITEBYTECODE", "COLUMNS", "LINES"):
            os.environ.pop(name, None)
        command = [*bank, "tui", "--data", str(data)]
        os.execv(command[0], command)
    try:
        yield Terminal(pid, terminal)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
