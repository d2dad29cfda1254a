"""The ledger in a shared database: one node, two nodes, a Galera cluster, and a naive client.

python -m bench.mysql
python -m bench.mysql --quick

Every deposit is durable on all sides; after each load the sum of the bank must be the number of
deposits that were acknowledged, whichever node is asked.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click

from bench import machine
from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError, NotInstalledError
from bench.generator import Generator, Load, LoadResult, Target
from bench.mariadb_server import MariaDb, cluster, find_mariadb, one_server, url
from bench.naive_mysql import naive_rate
from bench.processes import LOOPBACK
from bench.workbench import Workbench

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
CLIENTS = 64
BAR = 5.0
NAIVE, ONE_NODE = "naive", "mariadb"


@dataclass(slots=True)
class Setup:
    """What is measured: where the ledger is, and how many nodes serve it."""

    name: str
    what: str
    command: str = "ad"
    runs: list[dict[str, float]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(run["rate"] for run in self.runs)

    def line(self, naive: float) -> str:
        cells = [self.what, f"{self.rate:,.0f}/s"]
        cells.append(f"{self.rate / naive:.1f}x" if self.command == "ad" else "")
        for key in ("p50_us", "p99_us"):
            known = [run[key] for run in self.runs if key in run]
            cells.append(f"{median(known) / 1000:.1f} ms" if known else "")
        return "| " + " | ".join(cells) + " |\n"


def deposits(bench: Workbench, stores: Sequence[str], command: str = "ad") -> dict[str, float]:
    """The load of 64 connections, shared by a node for each of these stores."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(_node(bench, store)) for store in stores]
        bank, first = nodes[0]
        bank.open_accounts(first)
        load = Load(command, connections=CLIENTS // len(nodes))
        with ThreadPoolExecutor(len(nodes)) as together:
            results = list(together.map(lambda node: _load(bench, node[1], first, load), nodes))
        total = sum(result.acknowledged_total for result in results) if command == "ad" else 0
        for _, node in nodes:
            if node.ask("BA") != f"BA {total}":
                raise BenchError(f"{total} deposits were acknowledged, but: {node.ask('BA')}")
    return {
        "rate": sum(result.rate for result in results),
        "p50_us": max(result.p50_us for result in results),
        "p99_us": max(result.p99_us for result in results),
        "cpu_share": sum(result.cpu_share for result in results),
    }


@contextmanager
def _node(bench: Workbench, store: str) -> Iterator[tuple[Bank, RunningBank]]:
    settings = {
        "store": {"url": store},
        "network": {"code": LOOPBACK},
        "operator": {"enabled": False},
    }
    bank = Bank(bench, settings=settings)
    with bench.scratch("bank") as data, bank.running(data) as running:
        yield bank, running


def _load(bench: Workbench, node: RunningBank, first: RunningBank, load: Load) -> LoadResult:
    # All nodes are asked for the accounts that the first one opened.
    target = Target("bank", node.target.host, node.target.port, first.target.accounts)
    return bench.generator.run(target, load, seconds=bench.seconds, warmup_s=bench.warmup_s)


def _measure(bench: Workbench, setup: Setup, run: Callable[[], dict[str, float]]) -> None:
    setup.runs.append(run())
    bench.say(f"  {setup.what}: {setup.runs[-1]['rate']:,.0f}/s")


def _on_one_server(bench: Workbench, server: MariaDb) -> list[Setup]:
    naive = Setup(NAIVE, f"naive client: a transaction a command, {CLIENTS} threads, MariaDB")
    setups = [
        (naive, []),
        (Setup("sqlite", "one node, SQLite"), [""]),
        (Setup(ONE_NODE, "one node, MariaDB"), [url(server)]),
        (Setup("two", "two nodes, one MariaDB"), [url(server)] * 2),
        (Setup("sqlite ab", "AB, one node, SQLite", "ab"), [""]),
        (Setup("mariadb ab", "AB, one node, MariaDB", "ab"), [url(server)]),
        (Setup("two ab", "AB, two nodes, one MariaDB", "ab"), [url(server)] * 2),
    ]
    for _ in range(bench.rounds):
        for setup, stores in setups:
            server.empty_database()
            if stores:
                _measure(bench, setup, lambda: deposits(bench, stores, setup.command))  # noqa: B023
            else:
                _measure(bench, setup, lambda: {"rate": _naive(bench, server)})
    return [setup for setup, _ in setups]


def _naive(bench: Workbench, server: MariaDb) -> float:
    return naive_rate(server, CLIENTS, bench.accounts, bench.seconds, bench.warmup_s)


def _on_a_cluster(bench: Workbench, members: Sequence[MariaDb]) -> list[Setup]:
    setups = [
        (Setup("galera one", "one node, Galera of three"), [url(members[0])]),
        (Setup("galera two", "two nodes on two members, Galera of three"),
         [url(members[0]), url(members[1])]),
    ]  # fmt: skip
    for _ in range(bench.rounds):
        for setup, stores in setups:
            members[0].empty_database()
            _measure(bench, setup, lambda: deposits(bench, stores))  # noqa: B023
    return [setup for setup, _ in setups]


def markdown(setups: Sequence[Setup], about: dict[str, Any]) -> str:
    naive = next(setup.rate for setup in setups if setup.name == NAIVE)
    ours = next(setup.rate for setup in setups if setup.name == ONE_NODE)
    reached = "reached" if ours / naive >= BAR else "**missed**"
    busiest = max(run.get("cpu_share", 0.0) for setup in setups for run in setup.runs)
    lines = "".join(setup.line(naive) for setup in setups)
    return (
        f"| durable AD unless said otherwise, {CLIENTS} connections, 1 in flight | rate |"
        " to the naive client | p50 | p99 |\n|---|---:|---:|---:|---:|\n" + lines +
        f"\nThe bar is {BAR:g} times the naive client for one node on MariaDB: {reached}. "
        f"{about['rounds']} rounds of {about['seconds']:g} s, {about['accounts']:,} accounts; "
        f"all servers, nodes and the load generator (at most {busiest:.2f} of one CPU) share this "
        f"machine. {about['date']}, {about['cpus']} CPUs ({about['cpu_model']}), Linux "
        f"{about['kernel']}, Python {about['python']}, {about['file_system']}, one synced 4 KiB "
        f"append {about['sync_us']:.0f} us; {about['mariadb']}.\n"
    )  # fmt: skip


@click.command()
@click.option("--quick", is_flag=True, help="1 round of 2 s: a first impression, not written down.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of one measurement.")
@click.option("--rounds", default=3, show_default=True, help="Measurements of each set-up.")
@click.option("--accounts", default=10_000, show_default=True, help="Accounts of the bank.")
def main(quick: bool, seconds: float, rounds: int, accounts: int) -> None:
    """Measure the bank on MariaDB and Galera, and a naive client on the same server."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if quick:
        seconds, rounds = 2.0, 1
    try:
        bench, about = _prepared(seconds, rounds, accounts)
        with one_server() as server:
            setups = _on_one_server(bench, server)
        try:
            with cluster() as members:
                setups += _on_a_cluster(bench, members)
        except NotInstalledError as error:
            click.echo(f"left out: {error}", err=True)
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    text = markdown(setups, about)
    click.echo(text)
    if not quick:
        data = {"about": about, "setups": [asdict(setup) for setup in setups]}
        (RESULTS / "mysql.md").write_text(text, encoding="utf-8")
        (RESULTS / "mysql.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _prepared(seconds: float, rounds: int, accounts: int) -> tuple[Workbench, dict[str, Any]]:
    folder = REPOSITORY / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    machine.require_disk(folder)
    machine.require_disk(Path("/tmp"))
    bench = Workbench(
        generator=Generator(folder),
        folder=folder,
        seconds=seconds,
        warmup_s=min(1.0, seconds / 4),
        rounds=rounds,
        accounts=accounts,
        say=lambda text: click.echo(text, err=True),
    )
    about = asdict(machine.describe(folder, None, None))
    about |= {"seconds": seconds, "rounds": rounds, "accounts": accounts}
    return bench, about | {"mariadb": machine.version(find_mariadb())}


if __name__ == "__main__":
    main()
