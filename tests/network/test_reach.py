"""Where a node may dial: what is in its subnets and its static peers, in an order that is kind."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_node.errors import Refused
from bank_node.network.reach import Reach, StaticPeer, parse_static_peer, ports_to_try


def numbers(addresses):
    return [tuple(map(int, each.split("."))) for each in addresses]


def test_without_subnets_it_is_the_24_of_the_own_address():
    reach = Reach("10.1.2.3", [])
    expected = {f"10.1.2.{n}" for n in range(1, 255)} - {"10.1.2.3"}
    assert set(reach.addresses()) == expected
    assert reach.count == reach.total == 253


def test_the_same_rule_holds_on_loopback():
    assert set(Reach("127.9.9.1", []).addresses()) == {f"127.9.9.{n}" for n in range(2, 255)}


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.0", "10.1.2.255", "10.1.3.1", "8.8.8.8", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "10.1.2.3", "10.1.2.03", "10.1.2", "10.1.2.4:65525", "", "věta",
        "10.1.2.4 ", "::1", "10.1.2.٤",
    ],
)  # fmt: skip
def test_nothing_else_is_ever_dialled(address):
    assert not Reach("10.1.2.3", []).allows(address)


def test_hosts_of_the_subnets_are_allowed():
    reach = Reach("10.1.2.3", ["10.1.2.0/24", "192.168.0.0/30", "172.16.5.9/32"])
    allowed = ("10.1.2.4", "192.168.0.1", "192.168.0.2", "172.16.5.9")
    assert all(map(reach.allows, allowed))
    assert not reach.allows("192.168.0.3")
    assert set(allowed) <= set(reach.addresses())


def test_the_whole_internet_as_a_subnet_still_leaves_out_what_is_no_host():
    reach = Reach("10.1.2.3", ["0.0.0.0/0"])
    assert reach.allows("8.8.8.8")
    assert not any(map(reach.allows, ("0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255")))


def test_static_peers_are_allowed_wherever_they_are():
    reach = Reach("10.1.2.3", [], [StaticPeer("192.168.7.7", 4000), StaticPeer("10.1.2.9")])
    assert reach.allows("192.168.7.7")
    assert not reach.allows("192.168.7.8")
    assert next(reach.addresses()) == "192.168.7.7"
    assert list(reach.addresses()).count("10.1.2.9") == 1
    assert reach.count == 254


def test_neither_the_own_address_nor_no_address_is_dialled_because_it_is_a_static_peer():
    reach = Reach("10.1.2.3", [], [StaticPeer("10.1.2.3"), StaticPeer("255.255.255.255")])
    assert not reach.allows("10.1.2.3")
    assert not reach.allows("255.255.255.255")
    assert reach.count == 253


def test_neighbours_do_not_follow_each_other_and_the_order_is_always_the_same():
    reach = Reach("10.1.2.3", [])
    order = list(reach.addresses())
    last = [n[3] for n in numbers(order)]
    assert min(abs(a - b) for a, b in itertools.pairwise(last)) > 16
    assert order == list(reach.addresses())


def test_nested_and_repeated_subnets_count_once():
    reach = Reach("10.0.0.1", ["10.0.0.0/22", "10.0.1.0/24", "10.0.0.0/22"])
    assert len(list(reach.addresses())) == len(set(reach.addresses())) == reach.count == 1021
    assert reach.allows("10.0.1.0"), "within the bigger subnet it is a host like any other"


def test_a_big_subnet_is_cut_around_the_own_address_and_says_so():
    reach = Reach("10.77.5.9", ["10.0.0.0/8"], addresses_max=500)
    visited = set(reach.addresses())
    assert reach.is_cut
    assert reach.total == 2**24 - 3
    assert len(visited) == reach.count == 499
    assert {f"10.77.5.{n}" for n in range(256)} - {"10.77.5.9"} <= visited
    assert reach.allows("10.250.1.1"), "the cut is one of scans only"


def test_a_subnet_without_the_own_address_is_cut_at_its_end():
    reach = Reach("127.0.0.1", ["10.0.0.0/16"], addresses_max=10)
    assert set(reach.addresses()) == {f"10.0.0.{n}" for n in range(1, 11)}


def test_the_first_address_of_a_scan_of_a_whole_8_comes_at_once():
    reach = Reach("10.77.5.9", ["10.0.0.0/8"], addresses_max=2**24)
    assert len(list(itertools.islice(reach.addresses(), 5))) == 5


subnets = st.builds(
    lambda number, length: (
        f"{number >> 24 & 255}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/{length}"
    ),
    st.integers(0, 2**32 - 1),
    st.integers(22, 32),
).map(lambda text: _aligned(text))


def _aligned(text):
    from ipaddress import IPv4Network

    return str(IPv4Network(text, strict=False))


@given(st.lists(subnets, min_size=1, max_size=4), st.integers(0, 2000), st.integers(0, 255))
def test_what_is_visited_is_allowed_different_and_counted(given_subnets, at_most, last):
    own = given_subnets[0].split("/")[0].rsplit(".", 1)[0] + f".{last}"
    reach = Reach(own, given_subnets, [StaticPeer("9.9.9.9")], addresses_max=at_most)
    visited = list(reach.addresses())
    assert len(set(visited)) == len(visited) == reach.count <= max(1, at_most)
    assert all(map(reach.allows, visited))
    assert own not in visited
    assert reach.is_cut == (reach.count < reach.total)


def test_the_usual_port_comes_first_and_a_remembered_one_before_it():
    assert ports_to_try() == tuple(range(65525, 65536))
    assert ports_to_try(65530)[:2] == (65530, 65525)
    assert len(ports_to_try(65530)) == 11
    assert ports_to_try(4000) == (4000, *range(65525, 65536))


def test_a_static_peer_is_written_with_or_without_its_port():
    assert parse_static_peer("10.1.2.3") == ("10.1.2.3", None)
    assert parse_static_peer("10.1.2.3:4000") == ("10.1.2.3", 4000)
    with pytest.raises(Refused):
        parse_static_peer("10.1.2")
