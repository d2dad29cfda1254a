"""The size and shape of the sources: small functions, short modules, nothing left for later."""

import ast
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400

# Which files the limits are for; tables of tests may be as long as there are cases.
PRODUCTION = ("bank_node/*.py", "tui/*.py", "bench/*.py", "tools/*.py")
TESTS = ("tests/*.py", "bench/tests/*.py")
EXCEPT_LIMITS = ("bench/tests/*.py",)

# A helper that polls with a deadline may sleep; a test waits for an event instead.
MAY_SLEEP = ("tests/support/*.py",)

TEXT_FILES = (
    "*.py", "*.md", "*.toml", "*.json", "*.txt", "*.c", "*.h", "*.sh", "*.yml", "*.yaml", "*.cfg",
    "*.ini", "*.tcss", "*.css", "*.html", "*.sql", "Makefile", "Dockerfile", ".gitignore",
)  # fmt: skip
# Spelt so that this file does not contain them.
LATER, BROKEN, LOOK_HERE = "todo".upper(), "fixme".upper(), "X" * 3
LEFT_FOR_LATER = re.compile(rf"\b({LATER}|{BROKEN}|{LOOK_HERE})\b")


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


@pytest.fixture(autouse=True, scope="module")
def _forgotten_afterwards():
    yield
    nodes_of.cache_clear()


@cache
def tracked_files() -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not in a repository")
    names = listed.stdout.decode().rstrip("\0").split("\0")
    return [name for name in names if (ROOT / name).is_file()]


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def nodes_of(text: str) -> tuple[ast.AST, ...]:
    """Everything in a module, from the outside to the inside; each module is read once."""
    return tuple(ast.walk(ast.parse(text)))


def files(patterns: tuple[str, ...], but: tuple[str, ...] = ()) -> dict[str, str]:
    """Path and text of the tracked files that match."""
    return {
        name: text_of(name)
        for name in tracked_files()
        if matches(name, patterns) and not matches(name, but)
    }


def long_functions(text: str) -> Iterator[str]:
    for node in nodes_of(text):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines"


def long_module(text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"{lines} lines"


def missing_docstring(text: str) -> Iterator[str]:
    tree = nodes_of(text)[0]
    if tree.body and not (ast.get_docstring(tree) or "").strip():
        yield "no docstring"


def sleeps(text: str) -> Iterator[str]:
    for node in nodes_of(text):
        if isinstance(node, ast.Call) and _is_sleep(node.func):
            yield f"line {node.lineno} sleeps"
        elif isinstance(node, ast.ImportFrom) and "sleep" in (alias.name for alias in node.names):
            yield f"line {node.lineno} imports sleep"


def _is_sleep(called: ast.AST) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name == "sleep"


def left_for_later(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if LEFT_FOR_LATER.search(line):
            yield f"line {number}: {line.strip()}"


RULES = (
    (long_functions, PRODUCTION, EXCEPT_LIMITS),
    (long_module, PRODUCTION, EXCEPT_LIMITS),
    (missing_docstring, (*PRODUCTION, *TESTS), ()),
    (sleeps, TESTS, MAY_SLEEP),
    (left_for_later, TEXT_FILES, ()),
)
rules = pytest.mark.parametrize(
    ("check", "where", "but"), RULES, ids=[r[0].__name__ for r in RULES]
)


@rules
def test_every_file_keeps_the_rule(check, where, but):
    found = [f"{path}: {p}" for path, text in files(where, but).items() for p in check(text)]
    assert found == []


@rules
def test_a_rule_looks_at_files(check, where, but):
    assert len(files(where, but)) > 3


def test_python_files_outside_of_the_rules_do_not_exist():
    strangers = files(("*.py",), but=(*PRODUCTION, *TESTS))
    assert set(strangers) <= {"setup.py", "conftest.py"}


def _function(lines: int) -> str:
    return "def f():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_functions, _function(FUNCTION_LINES_MAX + 1)),
        (long_functions, "class C:\n    async " + _function(71).replace("\n", "\n    ")),
        (long_module, "pass\n" * (MODULE_LINES_MAX + 1)),
        (missing_docstring, "import os\n"),
        (missing_docstring, '"""   """\n'),
        (sleeps, "import time\ntime.sleep(1)\n"),
        (sleeps, "import time as t\nt.sleep(1)\n"),
        (sleeps, "from time import sleep as nap\nnap(1)\n"),
        (sleeps, "async def f():\n    await asyncio.sleep(1)\n"),
        (left_for_later, f"x = 1  # {LATER}: more"),
        (left_for_later, f"# {BROKEN}"),
        (left_for_later, f"{LOOK_HERE} here"),
    ],
)
def test_a_planted_violation_is_found(check, text):
    assert list(check(text))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_functions, _function(FUNCTION_LINES_MAX)),
        (long_module, "pass\n" * MODULE_LINES_MAX),
        (missing_docstring, '"""What it knows."""\nimport os\n'),
        (missing_docstring, ""),
        (sleeps, "asyncio.wait_for(event.wait(), 1)\n"),
        (left_for_later, f"{LOOK_HERE}X and {LATER.lower()} are words\n"),
    ],
)
def test_what_the_rules_allow_is_not_reported(check, text):
    assert list(check(text)) == []
