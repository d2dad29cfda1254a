"""A small network of hosts in network namespaces of Linux, with cables that can be pulled.

Every host has an address of its own in 10.77.0.0/24 and one cable to a switch (a bridge in a
namespace of its own). Both ends of each cable are created inside the namespaces, so that nothing
of the machine's own network is touched; everything is gone when the block ends. Needs root, the
command `ip` and a kernel that knows namespaces; `requires_namespaces` skips a test elsewhere.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

import pytest

Result = TypeVar("Result")

SUBNET = "10.77.0.0/24"
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


class Host:
    """A machine on the network: one namespace, one address, one cable."""

    def __init__(self, name: str, address: str, switch: str, port: str) -> None:
        self.name = name
        self.address = address
        self._switch = switch
        self._port = port

    def command(self, *words: object) -> list[str]:
        """The command line that runs these words on this host."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command on this host to its end; fails if it does not return 0."""
        return _run(*self.command(*words), **options)

    def start(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        """Starts a command on this host; killed with the network if it still runs then."""
        return subprocess.Popen(self.command(*words), text=True, **options)

    def inside(self, work: Callable[[], Result]) -> Result:
        """Calls a function on a thread that lives on this host; sockets made there stay there."""
        ends: list[Result] = []
        errors: list[BaseException] = []

        def enter() -> None:
            try:
                with open(f"/run/netns/{self.name}", "rb") as namespace:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                ends.append(work())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=enter, name=f"on-{self.name}")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return ends[0]

    def pull_the_cable(self) -> None:
        _ip("-n", self._switch, "link", "set", self._port, "down")

    def plug_the_cable_in(self) -> None:
        _ip("-n", self._switch, "link", "set", self._port, "up")

    def lose_the_route_to(self, other: "Host") -> None:
        """From now on packets to the other host vanish; those from it still arrive."""
        _ip("-n", self.name, "route", "add", "blackhole", f"{other.address}/32")

    def find_the_route_to(self, other: "Host") -> None:
        _ip("-n", self.name, "route", "del", "blackhole", f"{other.address}/32")

    def neighbours(self) -> set[str]:
        """The addresses that this host has looked for, found or not."""
        lines = _ip("-n", self.name, "neigh").splitlines()
        return {line.split()[0] for line in lines if ":" not in line.split()[0]}


@contextlib.contextmanager
def lan(hosts: int) -> Iterator[Sequence[Host]]:
    """A network of so many hosts, at most 254, with the addresses 10.77.0.1, 10.77.0.2 ..."""
    prefix = f"bank{os.getpid()}n{next(_numbers)}"
    switch = f"{prefix}-switch"
    names = [f"{prefix}-{n}" for n in range(1, hosts + 1)]
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        yield [
            _plugged(Host(name, f"10.77.0.{n}", switch, f"port{n}"), switch, f"port{n}")
            for n, name in enumerate(names, 1)
        ]
    finally:
        for name in (*names, switch):
            _remove(name)


def _plugged(host: Host, switch: str, port: str) -> Host:
    _ip("netns", "add", host.name)
    _ip("link", "add", "eth0", "netns", host.name, "type", "veth",
        "peer", "name", port, "netns", switch)  # fmt: skip
    _ip("-n", switch, "link", "set", port, "master", "switch", "up")
    _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
    _ip("-n", host.name, "link", "set", "lo", "up")
    _ip("-n", host.name, "link", "set", "eth0", "up")
    return host


def _remove(name: str) -> None:
    """Ends what still runs in a namespace, and the namespace; quiet if there is none."""
    found = subprocess.run(
        ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
    )
    for process in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*words: object) -> str:
    return _run("ip", *words).stdout


def _run(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    given = {"capture_output": True, "text": True, "timeout": 60, "check": False, **options}
    done = subprocess.run([*map(str, words)], **given)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr}"
    return done


@cache
def why_not() -> str:
    """Why there can be no such network on this machine; empty if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are of Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip is missing (Debian: iproute2)"
    try:
        with lan(1):
            return ""
    except AssertionError as error:
        return f"this kernel or container allows no network namespaces: {error}"


@pytest.fixture(scope="session")
def requires_namespaces() -> None:
    """Skips the test where there are no namespaces, and says why."""
    if why_not():
        pytest.skip(why_not())
