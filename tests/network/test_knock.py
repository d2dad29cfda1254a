"""Knocking at real ports of loopback, and a scan of real sockets from end to end."""

import asyncio
import gc
import os
import socket
import sys
import threading
from contextlib import ExitStack, contextmanager

import pytest
from support.nodes import WORKER

from bank_node.network import knock as knocking
from bank_node.network.knock import NoSocket, knock
from bank_node.network.peers import Directory
from bank_node.network.reach import Reach
from bank_node.network.scanner import ScanLimits, Scanner

NETWORK = f"127.77.{WORKER}"
HOST = f"{NETWORK}.9"

only_where_loopback_is_wide = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux answers on all of 127.0.0.0/8"
)
pytestmark = only_where_loopback_is_wide


@pytest.fixture(params=["callbacks", "tasks"])
def way(request, monkeypatch):
    """Both ways to knock, that of most systems and that of Windows."""
    if request.param == "tasks":
        monkeypatch.setattr(knocking, "_knock_by_callbacks", knocking._knock_by_tasks)


@contextmanager
def listening(host=HOST, port=0, backlog=16):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        yield listener


def knocked(ports, timeout_s=5.0, host=HOST):
    found = []

    def opened(port, sock):
        assert sock.getpeername() == (host, port)
        found.append(port)
        sock.close()

    asyncio.run(knock(host, ports, timeout_s, opened))
    return found


def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_the_ports_that_accept_are_told_and_no_others(way):
    with listening() as one, listening() as other, listening() as closed:
        free = closed.getsockname()[1]
        closed.close()
        ports = {one.getsockname()[1], other.getsockname()[1]}
        assert set(knocked([*ports, free])) == ports
        assert knocked([free]) == []


def test_a_port_that_says_nothing_costs_the_time_out_and_leaves_no_socket(way):
    with listening(backlog=0) as full, ExitStack() as callers:
        address = full.getsockname()
        # The queue of a listener that accepts nobody fills up; then packets vanish.
        for _ in range(4):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        before = open_files()
        assert knocked([address[1]], timeout_s=0.1) == []
        assert open_files() == before


def test_whoever_stops_knocking_leaves_no_socket(way):
    async def play(address):
        task = asyncio.create_task(knock(HOST, [address[1]], 60, lambda port, sock: None))
        await asyncio.wait((task,), timeout=0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with listening(backlog=0) as full, ExitStack() as callers:
        for _ in range(4):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        before = open_files()
        asyncio.run(play(full.getsockname()))
        assert open_files() == before


def test_want_of_sockets_is_told_as_our_own_trouble(way):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def play():
        resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
        try:
            with pytest.raises(NoSocket):
                await knock(HOST, range(65525, 65536), 1, lambda port, sock: None)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    asyncio.run(play())


class TinyBank:
    """Answers every line with one reply, or never."""

    def __init__(self, listener, reply):
        self.asked = []
        self._reply = reply
        self._listener = listener
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        held = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            line = connection.recv(100)
            self.asked.append(line)
            if line and self._reply:
                connection.sendall(self._reply)
                connection.close()
            else:
                held.append(connection)
        for connection in held:
            connection.close()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()


@contextmanager
def banks(*rows):
    with ExitStack() as stack:
        all_banks = []
        for host, port, reply in rows:
            bank = TinyBank(stack.enter_context(listening(host, port)), reply)
            stack.callback(bank.stop)
            all_banks.append(bank)
        yield all_banks


def test_a_scan_over_real_sockets_asks_over_the_connection_that_was_opened():
    async def play():
        loop = asyncio.get_running_loop()
        directory = Directory(f"{NETWORK}.1")
        reach = Reach(f"{NETWORK}.1", [f"{NETWORK}.0/27"])
        limits = ScanLimits(time_out_s=0.3)
        scanner = Scanner(reach, directory, limits, loop.time)
        return await scanner.scan(), directory

    rows = (
        (f"{NETWORK}.5", 65525, f"BC {NETWORK}.5\r\n".encode()),
        (f"{NETWORK}.6", 65535, f"BC {NETWORK}.6\n".encode()),
        (f"{NETWORK}.7", 65530, b""),
        (f"{NETWORK}.8", 65531, b"SSH-2.0-OpenSSH\r\n"),
    )
    before = open_files()
    with banks(*rows) as (ours, classic, mute, other):
        end, directory = asyncio.run(play())
    assert end.found == 3
    assert {peer.code: peer.port for peer in directory.banks()} == {
        f"{NETWORK}.5": 65525,
        f"{NETWORK}.6": 65535,
    }
    assert ours.asked == [b"BC\r\n", b"VE\r\n"]
    assert [classic.asked, mute.asked, other.asked] == [[b"BC\r\n"]] * 3
    assert open_files() == before


def test_a_connection_that_nobody_used_is_closed():
    async def ask_nothing(endpoint, line, deadlines, connect=None):
        raise RuntimeError("unforeseen")

    async def play():
        scanner = Scanner(
            Reach(f"{NETWORK}.1", [f"{NETWORK}.8/30"]),
            Directory(f"{NETWORK}.1"),
            ScanLimits(time_out_s=0.3),
            asyncio.get_running_loop().time,
            ask=ask_nothing,
        )
        return await scanner.scan()

    before = open_files()
    with listening(HOST, 65525):
        assert asyncio.run(play()).found == 1
    assert open_files() == before
