"""Who may know whom: the rooms of the house, read from the imports and calls of every module.

The tables below are the rules; ARCHITECTURE.md explains them. A room is `bank_node.<name>`, and
`bank_node` itself is the package's `__init__`, which anybody may import.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch, translate
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bank_node", "tui")

# From the bottom up; rooms of one layer do not import each other.
LAYERS = (
    ("bank_node",),
    ("bank_node.errors",),
    ("bank_node.values",),
    ("bank_node.protocol", "bank_node.security", "bank_node.telemetry", "bank_node.config"),
    ("bank_node.ledger",),
    ("bank_node.banking",),
    ("bank_node.service", "bank_node.network"),
    ("bank_node.node",),
    ("bank_node.cli", "tui"),
    ("bank_node.__main__",),
)

# Rooms that may import less than their layer allows; a listed room or module includes what is
# in it. Bytes travel without knowledge of money, and a screen is a client like any other.
ONLY = {
    "bank_node.network": (
        "bank_node.protocol",
        "bank_node.security",
        "bank_node.telemetry",
        "bank_node.values",
        "bank_node.errors",
    ),
    "tui": (
        "bank_node.network.client",
        # Pure drawing, and codes to scan are drawn in one place only.
        "bank_node.banking.payments.qr",
        "bank_node.protocol",
        "bank_node.telemetry",
        "bank_node.values",
        "bank_node.errors",
    ),
}

# Exceptions to the layers: who, whom, and why.
ALLOWED = {
    # `bank` alone starts an embedded node and shows it on the dashboard.
    ("bank_node.cli", "tui"),
}

# Libraries that belong to certain files only.
LIBRARIES = {
    "sqlite3": ("bank_node/ledger/sqlite_*.py",),
    "pymysql": ("bank_node/ledger/mysql_*.py",),
    "mysql": ("bank_node/ledger/mysql_*.py",),
    "MySQLdb": ("bank_node/ledger/mysql_*.py",),
    "mariadb": ("bank_node/ledger/mysql_*.py",),
    "asyncmy": ("bank_node/ledger/mysql_*.py",),
    "aiomysql": ("bank_node/ledger/mysql_*.py",),
    "ssl": ("bank_node/network/*.py", "bank_node/security/*.py", "bank_node/cli/web/*.py"),
    "socket": ("bank_node/network/*.py", "bank_node/security/*.py"),
    "socketserver": (),
    "click": ("bank_node/cli/*.py",),
    "textual": ("tui/*.py",),
    "textual_serve": ("bank_node/cli/web/*.py",),
    "aiohttp": ("bank_node/cli/web/*.py",),
    "random": ("bank_node/node/*.py", "bank_node/cli/*.py"),
    "secrets": ("bank_node/node/*.py", "bank_node/cli/*.py"),
    "uuid": (),
}

# Functions that look at a clock or draw by chance; everybody else is handed them.
CLOCKS_AND_DICE = (
    "time.time",
    "time.time_ns",
    "time.monotonic*",
    "time.perf_counter*",
    "time.process_time*",
    "time.clock_gettime*",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "os.urandom",
    "os.getrandom",
)
IS_CLOCK_OR_DICE = re.compile("|".join(map(translate, CLOCKS_AND_DICE)))
HOME_OF_CLOCKS_AND_DICE = ("bank_node/node/*.py", "bank_node/cli/*.py")


class Source(NamedTuple):
    """A module: its path from the root, and its text."""

    path: str
    text: str

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        if self.path.endswith("/__init__.py"):
            return self.module
        return self.module.rpartition(".")[0]


@cache
def nodes_of(text: str) -> tuple[ast.AST, ...]:
    """Everything in a module, from the outside to the inside; each module is read once."""
    return tuple(ast.walk(ast.parse(text)))


@pytest.fixture(autouse=True, scope="module")
def _forgotten_afterwards():
    yield
    nodes_of.cache_clear()


@cache
def sources() -> list[Source]:
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def imports_of(source: Source) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything that a module imports, wherever it does."""
    for node in nodes_of(source.text):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = source.package.split(".")
                parts = above[: len(above) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_in(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def room_of(name: str) -> str | None:
    """The room that a name lives in; None for a name of other packages."""
    rooms = [room for layer in LAYERS for room in layer if room != "bank_node"]
    found = [room for room in rooms if is_in(name, room)]
    if found:
        return found[0]
    root, _, rest = name.partition(".")
    # Names such as `bank_node.__version__` are of the package's own.
    return "bank_node" if root == "bank_node" and (not rest or rest.startswith("__")) else None


def layer_of(room: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if room in layer)


def homeless(source: Source) -> Iterator[str]:
    """A module outside of all rooms."""
    if room_of(source.module) is None:
        yield f"{source.path}: no layer names this room"


def upward_imports(source: Source) -> Iterator[str]:
    """Imports of a room that is not below."""
    here = room_of(source.module)
    for line, name in imports_of(source):
        there = room_of(name)
        if name.split(".")[0] not in PACKAGES or here in (None, there):
            continue
        if there is None:
            yield f"{source.path}:{line}: {name} is in no room"
        elif layer_of(there) >= layer_of(here) and (here, there) not in ALLOWED:
            yield f"{source.path}:{line}: {here} imports {name}, which is not below it"


def forbidden_knowledge(source: Source) -> Iterator[str]:
    """Imports of a room that this one must not know although it is below."""
    here = room_of(source.module)
    for line, name in imports_of(source):
        there = room_of(name)
        if here not in ONLY or there in (None, here, "bank_node"):
            continue
        if not any(is_in(name, allowed) for allowed in ONLY[here]):
            yield f"{source.path}:{line}: {here} must not know {name}"


def strayed_libraries(source: Source) -> Iterator[str]:
    """Libraries imported outside of their files."""
    for line, name in imports_of(source):
        library = name.split(".")[0]
        homes = LIBRARIES.get(library)
        if homes is not None and not any(fnmatch(source.path, home) for home in homes):
            yield f"{source.path}:{line}: {library} belongs to {' '.join(homes) or 'nobody'}"


def clocks_and_dice(source: Source) -> Iterator[str]:
    """Uses of a clock or of chance outside of their home, under whatever name imported."""
    if any(fnmatch(source.path, home) for home in HOME_OF_CLOCKS_AND_DICE):
        return
    names: dict[str, str] = {}
    for node in nodes_of(source.text):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in nodes_of(source.text):
        first, dot, rest = dotted(node).partition(".")
        name = names.get(first, "") + dot + rest
        if IS_CLOCK_OR_DICE.match(name):
            yield f"{source.path}:{node.lineno}: {name} enters through the node only"


def dotted(node: ast.AST) -> str:
    """`a.b.c` as it is written; empty for everything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr}"
    return ""


CHECKS = (homeless, upward_imports, forbidden_knowledge, strayed_libraries, clocks_and_dice)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_is_in_order(check):
    found = [problem for source in sources() for problem in check(source)]
    assert found == []


def test_the_search_sees_the_whole_house():
    modules = {source.module for source in sources()}
    assert {"bank_node", "bank_node.errors", "bank_node.protocol.codec"} <= modules
    assert len(modules) > 20


def test_every_room_of_the_tables_has_a_layer():
    rooms = {room for layer in LAYERS for room in layer}
    assert set(ONLY) <= rooms
    assert {room for pair in ALLOWED for room in pair} <= rooms
    assert {room_of(name) for names in ONLY.values() for name in names} <= rooms


@pytest.mark.parametrize(
    ("check", "path", "text"),
    [
        (homeless, "bank_node/attic.py", ""),
        (homeless, "bank_node/attic/box.py", ""),
        (upward_imports, "bank_node/errors.py", "from bank_node.values import Amount"),
        (upward_imports, "bank_node/values.py", "import bank_node.ledger.book"),
        (upward_imports, "bank_node/values.py", "from bank_node import ledger"),
        (upward_imports, "bank_node/values.py", "from .ledger import book"),
        (upward_imports, "bank_node/ledger/book.py", "from ..service import handlers"),
        (upward_imports, "bank_node/ledger/book.py", "def f():\n  import bank_node.node"),
        (upward_imports, "bank_node/ledger/book.py", "from bank_node.banking import robbery"),
        (upward_imports, "bank_node/protocol/codec.py", "import bank_node.telemetry.clock"),
        (upward_imports, "bank_node/config/__init__.py", "import bank_node.security"),
        (upward_imports, "bank_node/service/dispatch.py", "import bank_node.network.server"),
        (upward_imports, "bank_node/network/server.py", "from bank_node.service import handlers"),
        (upward_imports, "bank_node/node/node.py", "import bank_node.cli"),
        (upward_imports, "tui/app.py", "from bank_node.cli import main"),
        (upward_imports, "bank_node/node/node.py", "import tui.app"),
        (upward_imports, "bank_node/node/node.py", "import bank_node.attic"),
        (forbidden_knowledge, "bank_node/network/proxy.py", "import bank_node.ledger.book"),
        (forbidden_knowledge, "bank_node/network/proxy.py", "from bank_node import banking"),
        (forbidden_knowledge, "tui/app.py", "from bank_node.network import server"),
        (forbidden_knowledge, "tui/app.py", "from bank_node.ledger import store"),
        (forbidden_knowledge, "tui/app.py", "import bank_node.node"),
        (strayed_libraries, "bank_node/ledger/book.py", "import sqlite3"),
        (strayed_libraries, "bank_node/ledger/sqlite_store.py", "import pymysql"),
        (strayed_libraries, "bank_node/service/dispatch.py", "from socket import socket"),
        (strayed_libraries, "bank_node/node/node.py", "def f():\n  import ssl"),
        (strayed_libraries, "bank_node/node/node.py", "import click.testing"),
        (strayed_libraries, "bank_node/cli/main.py", "from textual.app import App"),
        (strayed_libraries, "bank_node/ledger/book.py", "from random import random"),
        (strayed_libraries, "bank_node/security/pins.py", "import secrets"),
        (clocks_and_dice, "bank_node/ledger/book.py", "import time\ntime.time()"),
        (clocks_and_dice, "bank_node/ledger/book.py", "import time as t\nnow = t.time_ns"),
        (clocks_and_dice, "bank_node/ledger/book.py", "from time import monotonic_ns as m\nm()"),
        (clocks_and_dice, "bank_node/ledger/book.py", "import time\nf(time.perf_counter)"),
        (clocks_and_dice, "tui/app.py", "from datetime import datetime\ndatetime.now(UTC)"),
        (clocks_and_dice, "tui/app.py", "import datetime\ndatetime.datetime.now()"),
        (clocks_and_dice, "tui/app.py", "import datetime as d\nd.date.today()"),
        (clocks_and_dice, "bank_node/values.py", "import os\nos.urandom(8)"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_found(check, path, text):
    assert list(check(Source(path, text)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bank_node/values.py", "from bank_node.errors import Reason"),
        ("bank_node/protocol/codec.py", "from .commands import COMMANDS"),
        ("bank_node/banking/robbery/model.py", "from . import relax\nfrom ..transfers import Saga"),
        ("bank_node/service/dispatch.py", "import bank_node.banking.robbery"),
        ("bank_node/network/server.py", "import socket, ssl\nfrom bank_node.protocol import codec"),
        ("bank_node/ledger/sqlite_schema.py", "import sqlite3"),
        ("bank_node/node/node.py", "import secrets, time\nimport bank_node.errors\ntime.time()"),
        ("bank_node/cli/main.py", "import click\nfrom bank_node.node import Node\nimport tui.app"),
        ("tui/app.py", "import textual.app\nfrom bank_node.network.client import Client"),
        ("bank_node/telemetry/traffic.py", "import time\ntime.localtime(time.timezone)"),
        ("tui/app.py", "from datetime import datetime\ndatetime.fromtimestamp(0)"),
        ("tui/app.py", "time = 5\ntime.time"),
    ],
)  # fmt: skip
def test_what_the_rules_allow_is_not_reported(path, text):
    assert [problem for check in CHECKS for problem in check(Source(path, text))] == []
