"""`bank demo`: a network of banks on this machine, with accounts, money and some traffic."""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from bank_node.cli.around import environment
from bank_node.cli.program import program
from bank_node.errors import StartupError
from bank_node.network.client import Client, Unreachable

_PORT = 65525
_READY_S = 20.0
_STOP_S = 10.0
# A bank that was killed comes back after this pause, so that one can watch the others notice.
_BACK_AFTER_S = 10.0
_ACCOUNTS = 12
_TIMEOUT_S = 5.0
# Windows has no SIGTERM; what comes nearest goes to a whole group of processes.
if sys.platform == "win32":
    _END: int = signal.CTRL_BREAK_EVENT
    _GROUP_OF_ITS_OWN = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _END = signal.SIGTERM
    _GROUP_OF_ITS_OWN = 0


class Bank:
    """One child process that serves a bank, and is started again should it die."""

    def __init__(
        self, host: str, port: int, folder: Path, hosts: list[str], **variables: str
    ) -> None:
        """`variables` are settings by the names of their environment variables."""
        self.host = host
        self._command = [
            *program(),
            *("serve", "--host", host, "--port", str(port), "--data", str(folder)),
        ]
        subnet = host.rpartition(".")[0] + ".0/24"
        self._environment = environment() | {
            "BANK_NETWORK_SUBNETS": f'["{subnet}"]',
            "BANK_NETWORK_SCAN_EVERY": "10",
            "BANK_OPERATOR_PORT": "0",
            **variables,
        }
        self.port = port
        self.hosts = hosts
        self.accounts: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._died_at: float | None = None

    def start(self) -> None:
        """Returns when it accepts. Raises StartupError."""
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            # Ctrl+C is for the parent, which stops its banks in order.
            start_new_session=sys.platform != "win32",
            creationflags=_GROUP_OF_ITS_OWN,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            why = self._process.stderr.read().strip()
            raise StartupError(f"the bank {self.host} does not start: {why}")
        self.port = int(line.rpartition(":")[2])
        self._died_at = None

    def looks_dead(self) -> bool:
        """Whether its process has ended."""
        return self._process is not None and self._process.poll() is not None

    def revive(self, now: float) -> str | None:
        """Starts it again some time after it died; what there is to tell about that."""
        if not self.looks_dead():
            return None
        if self._died_at is None:
            self._died_at = now
            return f"{self.host} has died, it comes back in {_BACK_AFTER_S:.0f} s"
        if now - self._died_at < _BACK_AFTER_S:
            return None
        self.start()
        return f"{self.host} is back"

    def stop(self) -> None:
        """Ends it in order, or at least for sure."""
        process = self._process
        if process is None:
            return
        process.send_signal(_END)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def client(self) -> Client:
        """A connection to it. Raises Unreachable."""
        return Client(self.host, self.port, _TIMEOUT_S)


@click.command()
@click.option(
    "--banks", default=3, show_default=True, type=click.IntRange(1, 100), help="How many banks."
)
@click.option("--port", default=_PORT, show_default=True, help="The port of all of them.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep their files in this folder.")
@click.option("--quiet", is_flag=True, help="No trickle of traffic.")
def demo(banks: int, port: int, data: Path | None, quiet: bool) -> None:
    """Run a network of banks on 127.0.0.1, 127.0.0.2 ... until Ctrl+C.

    Each has accounts and money, and some of its clients deposit and withdraw, also across banks.
    A bank that dies is started again after 10 seconds.
    """
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    with ExitStack() as house:
        folder = data
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="bank-demo-"))
            house.callback(shutil.rmtree, folder, ignore_errors=True)
        hosts = [f"127.0.0.{number + 1}" for number in range(banks)]
        network = [Bank(host, port, folder / host, hosts) for host in hosts]
        for bank in network:
            house.callback(bank.stop)
            bank.start()
            _furnish(bank)
        _greet(network)
        _live(network, stop, quiet=quiet)
        click.echo("stopping")


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
        f"{len(network)} banks are open: "
        + ", ".join(f"{bank.host}:{bank.port}" for bank in network)
        + "\n\nFrom a second terminal:\n"
        f"  bank call --host {first.host} --port {first.port} 'AD {account} 500'   "
        "# carried to the last bank\n"
        f"  bank call --host {first.host} --port {first.port} 'RP 1000000'\n"
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
