"""The network interfaces that a bank can serve, and the settings that a choice comes to. Pure."""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any, NamedTuple

PORTS = range(65_525, 65_536)
_SMALLEST_PREFIX = 16


class Interface(NamedTuple):
    """A network that this machine is in."""

    name: str
    address: str
    subnet: str
    """As `10.1.2.0/24`."""


def address_problem(text: str) -> str:
    """What is wrong with an address to serve; empty if nothing is."""
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return "Type an address: four numbers with dots between them."
    if address.is_multicast or address.is_unspecified or address == IPv4Address("255.255.255.255"):
        return "Other banks must be able to call this address; it is the name of your bank."
    return ""


def port_problem(text: str) -> str:
    """What is wrong with a port; empty if nothing is."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) in PORTS):
        return f"Other banks look for yours on {PORTS[0]} to {PORTS[-1]}."
    return ""


def subnet_problem(text: str) -> str:
    """What is wrong with a subnet to search; empty if nothing is."""
    if not text:
        return ""
    try:
        network = IPv4Network(text, strict=True)
    except (AddressValueError, NetmaskValueError, ValueError):
        return "Type a subnet such as 10.1.2.0/24, or nothing."
    return "" if network.prefixlen >= _SMALLEST_PREFIX else "At most a /16 can be searched."


def settings(address: str, port: str, subnet: str) -> dict[str, Any]:
    """The content of `config.json` for an answer."""
    network: dict[str, Any] = {"host": address, "port": int(port)}
    if subnet:
        network["subnets"] = [subnet]
    return {"network": network}
