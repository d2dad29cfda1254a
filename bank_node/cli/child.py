"""A bank as a child process: started, killed, stopped, started again in the same place."""

import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO

from bank_node.cli.around import environment
from bank_node.cli.ending import END, GROUP_OF_ITS_OWN
from bank_node.cli.program import program
from bank_node.errors import StartupError
from bank_node.network.client import Client

_STOP_S = 10.0
# A bank that was killed comes back after this pause, so that one can watch the others notice.
_BACK_AFTER_S = 10.0
_TIMEOUT_S = 5.0
_COMPLAINTS = 50


class Bank:
    """One child process that serves a bank, and is started again should it die."""

    def __init__(self, host: str, port: int, folder: Path, **variables: str) -> None:
        """`variables` are settings by the names of their environment variables."""
        self.host = host
        self.folder = folder
        self._command = [
            *program(),
            *("serve", "--host", host, "--port", str(port), "--data", str(folder)),
        ]
        subnet = host.rpartition(".")[0] + ".0/24"
        self._environment = environment() | {
            "BANK_NETWORK_SUBNETS": f'["{subnet}"]',
            "BANK_NETWORK_SCAN_EVERY": "10",
            "BANK_OPERATOR_PORT": "0",
            **variables,
        }
        self.port = port
        self.accounts: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._died_at: float | None = None

    def start(self) -> None:
        """Returns when it accepts. Raises StartupError."""
        if self._process is not None:
            self._close()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            # Ctrl+C is for the parent, which stops its banks in order.
            start_new_session=sys.platform != "win32",
            creationflags=GROUP_OF_ITS_OWN,
        )
        assert self._process.stdout is not None
        complaints = self._heard(self._process.stderr)
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            self._process.wait()
            self._hearing.join()
            why = "".join(complaints).strip().removeprefix("bank: ")
            raise StartupError(f"the bank {self.host} does not start: {why}")
        self.port = int(line.rpartition(":")[2])
        self._died_at = None

    def _heard(self, stream: IO[str] | None) -> deque[str]:
        """The last lines of a stream, which is read so that its pipe never fills up."""
        lines: deque[str] = deque(maxlen=_COMPLAINTS)

        def hear() -> None:
            assert stream is not None
            with suppress(ValueError):
                lines.extend(stream)

        self._hearing = threading.Thread(target=hear, daemon=True)
        self._hearing.start()
        return lines

    def looks_dead(self) -> bool:
        """Whether its process has ended."""
        return self._process is not None and self._process.poll() is not None

    def revive(self, now: float) -> str | None:
        """Starts it again some time after it died; what there is to tell about that."""
        if not self.looks_dead():
            return None
        if self._died_at is None:
            self._died_at = now
            return f"{self.host} has died, it comes back in {_BACK_AFTER_S:.0f} s"
        if now - self._died_at < _BACK_AFTER_S:
            return None
        self.start()
        return f"{self.host} is back"

    def send(self, number: int) -> None:
        """Sends its process a signal, if there is one."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Ends it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def stop(self) -> None:
        """Ends it in order, or at least for sure."""
        process = self._process
        if process is None:
            return
        process.send_signal(END)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._close()

    def _close(self) -> None:
        assert self._process is not None
        self._hearing.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def client(self) -> Client:
        """A connection to it. Raises Unreachable."""
        return Client(self.host, self.port, _TIMEOUT_S)
