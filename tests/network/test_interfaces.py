"""The addresses of this machine, wherever the system keeps them."""

import ipaddress
import socket
import sys

import pytest

from bank_node.network import interfaces
from bank_node.network.interfaces import addresses_of_this_machine, free_loopback, obstacle


def check(found):
    assert "127.0.0.1" in [each.address for each in found]
    assert len({each.address for each in found}) == len(found)
    assert [each.is_loopback for each in found] == sorted(each.is_loopback for each in found)
    for each in found:
        ipaddress.IPv4Address(each.address)


def test_the_addresses_of_this_machine_are_told_once_and_loopback_last():
    check(addresses_of_this_machine())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells prefixes")
def test_each_has_its_prefix_and_interface():
    found = {each.address: each for each in addresses_of_this_machine()}
    assert found["127.0.0.1"].prefix == 8
    assert found["127.0.0.1"].interface == "lo"


def test_a_system_without_netlink_is_asked_by_name(monkeypatch):
    def refuse():
        raise OSError("no netlink")

    monkeypatch.setattr(interfaces, "_from_netlink", refuse)
    check(addresses_of_this_machine())


def test_a_port_in_use_is_an_obstacle_and_another_address_is_offered():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert str(port) in obstacle("127.0.0.1", port)
        assert free_loopback(port) not in ("", "127.0.0.1")


def test_an_address_of_another_machine_is_an_obstacle():
    assert "not an address of this machine" in obstacle("192.0.2.254", 0)
