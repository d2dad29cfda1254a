"""Redis as a peer: the append-only file, synced before every reply.

Knows the switches of redis-server; the load is the generator's own.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.errors import NotInstalledError
from bench.generator import Load, Target
from bench.processes import LOOPBACK, OTHER_PORTS, Process, free_port, stopping
from bench.workbench import Measurement, Workbench

READY_TIMEOUT_S = 30.0
FILL_TIMEOUT_S = 60.0
# The lowest account number, so that keys are as long as the accounts of the bank.
KEY_FIRST = 10000


def find_redis() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


class Redis:
    name = "Redis, appendfsync always"

    def __init__(self, bench: Workbench) -> None:
        binary = find_redis()
        if binary is None:
            raise NotInstalledError("Redis", "apt install redis-server")
        self._binary = binary
        self._bench = bench

    @contextmanager
    def ready(self, load: Load) -> Iterator[Callable[[], Measurement]]:
        """As of a player."""
        with self._bench.scratch("redis") as folder, self._running(folder) as target:
            # Every key exists before the clock starts, as every account does in the bank.
            fill = Load(
                "incrby",
                connections=16,
                in_flight=64,
                requests=self._bench.accounts,
                sequential=True,
            )
            self._bench.generator.run(target, fill, seconds=FILL_TIMEOUT_S)

            def measure() -> Measurement:
                result = self._bench.generator.run(
                    target, load, seconds=self._bench.seconds, warmup_s=self._bench.warmup_s
                )
                return Measurement(result.rate, asdict(result))

            yield measure

    @contextmanager
    def _running(self, folder: Path) -> Iterator[Target]:
        port = free_port(OTHER_PORTS)
        command: list[str | Path] = [self._binary, "--bind", LOOPBACK, "--port", str(port)]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        # A rewrite of the file in the middle of a measurement would only slow the peer down.
        command += ["--auto-aof-rewrite-percentage", "0", "--dir", folder]
        with stopping(Process(command, folder / "redis.log")) as process:
            process.wait_for_port(port, READY_TIMEOUT_S)
            keys = folder / "keys.txt"
            last = KEY_FIRST + self._bench.accounts
            keys.write_text("".join(f"{key}/{LOOPBACK}\n" for key in range(KEY_FIRST, last)))
            yield Target("resp", LOOPBACK, port, keys)
