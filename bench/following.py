"""A follower at full load: how far behind it is, and what it costs to wait for it.

python -m bench.following
python -m bench.following --json FILE
"""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click

from bench import machine
from bench.bank_server import Bank, RunningBank
from bench.generator import Generator, Load
from bench.workbench import Workbench

REPOSITORY = Path(__file__).resolve().parents[1]
LAG_MS_MAX = 100.0
_SAMPLE_EVERY_S = 0.02
_CAUGHT_UP_S = 10.0

Settings = dict[str, dict[str, Any]]


class Sampler(threading.Thread):
    """Asks a follower again and again how far behind it is."""

    def __init__(self, bank: RunningBank) -> None:
        super().__init__()
        self._bank = bank
        self._stopping = threading.Event()
        self.lags_ms: list[float] = []
        self.lags_blocks: list[int] = []

    def run(self) -> None:
        height = 0
        where = (self._bank.target.host, self._bank.target.port)
        with socket.create_connection(where) as wire, wire.makefile("rb") as replies:
            while not self._stopping.wait(_SAMPLE_EVERY_S):
                wire.sendall(b"FS\r\n")
                state = json.loads(replies.readline().removeprefix(b"FS "))
                # What was told before is of blocks that came before the load.
                if state["height"] > height > 0:
                    self.lags_ms.append(state["lag_ms"])
                    self.lags_blocks.append(state["lag_blocks"])
                height = state["height"]

    def stop(self) -> None:
        self._stopping.set()
        self.join()


@contextmanager
def followed(bench: Workbench, leader: RunningBank, data: Path, folder: Path) -> Iterator[Sampler]:
    """A follower of a running bank, watched until the block ends."""
    shutil.copy(data / "identity.key", folder)
    address = f"{leader.target.host}:{leader.target.port}"
    settings = {"replication": {"follow": address}, **_QUIET}
    with Bank(bench, settings=settings).running(folder) as follower:
        wait_until_caught_up(leader, follower)
        sampler = Sampler(follower)
        sampler.start()
        try:
            yield sampler
        finally:
            sampler.stop()
        wait_until_caught_up(leader, follower)


def wait_until_caught_up(leader: RunningBank, follower: RunningBank) -> None:
    """Fails if the follower does not have the leader's total soon."""
    pause = threading.Event()
    for _ in range(int(_CAUGHT_UP_S / 0.05)):
        if follower.ask("BA") == leader.ask("BA") and follower.ask("BN") == leader.ask("BN"):
            return
        pause.wait(0.05)
    raise click.ClickException("the follower does not catch up")


_QUIET: Settings = {"network": {"scan_every": 0, "subnets": ["127.0.0.1/32"]}}


def measure(bench: Workbench, load: Load, *, has_follower: bool, wait_for: int) -> dict[str, Any]:
    """One load on a leader alone, or with a follower."""
    node = Bank(bench, settings={"replication": {"wait_for": wait_for}, **_QUIET})
    with bench.scratch("leader") as data, bench.scratch("follower") as folder:
        # Nothing could be acknowledged before the follower is there.
        plain = Bank(bench, settings=_QUIET)
        with plain.running(data) as bank:
            plain.open_accounts(bank)
        with node.running(data) as bank:
            if not has_follower:
                return {"rate": round(node.load(bank, load).rate)}
            with followed(bench, bank, data, folder) as sampler:
                rate = node.load(bank, load).rate
    lags = sorted(sampler.lags_ms)
    return {
        "rate": round(rate),
        "lag ms median": median(lags),
        "lag ms p99": lags[int(len(lags) * 0.99)],
        "lag ms max": lags[-1],
        "lag blocks median": median(sampler.lags_blocks),
        "samples": len(lags),
    }


@click.command()
@click.option("--seconds", default=5.0, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
def main(seconds: float, rounds: int, json_file: Path | None) -> None:
    """Measure a leader alone, with a follower, and waiting for it; exit code 1 above the bar."""
    folder = REPOSITORY / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    machine.require_disk(folder)
    bench = Workbench(
        Generator(folder), folder, seconds, 1.0, rounds, 10_000, lambda text: click.echo(text)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for in_flight in (1, 16):
            load = Load("ad", connections=64, in_flight=in_flight)
            for name, has_follower, wait_for in (
                ("alone", False, 0),
                ("followed", True, 0),
                ("waiting for one", True, 1),
            ):
                result = measure(bench, load, has_follower=has_follower, wait_for=wait_for)
                found.setdefault(f"64 x {in_flight}, {name}", []).append(result)
                bench.say(f"64 x {in_flight}, {name}: {result}")
    click.echo()
    for name, results in found.items():
        click.echo(f"{name}: {median(each['rate'] for each in results):,.0f}/s")
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1) + "\n")
    lags = [each["lag ms median"] for name in found if "followed" in name for each in found[name]]
    click.echo(f"lag at full load, median of medians: {median(lags)} ms (bar {LAG_MS_MAX:.0f} ms)")
    raise SystemExit(0 if median(lags) <= LAG_MS_MAX else 1)


if __name__ == "__main__":
    main()
