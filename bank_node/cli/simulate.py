"""`bank simulate`: thousands of users at once, and the money counted at the end."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bank_node.cli.child import Bank
from bank_node.cli.crowd import MONEY, Crowd, Phase
from bank_node.errors import StartupError

_EXIT_MISSING = 1
_SHOWN_MAX = 10
_HOST = "127.0.0.1"
_ALONE = {
    "BANK_PAYMENTS_PIN_PROFILE": "light",
    "BANK_NETWORK_SUBNETS": f'["{_HOST}/32"]',
    "BANK_OPERATOR_ENABLED": "false",
}


@click.command()
@click.option("--users", default=10_000, show_default=True, type=click.IntRange(2, 80_000))
@click.option("--merchants", default=100, show_default=True, type=click.IntRange(1, 9_000))
@click.option(
    "--clients", default=64, show_default=True, type=click.IntRange(1, 10_000),
    help="Connections at once.",
)  # fmt: skip
@click.option("--connect", metavar="HOST:PORT", help="A bank that serves; without, one is started.")
@click.option("--seed", type=int, help="What the draws begin with; without, the time.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the result here.")
def simulate(
    users: int,
    merchants: int,
    clients: int,
    connect: str | None,
    seed: int | None,
    file: Path | None,
) -> None:
    """Let a crowd of users and merchants register and pay, and audit what came of it.

    The bank that is started for it checks PINs with the light profile. Exit code 1 if a unit is
    missing or an answer contradicts the ledger.
    """
    seed = int(time.time()) if seed is None else seed
    with _bank(connect) as (host, port):
        crowd = Crowd(host, port, users, merchants, clients, seed)
        try:
            result = asyncio.run(_run(crowd))
        except* ConnectionError as errors:
            raise StartupError(str(errors.exceptions[0])) from None
    result |= {"users": users, "merchants": merchants, "clients": clients, "seed": seed}
    if file:
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _tell(crowd, result)
    if not result["sound"]:
        sys.exit(_EXIT_MISSING)


@contextmanager
def _bank(connect: str | None) -> Iterator[tuple[str, int]]:
    if connect:
        host, _, port = connect.rpartition(":")
        if not host or not port.isdigit():
            raise click.UsageError("--connect wants HOST:PORT")
        yield host, int(port)
        return
    with tempfile.TemporaryDirectory(prefix="bank-simulate-") as folder:
        bank = Bank(_HOST, 0, Path(folder), **_ALONE)
        bank.start()
        try:
            yield _HOST, bank.port
        finally:
            bank.stop()


async def _run(crowd: Crowd) -> dict[str, Any]:
    before = await crowd.meet()
    everybody = [*crowd.users, *crowd.merchants]
    ticker = asyncio.create_task(_tick(crowd))
    started = time.perf_counter()
    try:
        phases = [
            await crowd.phase("register", everybody, crowd.register),
            await crowd.phase("deposit", crowd.users, crowd.fund),
            await crowd.phase("pay", crowd.users, crowd.act),
        ]
        seconds = time.perf_counter() - started
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
    for line in crowd.tally.contradictions[:_SHOWN_MAX]:
        click.echo(f"contradiction: {line}")
    money = result["money"]
    if result["sound"]:
        click.echo(f"not a unit is missing: {money['held']:,} deposited and there")
    else:
        click.echo(f"missing: {money['missing']:,} units, "
                   f"contradictions: {len(crowd.tally.contradictions):,}")  # fmt: skip
