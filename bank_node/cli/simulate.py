"""`bank simulate`: thousands of users at once, and the money counted at the end."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bank_node.cli.child import Bank
from bank_node.cli.crowd.deeds import Deeds
from bank_node.cli.crowd.lines import Phase
from bank_node.cli.crowd.news import Listeners
from bank_node.cli.crowd.people import MONEY, Crowd, Member
from bank_node.cli.crowd.report import tell, tell_progress, told_phase, told_second
from bank_node.cli.demo import TOWNS
from bank_node.cli.options import FILE, HOST_PORT
from bank_node.errors import StartupError
from bank_node.network.client import Endpoint
from bank_node.network.interfaces import obstacle
from bank_node.values import BANK_PORTS

if TYPE_CHECKING:
    from bank_node.cli.storm.mischief import Mischief

_EXIT_MISSING = 1
_PATIENCE_S = 30.0
_ALONE = {
    "BANK_PAYMENTS_PIN_PROFILE": "light",
    "BANK_NETWORK_SCAN_EVERY": "1",
    "BANK_OPERATOR_ENABLED": "false",
}
# In a storm everybody pays again and again, as long as it lasts.
_STORMY = {"BANK_OPERATOR_ENABLED": "true", "BANK_PAYMENTS_PER_MINUTE": "1000000"}


@click.command()
@click.option("--users", default=10_000, show_default=True, type=click.IntRange(2, 80_000),
              help="How many users.")  # fmt: skip
@click.option("--merchants", default=100, show_default=True, type=click.IntRange(1, 9_000),
              help="How many shops.")  # fmt: skip
@click.option(
    "--clients", default=64, show_default=True, type=click.IntRange(1, 10_000),
    help="Connections at once.",
)  # fmt: skip
@click.option("--banks", default=2, show_default=True, type=click.IntRange(1, 10),
              help="How many banks are started for it.")  # fmt: skip
@click.option("--connect", type=HOST_PORT, multiple=True,
              help="A bank that serves, instead; may be repeated.")  # fmt: skip
@click.option("--faults", is_flag=True,
              help="Kill, freeze, cut off the banks meanwhile; count their ledgers.")  # fmt: skip
@click.option("--storm", default=20.0, show_default=True, type=click.FloatRange(1, 3600),
              help="How many seconds that lasts.")  # fmt: skip
@click.option("--seed", type=int, help="What the draws begin with; without, the time.")
@click.option("--json", "file", type=FILE, help="Write the result here.")
def simulate(
    users: int,
    merchants: int,
    clients: int,
    banks: int,
    connect: tuple[Endpoint, ...],
    faults: bool,
    storm: float,
    seed: int | None,
    file: Path | None,
) -> None:
    """Let a crowd of users and merchants register and pay, and audit what came of it.

    The banks that are started for it check PINs with the light profile. With --faults they are
    killed, frozen and cut off while the crowd pays, and then stopped and counted. Exit code 1 if a
    unit is missing or an answer contradicts the ledger.
    """
    if faults and (connect or banks < 2):
        raise click.UsageError("--faults needs two banks at least that are started for it")
    seed = int(time.time()) if seed is None else seed
    with ExitStack() as house:
        network = [] if connect else _started(house, banks, faults=faults)
        at = list(connect) or [Endpoint(bank.host, bank.port) for bank in network]
        crowd = Crowd(at, users, merchants, clients, seed, _PATIENCE_S if faults else 0.0)
        try:
            result = asyncio.run(_run(crowd, network if faults else (), storm))
        except* ConnectionError as errors:
            raise StartupError(str(errors.exceptions[0])) from None
        if faults:
            _count_ledgers(network, result)
    result |= {
        "banks": len(at),
        "users": users,
        "merchants": merchants,
        "clients": clients,
        "seed": seed,
    }
    if file:
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    tell(result)
    if not result["sound"]:
        sys.exit(_EXIT_MISSING)


def _started(house: ExitStack, count: int, *, faults: bool) -> list[Bank]:
    """Banks that know each other and nobody else; they end with `house`."""
    # Banks that people try out by hand, and those of another simulation, must not meet these.
    place = os.getpid() % 2**14
    subnet = f"127.{64 + place // 256}.{place % 256}" if count > 1 else "127.0.0"
    hosts = [f"{subnet}.{number + 1}" for number in range(count)]
    folder = Path(house.enter_context(tempfile.TemporaryDirectory(prefix="bank-simulate-")))
    port = _free_port(hosts) if count > 1 else 0
    settings = _ALONE | {"BANK_NETWORK_SUBNETS": json.dumps([f"{host}/32" for host in hosts])}
    if faults:
        from bank_node.cli.storm.mischief import SETTINGS

        settings |= SETTINGS | _STORMY
    banks = [
        Bank(host, port, folder / host, **settings, BANK_PAYMENTS_HANDLE=town)
        for host, town in zip(hosts, TOWNS, strict=False)
    ]
    for bank in banks:
        house.callback(bank.stop)
        bank.start()
    return banks


def _free_port(hosts: list[str]) -> int:
    """A port on which banks find each other, and which nobody uses at these addresses."""
    for port in BANK_PORTS:
        if not any(obstacle(host, port) for host in hosts):
            return port
    raise StartupError(f"other programs use all ports of banks on {hosts[0]}")


async def _run(crowd: Crowd, network: Sequence[Bank], storm_s: float) -> dict[str, Any]:
    """All phases; in a storm if there is a network to harm."""
    before = await crowd.meet()
    everybody = [*crowd.users, *crowd.merchants]
    ticker = asyncio.create_task(crowd.watch(tell_progress))
    listeners = Listeners(crowd)
    started = time.perf_counter()
    storm: dict[str, int] = {}
    try:
        phases = [
            await crowd.phase("register", everybody, crowd.register),
            await crowd.phase("deposit", crowd.users, crowd.fund),
        ]
        await crowd.introduce()
        listeners.start()
        if network:
            phases += await _weather(crowd, network, storm_s, storm)
        else:
            phases.append(await crowd.phase("pay", crowd.users, Deeds(crowd).act))
        seconds = time.perf_counter() - started
        await listeners.stop()
        phases.append(await crowd.phase("audit", everybody, crowd.count_money))
        held = await crowd.held()
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
    missing = before + sum(member.expected for member in everybody) - held
    tally = crowd.tally
    return {
        "phases": [told_phase(phase) for phase in phases],
        "progress": [told_second(second) for second in crowd.seconds],
        "seconds_without_audit": round(seconds, 3),
        "answers": dict(sorted(tally.answers.items())),
        "news": listeners.figures(),
        "unknown_and_asked_again": tally.unknown,
        "storm": storm,
        "money": {"deposited": MONEY * len(crowd.users), "held": held - before, "missing": missing},
        "contradictions": tally.contradictions[:100],
        "sound": not missing and not tally.contradictions,
    }


async def _weather(
    crowd: Crowd, network: Sequence[Bank], seconds: float, told: dict[str, int]
) -> list[Phase]:
    """Everybody pays while the banks are harmed; then all is healed, and what is unknown asked."""
    from bank_node.cli.storm.mischief import Mischief

    deeds, mischief = Deeds(crowd, is_stormy=True), Mischief(network)
    mischief.start()
    try:
        phases = [await crowd.phase("storm", _until(seconds, crowd.users), deeds.act)]
    finally:
        await asyncio.to_thread(mischief.heal)
    told |= _harm(mischief) | {"unknown": crowd.tally.unknown}
    await crowd.introduce()
    everybody = [*crowd.users, *crowd.merchants]
    phases.append(await crowd.phase("ask again", everybody, deeds.ask_again))
    return phases


def _until(seconds: float, users: Iterable[Member]) -> Iterator[Member]:
    """Each user once at least, then again and again until the time is up."""
    give_up = time.monotonic() + seconds
    everybody = list(users)
    yield from everybody
    for member in cycle(everybody):
        if time.monotonic() >= give_up:
            return
        yield member


def _harm(mischief: "Mischief") -> dict[str, int]:
    return {
        "kills": sum(mischief.kills.values()),
        "freezes": sum(mischief.freezes.values()),
        "cuts": mischief.cuts,
    }


def _count_ledgers(network: Sequence[Bank], result: dict[str, Any]) -> None:
    """Stops the banks, and holds their ledgers against each other and against what was told."""
    from bank_node.cli.storm.audit import Audit, Books
    from bank_node.cli.storm.show import await_peace

    await_peace(network)
    for bank in network:
        bank.stop()
    books = [Books(bank.host, bank.folder) for bank in network]
    money = result["money"]
    problems = Audit(books, money["held"], {}, set(), {}).problems
    result["contradictions"] += problems
    result["sound"] = result["sound"] and not problems
