"""Where this node may dial: the subnets of its settings, its static peers, and nothing else.

Pure. Knows addresses as numbers; never knows whether anybody is there.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network
from math import gcd
from typing import NamedTuple

from bank_node.errors import Refused
from bank_node.values import BANK_PORTS, BankCode, parse_bank_code

# `0.0.0.0/8` names no host; from `224.0.0.0` up are multicast and reserved addresses.
_FIRST_HOST = 1 << 24
_LAST_HOST = (224 << 24) - 1
_LOOPBACK = 127
# A bank's own /24, which is also what a scan that is cut begins with.
_NEIGHBOURS = 256
# A step of this share of the whole leaves consecutive addresses far from each other.
_GOLDEN = 0.618
# Clients name any address, and the same few again and again.
_KNOWN_MAX = 1024


class StaticPeer(NamedTuple):
    """A bank that the settings name; without a port it is looked for on all ports of banks."""

    host: BankCode
    port: int | None = None


def parse_static_peer(text: str) -> StaticPeer:
    """A row of the setting `network.peers`: `address` or `address:port`.

    Raises Refused(ACCOUNT_FORMAT), or ValueError for a port that is no number.
    """
    host, _, port = text.partition(":")
    return StaticPeer(parse_bank_code(host.encode()), int(port) if port else None)


class _Block(NamedTuple):
    """The host addresses of one subnet, as numbers."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Reach:
    """The addresses that may be dialled, and the order in which a scan visits them."""

    def __init__(
        self,
        own: BankCode,
        subnets: Sequence[str],
        peers: Sequence[StaticPeer] = (),
        *,
        addresses_max: int = 65_536,
    ) -> None:
        """`subnets` are such as `10.1.2.0/24`; none means the /24 of the own address.

        A scan visits at most `addresses_max` addresses. Raises ValueError for a wrong subnet.
        """
        self._known: dict[str, bool] = {}
        self.own = own
        self.peers = tuple(peers)
        self._own = _number(own)
        self._named = {peer.host for peer in peers if _may_be_host(_number(peer.host))} - {own}
        networks = [IPv4Network(each) for each in subnets] or [IPv4Network(f"{own}/24", False)]
        self._networks = networks
        self._blocks = _blocks(networks)
        self._size = sum(block.size for block in self._blocks)
        self._outside = sorted(
            (each for each in self._named if not self._in_blocks(_number(each))), key=_number
        )
        self._visited = min(self._size, max(0, addresses_max - len(self._outside)))
        self.total = len(self._outside) + self._size - self._in_blocks(self._own)
        """How many addresses may be dialled."""

    def named(self) -> tuple[str, ...]:
        """The subnets, and the static peers outside of them."""
        return (*map(str, self._networks), *self._outside)

    def allows(self, address: str) -> bool:
        """Whether a connection to this address may be opened; never to the own one."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known = {}
            known = self._known[address] = self._allows(address)
        return known

    def _allows(self, address: str) -> bool:
        if address in self._named:
            return True
        try:
            number = _number(parse_bank_code(address.encode("utf-8", "replace")))
        except Refused:
            return False
        return number != self._own and self._in_blocks(number)

    @property
    def count(self) -> int:
        """How many addresses a scan visits."""
        own_is_visited = self._in_blocks(self._own) and self._window_holds(self._own)
        return len(self._outside) + self._visited - own_is_visited

    def visits(self, address: str) -> bool:
        """Whether `addresses` yields this address."""
        if not self.allows(address):
            return False
        number = _number(address)
        return not self._in_blocks(number) or self._window_holds(number)

    @property
    def is_cut(self) -> bool:
        """Whether a scan leaves addresses out because there are too many."""
        return self.count < self.total

    def addresses(self) -> Iterator[BankCode]:
        """What a scan visits: static peers outside of the subnets first, then the subnets.

        Neighbours do not follow each other, so that no switch, ban list or table of neighbours
        meets them in a row; the order is always the same. Where there are too many addresses,
        those around the own one are kept. Nothing is kept in memory.
        """
        yield from self._outside
        start, step = self._window_start(), _step(self._visited)
        for turn in range(self._visited):
            number = self._at((start + turn * step % self._visited) % self._size)
            if number != self._own:
                yield _dotted(number)

    def _in_blocks(self, number: int) -> bool:
        return any(block.first <= number <= block.last for block in self._blocks)

    def _at(self, index: int) -> int:
        """The address with this place among the hosts of all subnets."""
        for block in self._blocks:
            if index < block.size:
                return block.first + index
            index -= block.size
        raise IndexError(index)

    def _place(self, number: int) -> int:
        """The inverse of `_at`; 0 for an address that is in no subnet."""
        before = 0
        for block in self._blocks:
            if block.first <= number <= block.last:
                return before + number - block.first
            before += block.size
        return 0

    def _window_start(self) -> int:
        """Where the visited part begins: at the own /24, if it is in the subnets."""
        base = self._own - self._own % _NEIGHBOURS
        place = self._place(self._own)
        return max(0, place - (self._own - base)) if self._in_blocks(self._own) else 0

    def _window_holds(self, number: int) -> bool:
        return (self._place(number) - self._window_start()) % self._size < self._visited


def ports_to_try(remembered: int | None = None) -> tuple[int, ...]:
    """The ports on which an address may have a bank, the likeliest first."""
    if remembered is None:
        return tuple(BANK_PORTS)
    return (remembered, *(port for port in BANK_PORTS if port != remembered))


def is_loopback(address: str) -> bool:
    """Whether packets to this address stay on this machine."""
    return address.startswith(f"{_LOOPBACK}.")


def _blocks(networks: Sequence[IPv4Network]) -> list[_Block]:
    kept: list[IPv4Network] = []
    for network in sorted(networks, key=lambda each: each.prefixlen):
        if not any(network.subnet_of(other) for other in kept):
            kept.append(network)
    return [block for block in map(_hosts, sorted(kept)) if block.size > 0]


def _hosts(network: IPv4Network) -> _Block:
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.prefixlen < 31:
        first, last = first + 1, last - 1
    return _Block(max(first, _FIRST_HOST), min(last, _LAST_HOST))


def _may_be_host(number: int) -> bool:
    return _FIRST_HOST <= number <= _LAST_HOST


@lru_cache(maxsize=4096)
def _number(address: str) -> int:
    a, b, c, d = map(int, address.split("."))
    return a << 24 | b << 16 | c << 8 | d


def _dotted(number: int) -> BankCode:
    return BankCode(f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")


def _step(size: int) -> int:
    """A step that visits each of `size` places once."""
    step = max(1, int(size * _GOLDEN))
    while gcd(step, size) != 1:
        step += 1
    return step
