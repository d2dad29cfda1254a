"""`bank scan` and `bank plan`: the network as it can be seen from here, without a node."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bank_node.cli.options import config_option, effective
from bank_node.cli.words import counted
from bank_node.config import Settings

if TYPE_CHECKING:
    from bank_node.network.peers import Directory, Peer
    from bank_node.network.scanner import Event
    from bank_node.network.survey import Figuring

_EXIT_UNREACHABLE = 1
# Nobody waits for a reply here, so strangers may take their time.
_SURVEY_S = 5.0
_PLAN_S = 30.0
_POINTS_MAX = 40


class Seen(NamedTuple):
    """What a look around has brought."""

    directory: "Directory"
    figuring: "Figuring"
    seconds: float
    addresses: int


@click.command()
@click.argument("subnets", nargs=-1, metavar="[SUBNET]...")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scan(subnets: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Find the banks in SUBNETs such as 10.1.2.0/24, or in those of the settings."""
    seen = _look_around(_settings(config, subnets), quiet=as_json)
    peers = sorted(seen.directory.snapshot(), key=lambda peer: _as_numbers(peer.code))
    peers = [peer for peer in peers if peer.is_verified]
    if as_json:
        rows = [_peer_row(peer, seen.figuring) for peer in peers]
        document = {"seconds": round(seen.seconds, 3), "addresses": seen.addresses, "banks": rows}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    _print_peers(peers, seen)


@click.command()
@click.argument("amount", type=click.IntRange(0))
@click.argument("subnets", nargs=-1, metavar="[SUBNET]...")
@click.option(
    "--objective",
    type=click.Choice(["fewest", "closest"]),
    help="Harm the fewest clients, or come closest to the amount.",
)
@click.option("--frontier", is_flag=True, help="Also the fewest clients for each amount.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(
    amount: int,
    subnets: tuple[str, ...],
    objective: str | None,
    frontier: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Plan which banks of a network to rob for AMOUNT. Nobody is robbed.

    Exit code 1 if the banks hold less than that.
    """
    settings = _settings(config, subnets)
    seen = _look_around(settings, quiet=as_json)
    document = _planned(seen.figuring, amount, objective or settings.robbery.objective, frontier)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print_plan(document)
    if document["plan"] is None:
        raise SystemExit(_EXIT_UNREACHABLE)


def _settings(config: Path | None, subnets: tuple[str, ...]) -> Settings:
    return effective(config, None, None, network__subnets=subnets or None).settings


def _look_around(settings: Settings, *, quiet: bool) -> Seen:
    """Scans and asks every bank what it holds, with a progress bar unless `quiet`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bank_node.network.scanner import ScanProgressed

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("banks: {task.fields[banks]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        bar = progress.add_task("scanning", total=None, banks=0)

        def tell(event: "Event") -> None:
            if isinstance(event, ScanProgressed):
                progress.update(bar, completed=event.done, total=event.total, banks=event.found)

        return asyncio.run(_see(settings, tell))


async def _see(settings: Settings, tell: "Callable[[Event], None]") -> Seen:
    from bank_node.network.client import Answer, Deadlines, Endpoint, ask
    from bank_node.network.peers import NOBODY, Directory
    from bank_node.network.reach import Reach, parse_static_peer
    from bank_node.network.scanner import Scanner
    from bank_node.network.survey import Surveyor
    from bank_node.node.banks import scan_limits_of

    network = settings.network
    # No bank answers for this command, so the own address is asked like all others.
    around = network.subnets or (f"{_base(network.host)}/24",)
    peers = [parse_static_peer(peer) for peer in network.peers]
    reach = Reach(NOBODY, around, peers, addresses_max=network.scan_addresses_max)
    directory = Directory(NOBODY)
    for peer in peers:
        directory.add_static(peer.host, peer.port, time.monotonic())
    scanner = Scanner(reach, directory, scan_limits_of(settings), time.monotonic, tell)

    async def asked(endpoint: Endpoint, line: str, deadlines: Deadlines, _trace: int) -> Answer:
        return await ask(endpoint, line, deadlines)

    try:
        ended = await scanner.scan()
        figuring = await Surveyor(directory, asked, time.monotonic).survey(_SURVEY_S, 0)
    finally:
        await scanner.close()
    return Seen(directory, figuring, ended.seconds, reach.count)


def _base(host: str) -> str:
    return host.rpartition(".")[0] + ".0"


def _as_numbers(address: str) -> tuple[int, ...]:
    return tuple(map(int, address.split(".")))


def _peer_row(peer: "Peer", figuring: "Figuring") -> dict[str, Any]:
    return {
        "address": peer.code,
        "port": peer.port,
        "amount": peer.amount,
        "clients": peer.clients,
        "latency_ms": None if peer.latency_ms is None else round(peer.latency_ms, 1),
        "name": peer.name,
        "version": peer.version,
        "capabilities": sorted(peer.capabilities),
        "oddities": sorted(peer.oddities),
        "left_out": dict(figuring.left_out).get(peer.code),
    }


def _print_peers(peers: "list[Peer]", seen: Seen) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    left_out = dict(seen.figuring.left_out)
    table = Table("bank", "port", *_right("amount", "clients", "ms"), "speaks", "remarks")
    for peer in peers:
        remarks = [left_out.get(peer.code, ""), *sorted(peer.oddities)]
        table.add_row(
            peer.code,
            str(peer.port),
            "" if peer.amount is None else f"{peer.amount:,}",
            "" if peer.clients is None else f"{peer.clients:,}",
            "" if peer.latency_ms is None else f"{peer.latency_ms:.1f}",
            # Strangers choose these texts: never markup.
            Text(f"{peer.name} {peer.version}".strip() or "classic"),
            Text(", ".join(filter(None, remarks))),
        )
    console = Console()
    console.print(table)
    banks = counted(len(peers), "bank")
    addresses = counted(seen.addresses, "address", "addresses")
    console.print(f"{banks} on {addresses} in {seen.seconds:.1f} s")


def _right(*names: str) -> "list[Any]":
    from rich.table import Column

    return [Column(name, justify="right") for name in names]


def _planned(
    figuring: "Figuring", amount: int, objective: str, with_frontier: bool
) -> dict[str, Any]:
    from bank_node.banking import robbery

    banks = [robbery.Bank(*figures) for figures in figuring.banks]
    found = robbery.plan(
        banks,
        amount,
        "closest" if objective == "closest" else "fewest",
        now=time.monotonic,
        deadline_s=time.monotonic() + _PLAN_S,
    )
    document: dict[str, Any] = {
        "target": amount,
        "objective": objective,
        "plan": None,
        "network_holds": sum(figures.amount for figures in figuring.banks),
        "left_out": [{"address": address, "why": why} for address, why in figuring.left_out],
    }
    if not isinstance(found, robbery.Unreachable):
        greedy = robbery.greedy_plan(banks, amount)
        document["plan"] = robbery.plan_row(found)
        document["greedy"] = (
            None if isinstance(greedy, robbery.Unreachable) else robbery.plan_row(greedy)
        )
    if with_frontier:
        points = robbery.frontier(
            banks, _POINTS_MAX, now=time.monotonic, deadline_s=time.monotonic() + _PLAN_S
        )
        document["frontier"] = [robbery.point_row(point) for point in points.points]
        document["frontier_complete"] = points.complete
    return document


def _print_plan(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for each in document["left_out"]:
        console.print(Text(f"left out: {each['address']}: {each['why']}", style="dim"))
    found = document["plan"]
    if found is None:
        console.print(
            f"The banks hold only {document['network_holds']:,} in all, "
            f"which does not reach {document['target']:,}.",
            soft_wrap=True,
        )
    else:
        table = Table("bank", *_right("amount", "clients"), show_footer=True)
        table.columns[0].footer = counted(len(found["banks"]), "bank")
        table.columns[1].footer = f"{found['amount']:,}"
        table.columns[2].footer = f"{found['clients']:,}"
        for bank in found["banks"]:
            table.add_row(bank["address"], f"{bank['amount']:,}", f"{bank['clients']:,}")
        console.print(table)
        console.print(_verdict(document), soft_wrap=True)
    if "frontier" in document:
        table = Table(*_right("amount", "fewest clients"))
        for point in document["frontier"]:
            mark = "" if point["proven"] else " or fewer"
            table.add_row(f"{point['amount']:,}", f"{point['clients']:,}{mark}")
        console.print(table)


def _verdict(document: dict[str, Any]) -> str:
    found, greedy = document["plan"], document["greedy"]
    if found["proven"]:
        text = "Proven: no plan is better."
    else:
        text = (
            f"Not proven in {_PLAN_S:.0f} s: at most {found['clients_off_at_most']:,} fewer "
            f"clients and {found['distance_off_at_most']:,} closer are possible."
        )
    if greedy and greedy["clients"] > found["clients"]:
        wasted = greedy["clients"] - found["clients"]
        text += f" The usual greedy plan would harm {wasted:,} clients more."
    return text


def environment() -> dict[str, str]:
    """The environment of a child process that is a bank of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BANK_")}
