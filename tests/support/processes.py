"""The program as people start it: real processes of `python -m bank_node`."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from support.spawning import PROGRAM, spawn
from support.wire import Address, Wire

ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0
_RUN_S = 180.0


def environment(**variables: str) -> dict[str, str]:
    """The environment of the tests without anybody's own BANK_* settings."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("BANK_")}
    return {**own, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **variables}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet buried does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def run_bank(
    *arguments: object, cwd: Path, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `bank` with these arguments to its end."""
    command = [*PROGRAM, *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with spawn(command, cwd=cwd, env=environment(**(env or {})), **pipes) as process:
        try:
            told = process.communicate(stdin, timeout=_RUN_S)
        except BaseException:
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, *told)


class Served:
    """A `bank serve` process that has said that it is ready; killed when the block ends."""

    program: Sequence[str] = PROGRAM
    environment = staticmethod(environment)

    def __init__(
        self,
        data: Path,
        host: str,
        *options: object,
        port: int = 0,
        prefix: Sequence[str] = (),
        **variables: str,
    ) -> None:
        """`prefix` is a command that runs the rest of its line, such as `ip netns exec NAME`."""
        self.data = data
        self.host = host
        data.mkdir(parents=True, exist_ok=True)
        # Other banks on this machine are no neighbours, unless a test says so.
        alone = {"BANK_NETWORK_SUBNETS": f'["{host}/32"]'}
        command = ["serve", "--data", data, "--host", host, "--port", port, *options]
        self.process = spawn(
            [*prefix, *self.program, *map(str, command)],
            cwd=data,
            env=self.environment(**(alone | variables)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.ready_line = self._first_line()
        self.address = self._address()

    def _first_line(self) -> str:
        assert self.process.stdout
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=lambda: lines.put(self.process.stdout.readline()))
        reader.start()
        try:
            return lines.get(timeout=_START_S)
        except queue.Empty:
            self.process.kill()
            raise AssertionError("the node is not ready") from None
        finally:
            reader.join()

    def _address(self) -> Address:
        word, _, address = self.ready_line.strip().partition(" ")
        if word != "ready":
            _, told = self.process.communicate(timeout=_START_S)
            raise AssertionError(f"the node did not start: {self.ready_line!r} {told}")
        host, _, port = address.rpartition(":")
        return host, int(port)

    def wire(self, *, deadline_s: float = 10.0) -> Wire:
        return Wire(self.address, deadline_s=deadline_s)

    def ask(self, command: str) -> str:
        """One command over a connection of its own, and its reply."""
        with self.wire() as wire:
            return wire.ask(command)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self, deadline_s: float = 15.0) -> tuple[int, str]:
        """Waits for the end of the process: its exit code and what it wrote to stderr."""
        _, told = self.process.communicate(timeout=deadline_s)
        return self.process.returncode, told

    def stop(self) -> None:
        """The orderly end, which must be silent."""
        self.terminate()
        assert self.ended() == (0, "")

    def kill(self) -> None:
        """The end that asks nobody: SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=15)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
