"""Hosts on a subnet of their own: scans among black holes, pulled cables, a route lost one way."""

import asyncio
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest
from support.netns import SUBNET, lan, requires_namespaces
from support.polling import until

from bank_node.network.interfaces import InterfaceAddress, addresses_of_this_machine
from bank_node.network.peers import Directory, State
from bank_node.network.reach import Reach
from bank_node.network.scanner import ScanLimits, Scanner

__all__ = ["requires_namespaces"]

pytestmark = pytest.mark.usefixtures("requires_namespaces")

PORT = 65530


@contextmanager
def bank_on(host):
    """A small bank that answers BC with the address of its host."""
    listener = host.inside(lambda: socket.create_server((host.address, PORT)))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if connection.recv(100).startswith(b"BC"):
                    connection.sendall(f"BC {host.address}\n".encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def ping(caller, callee, timeout_s=0.3):
    """Whether a question reaches the other host over TCP and its answer comes back."""

    def call():
        try:
            with socket.create_connection((callee.address, PORT), timeout_s) as wire:
                wire.sendall(b"BC\r\n")
                return wire.recv(100) == f"BC {callee.address}\n".encode()
        except OSError:
            return False

    return caller.inside(call)


def udp_socket():
    return socket.socket(type=socket.SOCK_DGRAM)


def test_hosts_reach_each_other_until_a_cable_is_pulled_and_again_when_it_is_back():
    with lan(2) as (one, two), bank_on(one), bank_on(two):
        until(lambda: ping(one, two), "the cable is plugged in")
        assert ping(two, one)
        two.pull_the_cable()
        assert not ping(one, two)
        assert not ping(two, one)
        two.plug_the_cable_in()
        until(lambda: ping(one, two), "the cable is back")


def test_a_route_that_is_lost_one_way_lets_packets_through_the_other_way():
    with lan(2) as (one, two):
        ears = {one: one.inside(udp_socket), two: two.inside(udp_socket)}
        for host, ear in ears.items():
            ear.bind((host.address, PORT))
            ear.settimeout(20)
        one.lose_the_route_to(two)
        ears[two].sendto(b"hello", (one.address, PORT))
        assert ears[one].recv(100) == b"hello"
        with pytest.raises(OSError):
            ears[one].sendto(b"answer", (two.address, PORT))
        one.find_the_route_to(two)
        ears[one].sendto(b"answer", (two.address, PORT))
        assert ears[two].recv(100) == b"answer"
        for ear in ears.values():
            ear.close()


def test_everything_is_gone_afterwards_whatever_still_ran():
    with lan(2) as (one, two):
        sleeper = one.start("sleep", "600")
        assert "10.77.0.1/24" in one.run("ip", "addr").stdout
    assert sleeper.wait(60) != 0
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert one.name not in listed.stdout
    assert two.name not in listed.stdout


def test_the_addresses_of_a_machine_are_those_it_has():
    with lan(1) as (host,):
        host.run("ip", "addr", "add", "10.78.0.9/16", "dev", "eth0")
        assert host.inside(addresses_of_this_machine) == [
            InterfaceAddress("10.77.0.1", 24, "eth0"),
            InterfaceAddress("10.78.0.9", 16, "eth0"),
            InterfaceAddress("127.0.0.1", 8, "lo"),
        ]


def test_a_scan_finds_all_hosts_among_black_holes_in_less_than_three_seconds():
    async def play(own):
        loop = asyncio.get_running_loop()
        directory = Directory(own)
        scanner = Scanner(Reach(own, []), directory, ScanLimits(), loop.time)
        end = await scanner.scan()
        # A machine that does something else at the moment may need another scan.
        for _ in range(2):
            if end.seconds >= 3:
                end = await scanner.scan()
        return end, directory

    with lan(4) as (own, *others), bank_on(others[0]), bank_on(others[1]), bank_on(others[2]):
        end, directory = own.inside(lambda: asyncio.run(play(own.address)))
        looked_for = own.neighbours()
    assert end.found == 4
    assert end.seconds < 3
    assert {peer.code for peer in directory.banks()} == {host.address for host in others}
    prefix = SUBNET.removesuffix("0/24")
    assert looked_for <= {f"{prefix}{n}" for n in range(1, 255)} - {own.address}
    assert len(looked_for) == 253


def test_a_bank_whose_cable_is_pulled_is_noticed_and_used_again_when_it_is_back():
    async def play(own, other):
        loop = asyncio.get_running_loop()
        directory = Directory(own.address)
        reach = Reach(own.address, [f"{other.address}/32"])
        limits = ScanLimits(time_out_s=0.2, every_s=0)
        scanner = Scanner(reach, directory, limits, loop.time)
        watching = asyncio.create_task(scanner.run())
        assert (await scanner.scan()).found == 2

        async def becomes(state):
            async with asyncio.timeout(60):
                while directory.get(other.address).state is not state:
                    await asyncio.wait((watching,), timeout=0.05)

        other.pull_the_cable()
        # As after a failed call, so that the test need not wait for the next question.
        directory.call_ended(other.address, loop.time(), why="no reply")
        await becomes(State.SILENT)
        other.plug_the_cable_in()
        await becomes(State.VERIFIED)
        watching.cancel()

    with lan(2) as (own, other), bank_on(other):
        own.inside(lambda: asyncio.run(play(own, other)))
