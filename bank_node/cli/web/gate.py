"""Who may see the console in a browser: by which name it was called, from where, with which key.

Knows words of requests; never a socket, and nothing of what is behind the gate.
"""

import hmac
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from bank_node.errors import StartupError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What a browser also calls these two.
_LOCALHOST = ("127.0.0.1", "::1")


class Site(NamedTuple):
    """A name that a server goes by: `http` or `https`, and the address as browsers write it."""

    scheme: str
    place: str

    @property
    def origin(self) -> str:
        """What a browser calls a page from here."""
        return f"{self.scheme}://{self.place}"

    @property
    def socket_origin(self) -> str:
        """The same for a websocket."""
        return f"{self.scheme.replace('http', 'ws')}://{self.place}"


def site_at(host: str, port: int, *, encrypted: bool) -> Site:
    """The name of an address and a port."""
    scheme = "https" if encrypted else "http"
    bracketed = f"[{host}]" if ":" in host else host
    default = port == _DEFAULT_PORTS[scheme]
    return Site(scheme, bracketed if default else f"{bracketed}:{port}")


def public_site(url: str) -> Site:
    """The name in a URL that leads here from elsewhere. Raises StartupError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in _DEFAULT_PORTS or parts.path not in ("", "/"):
        raise StartupError(f"{url[:80]!r} is not written http://NAME:PORT or https://NAME")
    encrypted = parts.scheme == "https"
    return site_at(host, port or _DEFAULT_PORTS[parts.scheme], encrypted=encrypted)


class Gate:
    """Decides by the words of a request alone."""

    def __init__(
        self, *, draw: Callable[[], str], public: Site | None = None, encrypted: bool = False
    ) -> None:
        """`draw` makes secrets; `public` is a name by which others reach this server."""
        self.key = draw()
        """What the URL to open carries."""
        self.cookie = draw()
        """What a browser that has shown the key is given. The key may be read over a shoulder or in
        a history, and opens nothing without being shown first."""
        self.public = public
        self._encrypted = encrypted

    def site(self, hosts: list[str], arrived_at: tuple[str, int]) -> Site | None:
        """The name that a request was sent to; None if this server does not go by it.

        `hosts` are the request's Host headers. A page of a stranger whose name is made to lead to
        this machine arrives at the right address, but names the stranger.
        """
        if len(hosts) != 1:
            return None
        address, port = arrived_at
        known = [site_at(address, port, encrypted=self._encrypted)]
        if address in _LOCALHOST:
            known.append(site_at("localhost", port, encrypted=self._encrypted))
        if self.public is not None:
            known.append(self.public)
        return next((site for site in known if site.place == hosts[0].lower()), None)

    def takes_key(self, offered: str) -> bool:
        """Whether this is the key; takes the same time however much of it is right."""
        return _same(self.key, offered)

    def admits(self, cookie: str) -> bool:
        """Whether this is the cookie of somebody who has shown the key."""
        return _same(self.cookie, cookie)


def is_this_machine(address: str) -> bool:
    """Whether nobody else can reach an address. Raises StartupError when it is none."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        raise StartupError(f"{address[:80]!r} is not an IP address to listen on") from None


def _same(secret: str, offered: str) -> bool:
    return hmac.compare_digest(secret.encode(), offered.encode("utf-8", "replace"))
