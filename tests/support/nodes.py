"""A whole node inside the test process, on a loopback address and a port of its own."""

import fcntl
import itertools
import os
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

import bank_node.node.node
from bank_node.config import Settings, load
from bank_node.ledger.book import State
from bank_node.ledger.journal import Block
from bank_node.ledger.operations import Operation, Result
from bank_node.ledger.store import Store
from bank_node.network.peers import Directory
from bank_node.node import Node
from bank_node.service.calls import Survey
from bank_node.values import BANK_PORTS
from support.wire import Address, Wire

_LANES = 60
_held: list[TextIO] = []


def _lane() -> int:
    """A number that no other process that runs tests on this machine has at the moment."""
    # The first addresses of 127.0.0.0/24 belong to `bank demo`.
    for number in range(1, _LANES + 1):
        path = Path(tempfile.gettempdir(), f"bank-tests-{os.getuid()}-{number}.lock")
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
        else:
            _held.append(lock)
            return number
    raise AssertionError(f"{_LANES} processes run tests on this machine already")


# Tests run in several processes, each on addresses of its own.
WORKER = _lane()
_hosts = itertools.cycle(f"127.0.{WORKER}.{n}" for n in range(2, 255))


def some_host() -> str:
    """A loopback address that the tests before this one did not just use."""
    return next(_hosts)


def bank_port(host: str) -> int:
    """A port on which banks are looked for, and which nobody uses at this address."""
    for port in BANK_PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"all ports of banks are taken at {host}")


def settings(data: Path, **overrides: object) -> Settings:
    """Settings of a test node; a key such as `network__timeout` overrides one of them."""
    host = overrides.pop("network__host", None) or some_host()
    given: dict[str, object] = {
        "data": str(data),
        "network.host": host,
        "network.port": 0,
        # Nodes of other tests are no neighbours.
        "network.subnets": [f"{host}/32"],
        "network.scan_every": 0,
        "network.timeout": 10.0,
        "operator.port": 0,
    }
    given.update((key.replace("__", "."), value) for key, value in overrides.items())
    return load(None, {}, given).settings


class Running:
    """A node that serves."""

    def __init__(self, node: Node, address: Address) -> None:
        self.node = node
        self.address = address
        self.bank = node.settings.network.host

    def wire(self, *, deadline_s: float = 10.0) -> Wire:
        return Wire(self.address, deadline_s=deadline_s)

    def figures(self) -> dict[str, Any]:
        return self.node.metrics.snapshot()

    @property
    def directory(self) -> Directory:
        """The peers that it knows."""
        assert self.node.banks is not None
        return self.node.banks.neighbourhood.directory

    def survey(self) -> Survey:
        """What it would plan a robbery with."""
        assert self.node.banks is not None
        return self.node.banks.survey(2.0, 0)

    @property
    def connections(self) -> int:
        return self.node.metrics.connections


@contextmanager
def running_node(data: Path, **overrides: object) -> Iterator[Running]:
    """A node that serves until the block ends."""
    node = Node(settings(data, **overrides))
    try:
        yield Running(node, node.start())
    finally:
        node.stop()


def open_network(stack: ExitStack, folder: Path, count: int, **overrides: object) -> list[Running]:
    """Nodes that may dial each other and nobody else; they serve until the stack ends."""
    hosts = [some_host() for _ in range(count)]
    return [
        stack.enter_context(
            running_node(
                folder / host,
                network__host=host,
                # Where each of them is found: on a port of banks.
                network__port=bank_port(host),
                network__subnets=[f"{other}/32" for other in hosts],
                **overrides,
            )
        )
        for host in hosts
    ]


class StallingStore:
    """A store whose disk can be stopped: a commit waits until `go` is set."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.go = threading.Event()
        self.go.set()
        self.waiting = threading.Event()
        self.reads_are_instant = store.reads_are_instant

    def commit(self, state: State, block: Block) -> None:
        if not self.go.is_set():
            self.waiting.set()
            assert self.go.wait(60), "nobody let the disk go on"
            self.waiting.clear()
        self._store.commit(state, block)

    def fork(self, operations: Sequence[Operation]) -> State:
        return self._store.fork(operations)

    def read(self, operation: Operation) -> Result:
        return self._store.read(operation)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def stalling_node(data: Path, **overrides: object) -> Iterator[tuple[Running, StallingStore]]:
    """A node whose disk the test can stop and let go on."""
    stores: list[StallingStore] = []
    real = bank_node.node.node.open_store

    def open_stalling(settings: Settings) -> Store:
        stores.append(StallingStore(real(settings)))
        return stores[0]

    bank_node.node.node.open_store = open_stalling
    try:
        node = Node(settings(data, **overrides))
        running = Running(node, node.start())
    finally:
        bank_node.node.node.open_store = real
    try:
        yield running, stores[0]
    finally:
        stores[0].go.set()
        node.stop()
