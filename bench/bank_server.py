"""The bank, or any node with the same command line, started and measured from outside.

Knows `serve`, the ready line and the wire; after every load of deposits it asks for BA
and compares, so that a fast node that forgets money yields no figure.
"""

import json
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.generator import Load, LoadResult, Target
from bench.processes import BANK_PORTS, LOOPBACK, Process, free_port, stopping
from bench.workbench import Measurement, Workbench

REPOSITORY = Path(__file__).resolve().parents[1]
NODE = (sys.executable, "-m", "bank_node")
NAIVE = (sys.executable, "-m", "bench.naive_bank")
READY_TIMEOUT_S = 60.0
ASK_TIMEOUT_S = 30.0
FILL_TIMEOUT_S = 300.0

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class RunningBank:
    process: Process
    target: Target
    ready_s: float
    deposited: int = 0

    def ask(self, line: str) -> str:
        """One command on a connection of its own, as a person at a socket would send it."""
        where = (self.target.host, self.target.port)
        with socket.create_connection(where, timeout=ASK_TIMEOUT_S) as connection:
            connection.sendall(line.encode() + b"\r\n")
            with connection.makefile("rb") as replies:
                return replies.readline().decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Bank:
    """How a node is started; the same for the real one and for the naive stand-in."""

    bench: Workbench
    name: str = "bank"
    command: Sequence[str] = (*NODE, "serve")
    settings: Settings = field(default_factory=dict)
    host: str = LOOPBACK

    @contextmanager
    def ready(self, load: Load) -> Iterator[Callable[[], Measurement]]:
        """As of a player."""
        with self.bench.scratch("bank") as data, self.running(data) as bank:
            self.open_accounts(bank)

            def measure() -> Measurement:
                result = self.load(bank, load)
                return Measurement(result.rate, asdict(result))

            yield measure

    @contextmanager
    def running(self, data: Path) -> Iterator[RunningBank]:
        port = free_port(BANK_PORTS, self.host)
        config = data / "bench_config.json"
        config.write_text(json.dumps(self._settings()))
        command: list[str | Path] = [*self.command, "--config", config, "--data", data]
        command += ["--host", self.host, "--port", str(port)]
        log = data / "bench.log"
        process = Process(command, log, stdout_is_piped=True, cwd=REPOSITORY)
        with stopping(process):
            line = process.read_line(READY_TIMEOUT_S)
            ready_s = time.perf_counter() - process.started_at_s
            if line != f"ready {self.host}:{port}":
                raise BenchError(f"`{shlex.join(self.command)}` printed {line!r}")
            target = Target("bank", self.host, port, data / "bench_accounts.txt")
            yield RunningBank(process, target, ready_s)

    def _settings(self) -> dict[str, dict[str, Any]]:
        """The settings, on a network of its own: no other bank of this machine is a neighbour."""
        mine = {section: dict(keys) for section, keys in self.settings.items()}
        mine.setdefault("network", {}).setdefault("subnets", [f"{self.host}/32"])
        return mine

    def open_accounts(self, bank: RunningBank, count: int | None = None) -> None:
        wanted = self.bench.accounts if count is None else count
        create = Load("ac", connections=16, in_flight=64, requests=wanted)
        accounts = bank.target.accounts
        accounts.touch()
        result = self.bench.generator.run(
            bank.target, create, seconds=FILL_TIMEOUT_S, replies=accounts
        )
        if result.acknowledged_total != wanted:
            raise BenchError(f"{result.acknowledged_total} of {wanted} accounts were opened")

    def deposit(self, bank: RunningBank, count: int) -> None:
        """Fills the history; nobody times it."""
        fill = Load("ad", connections=64, in_flight=64, requests=count)
        result = self.bench.generator.run(bank.target, fill, seconds=FILL_TIMEOUT_S)
        self._compare(bank, fill, result)

    def load(self, bank: RunningBank, load: Load, by: Target | None = None) -> LoadResult:
        """Loads a bank, or another one that carries the requests there."""
        result = self.bench.generator.run(
            by or bank.target, load, seconds=self.bench.seconds, warmup_s=self.bench.warmup_s
        )
        self._compare(bank, load, result)
        return result

    def _compare(self, bank: RunningBank, load: Load, result: LoadResult) -> None:
        if load.command != "ad":
            return
        bank.deposited += result.acknowledged_total
        reply = bank.ask("BA")
        if reply != f"BA {bank.deposited}":
            raise BenchError(f"{bank.deposited} deposits of 1 were acknowledged, but: {reply}")


def naive_bank(bench: Workbench) -> Bank:
    return Bank(bench, "our stand-in for a classic peer (bench/naive_bank.py)", NAIVE)
