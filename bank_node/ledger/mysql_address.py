"""The URL of a MySQL store, taken apart. The password is never shown."""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from bank_node.errors import StartupError
from bank_node.values import port_number

DEFAULT_PORT = 3306

_DATABASE = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_$-]{0,63}")
_OPTIONS = ("unix_socket", "ssl", "ssl_ca")
_SSL = ("preferred", "off", "required")


class Address(NamedTuple):
    """Where a database is and who asks for it. Hosts are tried in their order."""

    user: str
    password: str
    hosts: tuple[tuple[str, int], ...]
    database: str
    unix_socket: str = ""
    ssl: str = "preferred"
    ssl_ca: str = ""

    def __str__(self) -> str:
        """Fit for logs and messages: without the password."""
        where = self.unix_socket or ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"mysql://{self.user}@{where}/{self.database}"

    def __repr__(self) -> str:
        return f"Address({self})"


def parse_address(url: str) -> Address:
    """The address in `mysql://user:password@host:port[,host:port...]/database?option=value`.

    User, password and options are percent-decoded. Options are `unix_socket`, a path; `ssl`, one
    of preferred, off, required; `ssl_ca`, the file of the authority that must have signed the
    server's certificate. Raises StartupError, whose text does not repeat the URL.
    """
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    who_and_where, slash, database = rest.partition("/") if "@" not in rest else _at_last(rest)
    credentials, at, where = who_and_where.rpartition("@")
    user, _, password = credentials.partition(":")
    if scheme != "mysql" or not (slash and at and user and where):
        raise _wrong("must look like mysql://user:password@host:port/database")
    if not _DATABASE.fullmatch(database):
        raise _wrong("must end in the name of a database: letters, digits, _, $ and -")
    options = _options(query)
    return Address(
        user=unquote(user),
        password=unquote(password),
        hosts=tuple(_host(each) for each in where.split(",")),
        database=database,
        **options,
    )


def _at_last(rest: str) -> tuple[str, str, str]:
    """Splits behind the host: an unquoted password may itself hold a slash."""
    credentials, at, tail = rest.rpartition("@")
    where, slash, database = tail.partition("/")
    return credentials + at + where, slash, database


def _host(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    number = port_number(port)
    if colon and number is None:
        raise _wrong("has a port that is not a number from 1 to 65535")
    if not host or not host.isprintable() or any(c in host for c in " []"):
        raise _wrong("has no usable host name")
    return host, number or DEFAULT_PORT


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    for name, value in options.items():
        if name not in _OPTIONS:
            raise _wrong(f"takes only the options {', '.join(_OPTIONS)}")
        if not value or (name == "ssl" and value not in _SSL):
            raise _wrong(f"has no usable value for the option {name}")
    return options


def _wrong(what: str) -> StartupError:
    return StartupError(f"the URL of the store {what}")
