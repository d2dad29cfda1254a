"""`bank demo`: a network of banks on this machine, with accounts, money and some traffic."""

import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from bank_node.cli.child import Bank
from bank_node.cli.words import counted
from bank_node.network.client import Unreachable

_PORT = 65525
_ACCOUNTS = 12
TOWNS = ("prague", "brno", "ostrava", "plzen", "liberec", "olomouc", "zlin", "opava", "tabor",
          "pisek")  # fmt: skip


@click.command()
@click.option(
    "--banks", default=3, show_default=True, type=click.IntRange(1, 100), help="How many banks."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port of all of them, 0 for free ones.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Keep their files in this folder.")
@click.option("--quiet", is_flag=True, help="No trickle of traffic.")
@click.option(
    "--faults", is_flag=True, help="Transfers while banks are killed and cables pulled; an audit."
)
@click.option("--seconds", type=click.FloatRange(0), help="How long, instead of until Ctrl+C.")
def demo(
    banks: int, port: int, data: Path | None, quiet: bool, faults: bool, seconds: float | None
) -> None:
    """Run a network of banks on 127.0.0.1 and the addresses behind it, until Ctrl+C.

    Each has accounts and money, and some of its clients deposit and withdraw, also across banks.
    A bank that dies is started again after 10 seconds.

    With --faults the clients move money between the banks while these are killed, frozen and cut
    off. At the end all is healed and counted: exit code 1 if a unit is missing.
    """
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    with ExitStack() as house:
        folder = data
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="bank-demo-"))
            house.callback(shutil.rmtree, folder, ignore_errors=True)
        hosts = [f"127.0.0.{number + 1}" for number in range(banks)]
        network = [
            Bank(host, port, folder / host, **_settings(faults), **_handle(number))
            for number, host in enumerate(hosts)
        ]
        for bank in network:
            house.callback(bank.stop)
            bank.start()
            _furnish(bank)
        if faults:
            from bank_node.cli.storm.show import show

            sys.exit(show(network, stop, seconds))
        _greet(network)
        if seconds is not None:
            alarm = threading.Timer(seconds, stop.set)
            alarm.start()
            house.callback(alarm.cancel)
        _live(network, stop, quiet=quiet)
        click.echo("stopping")


def _handle(number: int) -> dict[str, str]:
    """The end of a bank's addresses; without a town, the bank makes one of its own address."""
    return {"BANK_PAYMENTS_HANDLE": TOWNS[number]} if number < len(TOWNS) else {}


def _settings(faults: bool) -> dict[str, str]:
    """What the banks are told beyond their place, as variables of the environment."""
    if not faults:
        return {}
    from bank_node.cli.storm.mischief import SETTINGS

    return SETTINGS


def _furnish(bank: Bank) -> None:
    """Accounts and money for a bank that has none yet; an old one keeps what it has."""
    with bank.client() as client:
        if client.call("BN") != "BN 0":
            return
        for _ in range(random.randint(3, _ACCOUNTS)):  # noqa: S311 - a show, not a secret
            account = client.call("AC").removeprefix("AC ")
            client.call(f"AD {account} {random.randint(1, 200) * 1000}")  # noqa: S311
            bank.accounts.append(account)


def _greet(network: list[Bank]) -> None:
    first, last = network[0], network[-1]
    account = last.accounts[0] if last.accounts else f"10001/{last.host}"
    click.echo(
        f"{counted(len(network), 'bank')} {'is' if len(network) == 1 else 'are'} open: "
        + ", ".join(f"{bank.host}:{bank.port}" for bank in network)
        + "\n\nFrom a second terminal:\n"
        f"  bank call --host {first.host} --port {first.port} 'AD {account} 500'   "
        "# carried to the last bank\n"
        f"  bank call --host {first.host} --port {first.port} 'RP 1000000'\n"
        f"  bank user register alice@{TOWNS[0]} --name Alice --mobile 420777123456 "
        f"--host {first.host} --port {first.port}\n"
        f"  bank scan {first.host.rpartition('.')[0]}.0/24\n\nCtrl+C stops them.",
    )


def _live(network: list[Bank], stop: threading.Event, *, quiet: bool) -> None:
    """Lets clients do some business until the end, and dead banks come back."""
    while not stop.wait(0.3):
        for bank in network:
            if told := bank.revive(time.monotonic()):
                click.echo(told)
        if not quiet:
            _business(network)


def _business(network: list[Bank]) -> None:
    """One client deposits or withdraws, often by way of another bank."""
    choice: Any = random.choice
    asked, owner = choice(network), choice(network)
    if asked.looks_dead() or not owner.accounts:
        return
    verb = choice(("AD", "AD", "AW"))
    line = f"{verb} {choice(owner.accounts)} {choice((10, 50, 100, 500))}"
    try:
        with asked.client() as client:
            client.call(line)
    except Unreachable as error:
        click.echo(f"{line} by way of {asked.host}: {error}", err=True)
