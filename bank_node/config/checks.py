"""What a value may be: the building blocks of the table in `settings.py`.

Each builder returns the `Meta` of one key: its one-line doc, its bounds, what to tell an operator
who got it wrong, and a check for what bounds cannot say. A check answers True for a right value.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from msgspec import Meta

from bank_node.config.currencies import CURRENCIES, is_rate
from bank_node.errors import Refused
from bank_node.values import BANK_PORTS, parse_amount, parse_bank_code, port_number

_HANDLE = re.compile(r"[a-z]{2,32}")
_PORTS: Final = range(1024, 65536)  # Lower ports need an administrator.
_DAY: Final = 86_400

_MYSQL_HOST: Final = r"[A-Za-z0-9._-]+(:[1-9][0-9]{0,4})?"
_MYSQL_URL: Final = re.compile(
    rf"mysql://[^:@/\0]+(:[^\0]*)?@{_MYSQL_HOST}(,{_MYSQL_HOST})*/[A-Za-z0-9_$-]+"
)


def _key(doc: str, expected: str, check: Callable[[Any], bool] | None, **bounds: Any) -> Meta:
    return Meta(description=doc, extra={"expected": expected, "check": check}, **bounds)


def live(meta: Meta) -> Meta:
    """Marks a key that a running node takes over without a new start."""
    assert meta.extra is not None
    meta.extra["live"] = True
    return meta


def whole(doc: str, lowest: int, highest: int) -> Meta:
    return _key(doc, f"a whole number from {lowest} to {highest}", None, ge=lowest, le=highest)


def seconds(doc: str, highest: int = _DAY) -> Meta:
    expected = f"a number of seconds greater than 0 and at most {highest}"
    return _key(doc, expected, None, gt=0, le=highest)


def pause(doc: str) -> Meta:
    return _key(doc, f"a number of seconds from 0 to {_DAY}", None, ge=0, le=_DAY)


def probability(doc: str) -> Meta:
    return _key(doc, "a number from 0 to 1", None, ge=0, le=1)


def one_of(doc: str, values: Collection[str], told: str) -> Meta:
    """A word of a list too long to tell; `told` says in its place what is right."""
    return _key(doc, told, lambda text: not text or text in values)


def flag(doc: str) -> Meta:
    return _key(doc, "true or false", None)


def choice(doc: str, *values: str) -> Meta:
    return _key(doc, " or ".join(f'"{value}"' for value in values), None)


def folder_path(doc: str) -> Meta:
    return _key(doc, 'the path of a folder, or ""', lambda text: "\0" not in text)


def address(doc: str) -> Meta:
    expected = 'an IPv4 address without leading zeros, such as "127.0.0.1"'
    return _key(doc, expected, _is_address)


def bank_address(doc: str) -> Meta:
    """Peers dial the code of a bank, so it has to be the address of one machine."""
    expected = 'the IPv4 address that other banks dial, such as "127.0.0.1", not "0.0.0.0"'
    return _key(doc, expected, lambda text: _is_address(text) and text != "0.0.0.0")  # noqa: S104


def bank_code(doc: str) -> Meta:
    expected = 'an IPv4 address such as "192.168.1.7", or ""'
    return _key(doc, expected, lambda text: not text or (_is_address(text) and text != "0.0.0.0"))  # noqa: S104


def bank_port(doc: str) -> Meta:
    expected = "0 or a whole number from 1024 to 65535, for classic peers from 65525"
    return _key(doc, expected, lambda port: port == 0 or port in _PORTS)


def operator_port(doc: str) -> Meta:
    highest = BANK_PORTS.start - 1
    expected = f"0 or a whole number from 1024 to {highest} (the ports above are for banks)"
    return _key(
        doc, expected, lambda port: port == 0 or (port in _PORTS and port not in BANK_PORTS)
    )


def bank_handle(doc: str) -> Meta:
    expected = '2 to 32 letters such as "prague", or ""'
    return _key(doc, expected, lambda text: not text or bool(_HANDLE.fullmatch(text)))


def currency_code(doc: str) -> Meta:
    expected = 'a currency of ISO 4217 with two decimals such as "CZK"'
    return _key(doc, expected, CURRENCIES.__contains__)


def rate_list(doc: str) -> Meta:
    expected = 'a list such as ["EUR=25.105"], each currency once'
    return _key(doc, expected, _are_rates)


def zone_name(doc: str) -> Meta:
    expected = '"" or a time zone that this machine knows, such as "Europe/Prague"'
    return _key(doc, expected, lambda name: not name or _is_time_zone(name))


def subnet_list(doc: str) -> Meta:
    expected = 'a list of subnets, each its first address and length, such as "192.168.1.0/24"'
    return _key(doc, expected, lambda each: all(map(_is_subnet, each)))


def peer_list(doc: str) -> Meta:
    expected = 'a list of addresses such as "192.168.1.7" or "192.168.1.7:65525"'
    return _key(doc, expected, lambda each: all(map(_is_peer, each)))


def cap_list(doc: str) -> Meta:
    expected = 'a list such as ["192.168.1.7=5000"], each bank once'
    return _key(doc, expected, _are_caps)


def bank_list(doc: str) -> Meta:
    expected = 'a list of addresses such as "192.168.1.7"'
    return _key(doc, expected, lambda each: all(map(_is_address, each)))


def follow_address(doc: str) -> Meta:
    expected = '"" or an address and port such as "192.168.1.7:65525"'
    return _key(doc, expected, lambda text: not text or (":" in text and _is_peer(text)))


def store_url(doc: str) -> Meta:
    expected = '"", "sqlite:///path/bank.db" or "mysql://user:password@host:port/database"'
    return _key(doc, expected, _is_store_url)


def _is_address(text: str) -> bool:
    try:
        parse_bank_code(text.encode("utf-8", "replace"))
    except Refused:
        return False
    return True


def _is_peer(text: str) -> bool:
    host, colon, port = text.partition(":")
    return _is_address(host) and (not colon or port_number(port) is not None)


def _are_caps(rows: tuple[str, ...]) -> bool:
    banks = [row.partition("=")[0] for row in rows]
    amounts = [row.partition("=")[2] for row in rows]
    return (
        len(set(banks)) == len(banks)
        and all(map(_is_address, banks))
        and all(map(_is_amount, amounts))
    )


def _are_rates(rows: tuple[str, ...]) -> bool:
    currencies = [row[:3] for row in rows]
    return (
        len(set(currencies)) == len(currencies)
        and CURRENCIES.issuperset(currencies)
        and all(row[3:4] == "=" and is_rate(row[4:]) for row in rows)
    )


def _is_amount(text: str) -> bool:
    try:
        parse_amount(text.encode("utf-8", "replace"))
    except Refused:
        return False
    return True


def _is_subnet(text: str) -> bool:
    from ipaddress import IPv4Network  # Most nodes name no subnet.

    try:
        IPv4Network(text)
    except ValueError:
        return False
    return "/" in text


def _is_time_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # Most nodes keep the time of their machine.

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _is_store_url(text: str) -> bool:
    from urllib.parse import urlsplit

    if not text:
        return True
    if text.startswith("mysql://"):
        # Several hosts are more than `urlsplit` understands.
        return bool(_MYSQL_URL.fullmatch(text.partition("?")[0]))
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_path = text.startswith("sqlite:///") and len(parts.path) > 1
    return parts.scheme == "sqlite" and is_path and "\0" not in text
