"""`bank simulate`: thousands of users at once, and the money counted at the end."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bank_node.cli.child import Bank
from bank_node.cli.crowd import MONEY, Crowd, Phase
from bank_node.cli.crowd_news import Listeners
from bank_node.cli.demo import TOWNS
from bank_node.errors import StartupError
from bank_node.network.interfaces import obstacle
from bank_node.values import BANK_PORTS

_EXIT_MISSING = 1
_SHOWN_MAX = 10
_FIRST = 101
_ALONE = {
    "BANK_PAYMENTS_PIN_PROFILE": "light",
    "BANK_NETWORK_SCAN_EVERY": "1",
    "BANK_OPERATOR_ENABLED": "false",
}


@click.command()
@click.option("--users", default=10_000, show_default=True, type=click.IntRange(2, 80_000))
@click.option("--merchants", default=100, show_default=True, type=click.IntRange(1, 9_000))
@click.option(
    "--clients", default=64, show_default=True, type=click.IntRange(1, 10_000),
    help="Connections at once.",
)  # fmt: skip
@click.option("--banks", default=2, show_default=True, type=click.IntRange(1, 10),
              help="How many banks are started for it.")  # fmt: skip
@click.option("--connect", metavar="HOST:PORT", multiple=True,
              help="A bank that serves, instead; may be repeated.")  # fmt: skip
@click.option("--seed", type=int, help="What the draws begin with; without, the time.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the result here.")
def simulate(
    users: int,
    merchants: int,
    clients: int,
    banks: int,
    connect: tuple[str, ...],
    seed: int | None,
    file: Path | None,
) -> None:
    """Let a crowd of users and merchants register and pay, and audit what came of it.

    The banks that are started for it check PINs with the light profile. Exit code 1 if a unit is
    missing or an answer contradicts the ledger.
    """
    seed = int(time.time()) if seed is None else seed
    with _banks(connect, banks) as at:
        crowd = Crowd(at, users, merchants, clients, seed)
        try:
            result = asyncio.run(_run(crowd))
        except* ConnectionError as errors:
            raise StartupError(str(errors.exceptions[0])) from None
    result |= {
        "banks": len(at),
        "users": users,
        "merchants": merchants,
        "clients": clients,
        "seed": seed,
    }
    if file:
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _tell(crowd, result)
    if not result["sound"]:
        sys.exit(_EXIT_MISSING)


@contextmanager
def _banks(connect: tuple[str, ...], count: int) -> Iterator[list[tuple[str, int]]]:
    if connect:
        yield [_address(each) for each in connect]
        return
    # Where people try banks out by hand there may be one already; its neighbours would find it.
    first = _FIRST if count > 1 else 1
    hosts = [f"127.0.0.{first + number}" for number in range(count)]
    with ExitStack() as house:
        folder = Path(house.enter_context(tempfile.TemporaryDirectory(prefix="bank-simulate-")))
        port = _free_port(hosts) if count > 1 else 0
        subnets = json.dumps([f"{host}/32" for host in hosts])
        settings = _ALONE | {"BANK_NETWORK_SUBNETS": subnets}
        banks = [
            Bank(host, port, folder / host, **settings, BANK_PAYMENTS_HANDLE=town)
            for host, town in zip(hosts, TOWNS, strict=False)
        ]
        for bank in banks:
            house.callback(bank.stop)
            bank.start()
        yield [(bank.host, bank.port) for bank in banks]


def _free_port(hosts: list[str]) -> int:
    """A port on which banks find each other, and which nobody uses at these addresses."""
    for port in BANK_PORTS:
        if not any(obstacle(host, port) for host in hosts):
            return port
    raise StartupError("other programs use all ports of banks on 127.0.0.101")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError("--connect wants HOST:PORT")
    return host, int(port)


async def _run(crowd: Crowd) -> dict[str, Any]:
    before = await crowd.meet()
    everybody = [*crowd.users, *crowd.merchants]
    ticker = asyncio.create_task(_tick(crowd))
    listeners = Listeners(crowd)
    started = time.perf_counter()
    try:
        phases = [
            await crowd.phase("register", everybody, crowd.register),
            await crowd.phase("deposit", crowd.users, crowd.fund),
        ]
        await crowd.introduce()
        listeners.start()
        phases.append(await crowd.phase("pay", crowd.users, crowd.act))
        seconds = time.perf_counter() - started
        await listeners.stop()
        phases.append(await crowd.phase("audit", everybody, crowd.count_money))
        held = await crowd.held()
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
    missing = before + sum(member.expected for member in everybody) - held
    return {
        "phases": [_told(phase) for phase in phases],
        "seconds_without_audit": round(seconds, 3),
        "answers": dict(sorted(crowd.tally.answers.items())),
        "news": listeners.figures(),
        "unknown_and_asked_again": crowd.tally.unknown,
        "money": {"deposited": MONEY * len(crowd.users), "held": held - before, "missing": missing},
        "contradictions": crowd.tally.contradictions[:100],
        "sound": not missing and not crowd.tally.contradictions,
    }


def _told(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name,
        "requests": phase.requests,
        "seconds": round(phase.seconds, 3),
        "per_second": round(phase.rate),
        "p50_ms": round(phase.p50, 2),
        "p99_ms": round(phase.p99, 2),
    }


async def _tick(crowd: Crowd) -> None:
    """Shows every second how far it is."""
    before = 0
    while True:
        await asyncio.sleep(1)
        done = crowd.tally.done
        rate = done - before if done >= before else done
        click.echo(f"{done:9,} requests of this phase, {rate:7,}/s", err=True)
        before = done


def _tell(crowd: Crowd, result: dict[str, Any]) -> None:
    click.echo(f"{'phase':10}{'requests':>10}{'seconds':>10}{'a second':>10}"
               f"{'p50 ms':>9}{'p99 ms':>9}")  # fmt: skip
    for phase in result["phases"]:
        click.echo(
            f"{phase['name']:10}{phase['requests']:>10,}{phase['seconds']:>10.2f}"
            f"{phase['per_second']:>10,}{phase['p50_ms']:>9.1f}{phase['p99_ms']:>9.1f}"
        )
    told = ", ".join(f"{count:,} {what}" for what, count in result["answers"].items())
    click.echo(f"answers as they must be: {told}")
    news = result["news"]
    click.echo(f"machines were told of {news['told']:,} payments, after their answers by "
               f"{news['p50_ms']} ms (p50) and {news['p99_ms']} ms (p99)")  # fmt: skip
    for line in crowd.tally.contradictions[:_SHOWN_MAX]:
        click.echo(f"contradiction: {line}")
    money = result["money"]
    if result["sound"]:
        click.echo(f"not a unit is missing: {money['held']:,} deposited and there")
    else:
        click.echo(f"missing: {money['missing']:,} units, "
                   f"contradictions: {len(crowd.tally.contradictions):,}")  # fmt: skip
