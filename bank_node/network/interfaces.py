"""The addresses of this machine, for whoever has to choose the one that a bank serves.

Linux is asked over netlink, which knows every address with its prefix; elsewhere the resolver and
the routing table tell the addresses alone. No packet leaves the machine.
"""

import errno
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

# Addresses of documentation: packets to it are routed like all others, and none is sent.
_ELSEWHERE = ("192.0.2.1", 9)

# From linux/netlink.h, linux/rtnetlink.h and linux/if_addr.h.
_GET_ADDRESSES, _NEW_ADDRESS = 22, 20
_ERROR, _DONE = 2, 3
_REQUEST_DUMP = 0x301
_ATTRIBUTE_ADDRESS, _ATTRIBUTE_LOCAL = 1, 2
_MESSAGE = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_REPLY_BYTES_MAX = 65_536


class InterfaceAddress(NamedTuple):
    """One IPv4 address of this machine."""

    address: str
    prefix: int | None
    """Length of its subnet's prefix, such as 24; None where the system does not tell."""
    interface: str
    """Name of the interface; empty where the system does not tell."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine itself can reach it."""
        return self.address.startswith("127.")


def addresses_of_this_machine() -> list[InterfaceAddress]:
    """All IPv4 addresses, those that other machines may reach first; none if nothing is known."""
    try:
        found = list(_from_netlink()) if sys.platform == "linux" else list(_from_names())
    except OSError:
        found = list(_from_names())
    unique = {each.address: each for each in reversed(found)}
    return sorted(unique.values(), key=lambda each: (each.is_loopback, _number(each.address)))


def obstacle(address: str, port: int) -> str:
    """Why nobody can be served on this address and port just now; empty if nothing is in the way.

    Nothing is sent, and the port is free again at once.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As a server does it: connections that ended lately are no obstacle.
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return f"{address} is not an address of this machine."
            return f"Another program uses the port {port} of {address}."
    return ""


def free_loopback(port: int) -> str:
    """The first address of this machine alone on which nobody uses a port, or else the first.

    So several banks try each other out on one machine: each is named by an address of its own.
    """
    for last in range(1, 255):
        if not obstacle(f"127.0.0.{last}", port):
            return f"127.0.0.{last}"
    return "127.0.0.1"


def _number(address: str) -> bytes:
    return socket.inet_aton(address)


def _from_names() -> Iterator[InterfaceAddress]:
    """What the resolver tells of this machine's name, and the address of its default route."""
    with suppress(OSError):
        for *_, address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            yield InterfaceAddress(str(address[0]), None, "")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_ELSEWHERE)
        yield InterfaceAddress(probe.getsockname()[0], None, "")
    yield InterfaceAddress("127.0.0.1", None, "")


def _from_netlink() -> Iterator[InterfaceAddress]:
    """Asks the kernel for all addresses. Raises OSError."""
    if sys.platform != "linux":
        return
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(1.0)
        body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        length = _MESSAGE.size + len(body)
        kernel.send(_MESSAGE.pack(length, _GET_ADDRESSES, _REQUEST_DUMP, 1, 0) + body)
        while True:
            for kind, message in _messages(kernel.recv(_REPLY_BYTES_MAX)):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError("the kernel does not tell its addresses")
                if kind == _NEW_ADDRESS and message[0] == socket.AF_INET:
                    yield from _address(message)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _MESSAGE.size:
        length, kind, *_ = _MESSAGE.unpack_from(data)
        yield kind, data[_MESSAGE.size : length]
        data = data[_aligned(length) :]


def _address(message: bytes) -> Iterator[InterfaceAddress]:
    _, prefix, _, _, index = _ADDRESS.unpack_from(message)
    found: dict[int, bytes] = {}
    rest = message[_ADDRESS.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        found[kind] = rest[_ATTRIBUTE.size : length]
        rest = rest[_aligned(max(length, _ATTRIBUTE.size)) :]
    # On a line from point to point the plain address is the other end's.
    own = found.get(_ATTRIBUTE_LOCAL) or found.get(_ATTRIBUTE_ADDRESS)
    if own is not None and len(own) == 4:
        yield InterfaceAddress(socket.inet_ntoa(own), prefix, _name(index))


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return ""


def _aligned(length: int) -> int:
    return max(4, length + 3 & ~3)
