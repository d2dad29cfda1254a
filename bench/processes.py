"""Server processes: free ports, readiness, memory, an orderly end.

Knows the operating system and nothing of what the servers do.
"""

import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.errors import BenchError
from bench.memory import tree_rss_bytes

LOOPBACK = "127.0.0.1"
# The ports of the classic protocol come first, and they lie above Linux' ephemeral
# range, so that no outgoing connection of the load generator can take one.
BANK_PORTS = range(65525, 65536)
OTHER_PORTS = range(21000, 21500)
STOP_TIMEOUT_S = 30.0
POLL_S = 0.02


def free_port(candidates: Sequence[int], host: str = LOOPBACK) -> int:
    for port in candidates:
        with socket.socket() as probe:
            # Servers set this option too; without it a port in TIME_WAIT would look taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise BenchError(f"no port is free between {candidates[0]} and {candidates[-1]}")


class Process:
    """A running server whose output goes to a file that errors can quote."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        stdout_is_piped: bool = False,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = str(command[0])
        self.log = log
        self.started_at_s = time.perf_counter()
        with log.open("ab") as sink:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout_is_piped else sink,
                stderr=sink,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def read_line(self, timeout_s: float) -> str:
        """The next line of standard output; the bank announces itself with one."""
        stdout = self._child.stdout
        assert stdout is not None, "only a process with a piped stdout can be read"
        deadline_s = time.perf_counter() + timeout_s
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline_s - time.perf_counter())):
                    raise self.failure(f"said nothing for {timeout_s:g} s")
                piece = os.read(stdout.fileno(), 1024)
                if not piece:
                    raise self.failure("ended before it was ready")
                line += piece
        # A full pipe would stop a server that goes on talking.
        threading.Thread(target=self._drain, args=(stdout,), daemon=True).start()
        return line.decode(errors="replace").strip()

    def _drain(self, stdout: IO[bytes]) -> None:
        with stdout, self.log.open("ab") as sink:
            while piece := os.read(stdout.fileno(), 65536):
                sink.write(piece)

    def wait_for_port(self, port: int, timeout_s: float) -> None:
        deadline_s = time.perf_counter() + timeout_s
        while time.perf_counter() < deadline_s:
            if self._child.poll() is not None:
                raise self.failure("ended before it was ready")
            try:
                socket.create_connection((LOOPBACK, port), timeout=1).close()
                return
            except OSError:
                time.sleep(POLL_S)
        raise self.failure(f"did not listen within {timeout_s:g} s")

    def failure(self, what: str) -> BenchError:
        tail = self.log.read_text(errors="replace").strip().splitlines()[-5:]
        return BenchError("\n    ".join([f"{self.name} {what}", *tail]))

    def rss_bytes(self) -> int:
        """Resident memory of the process and all its descendants."""
        return tree_rss_bytes(self.pid)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self._child.poll() is None:
            self._child.send_signal(with_signal)
        try:
            self._child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise self.failure(f"did not stop within {STOP_TIMEOUT_S:g} s") from None


@contextmanager
def stopping(process: Process, with_signal: signal.Signals = signal.SIGTERM) -> Iterator[Process]:
    """Whatever happens inside, no server survives its measurement."""
    try:
        yield process
    finally:
        process.stop(with_signal)


def cpu_s(pid: int) -> float:
    """The processor time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
