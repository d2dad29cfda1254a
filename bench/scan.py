"""How long a scan of a /24 takes where nobody is, where nobody speaks, and where banks are.

python -m bench.scan
python -m bench.scan --json FILE
"""

import asyncio
import ctypes
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import click

from bank_node.network.peers import Directory
from bank_node.network.reach import Reach
from bank_node.network.scanner import ScanLimits, Scanner
from bank_node.values import BANK_PORTS, BankCode

ROUNDS = 5
TIME_OUT_S = 0.5
# Listeners on all ports of every address, in this process.
_FILES = 16_384
_CLONE_NEWNET = 0x40000000


@contextmanager
def nobody() -> Iterator[str]:
    """Every address refuses every port at once."""
    yield "127.77.0.1"


@contextmanager
def mute() -> Iterator[str]:
    """Every address accepts on its first port and never says a word."""
    with _listeners("127.77.1", BANK_PORTS[:1]):
        yield "127.77.1.1"


@contextmanager
def mute_on_all_ports() -> Iterator[str]:
    """Every address accepts on all eleven ports and never says a word."""
    with _listeners("127.77.2", list(BANK_PORTS)):
        yield "127.77.2.1"


@contextmanager
def banks() -> Iterator[str]:
    """Every address is a bank on its first port; all are served by one thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> list[asyncio.Server]:
        return [
            await loop.create_server(_Bank, f"127.77.3.{n}", BANK_PORTS[0], backlog=8)
            for n in range(1, 255)
        ]

    servers = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield "127.77.3.1"
    finally:
        for server in servers:
            loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Bank(asyncio.Protocol):
    """A classic bank that knows its code."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._code = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        reply = f"BC {self._code}" if data == b"BC\r\n" else "ER unknown command"
        self._transport.write(reply.encode() + b"\r\n")


@contextmanager
def black_hole() -> Iterator[str]:
    """No address exists: questions for neighbours stay unanswered. Needs root and `ip`."""
    here, there = f"benchscan{os.getpid()}a", f"benchscan{os.getpid()}b"
    try:
        for words in (
            f"netns add {here}",
            f"netns add {there}",
            f"link add eth0 netns {here} type veth peer name eth0 netns {there}",
            f"-n {here} addr add 10.77.0.1/24 dev eth0",
            f"-n {here} link set eth0 up",
            f"-n {there} link set eth0 up",
        ):
            _ip(words)
        # Only the thread that enters sees the other network, and it is the one that scans.
        with open(f"/run/netns/{here}", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        yield "10.77.0.1"
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(words: str) -> None:
    try:
        subprocess.run(["ip", *words.split()], capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", "") or str(error)
        raise click.ClickException(f"no black hole on this machine: {told.strip()}") from None


@contextmanager
def _listeners(prefix: str, ports: "list[int] | range") -> Iterator[None]:
    with ExitStack() as stack:
        for n in range(1, 255):
            for port in ports:
                listener = stack.enter_context(socket.socket())
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((f"{prefix}.{n}", port))
                listener.listen(64)
        yield


CASES: tuple[tuple[str, Callable[[], object]], ...] = (
    ("empty: every port is refused", nobody),
    ("black hole: nobody at any address", black_hole),
    ("mute: one port accepts and is silent", mute),
    ("mute: all 11 ports accept and are silent", mute_on_all_ports),
    ("254 banks", banks),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one case."""

    case: str
    seconds: list[float]
    cpu_s: list[float]
    found: int
    sockets_max: int

    def __str__(self) -> str:
        return (
            f"| {self.case} | {statistics.median(self.seconds):.2f} s | {max(self.seconds):.2f} s "
            f"| {statistics.median(self.cpu_s):.2f} s | {self.found} | {self.sockets_max} |"
        )


class _Files:
    """The most files that were open while somebody looked."""

    def __init__(self) -> None:
        self.before = self.most = len(os.listdir("/proc/self/fd"))

    def look(self, event: object) -> None:
        self.most = max(self.most, len(os.listdir("/proc/self/fd")))


async def _scan(own: str, tell: Callable[[object], None]) -> tuple[float, int]:
    scanner = Scanner(
        Reach(BankCode(own), []),
        Directory(BankCode(own)),
        ScanLimits(time_out_s=TIME_OUT_S),
        time.monotonic,
        tell,
    )
    end = await scanner.scan()
    return end.seconds, end.found


def measure(index: int) -> Row:
    """All rounds of a case, in a process of its own because of its files and namespace."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    name, place = CASES[index]
    seconds, cpu_s, found = [], [], 0
    with place() as own:  # type: ignore[attr-defined]
        for _ in range(ROUNDS):
            start = time.process_time()
            took, found = _run(own, lambda event: None)
            cpu_s.append(time.process_time() - start)
            seconds.append(took)
        files = _Files()
        # A round of its own, because looking at a long list of files takes time itself.
        _run(own, files.look)
    return Row(name, seconds, cpu_s, found, files.most - files.before)


def _run(own: str, tell: Callable[[object], None]) -> tuple[float, int]:
    if sys.platform == "win32":
        return asyncio.run(_scan(own, tell))
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_scan(own, tell))


HEADER = (
    f"| /24, 11 ports, time-out {TIME_OUT_S} s | median | max | CPU | banks found | sockets |\n"
    "|---|---|---|---|---|---|"
)


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--only", default="", help="Only cases whose name contains this.")
def main(json_file: Path | None, only: str) -> None:
    """Scan networks of all kinds and print a table; half a minute."""
    rows: list[Row] = []
    click.echo(HEADER)
    for index, (name, _) in enumerate(CASES):
        if only not in name:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            try:
                rows.append(alone.submit(measure, index).result())
            except click.ClickException as error:
                click.echo(f"| {name} | not measured: {error.message} | | | | |")
            else:
                click.echo(str(rows[-1]))
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
