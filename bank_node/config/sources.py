"""Where settings are given: the JSON file, the environment, the command line.

Each source becomes a run of `Given`; whether the keys exist is settled here, whether the values
are right is settled in `loading.py`.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bank_node.config.keys import keys, sections
from bank_node.config.problems import bad_file, unknown, wrong

PREFIX: Final = "BANK_"
_FILE_BYTES_MAX: Final = 1 << 20  # Settings are a page of text; more is some other file.


class Given(NamedTuple):
    """One value that somebody set. `typed` says that its JSON type was theirs to choose."""

    key: str
    value: object
    origin: str
    typed: bool


class _Members(dict[str, Any]):
    """A JSON object that remembers a name it was given twice."""

    repeated: str | None = None


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    members = _Members()
    for name, value in pairs:
        if name in members:
            members.repeated = name
        members[name] = value
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def from_file(path: Path) -> Iterator[Given]:
    origin = f"file {path}"
    root = _parse(_read(path), path)
    if not isinstance(root, _Members):
        raise bad_file(str(path), "the whole file must be one JSON object {...}", "a JSON object")
    _refuse_repeated(root, "", origin)
    for name, value in root.items():
        if name in sections():
            yield from _section(name, value, origin)
        elif name in keys() and "." not in name:
            yield Given(name, value, origin, typed=True)
        elif name in keys():
            raise _undotted(name, value, origin)
        else:
            raise unknown(name, value, [*keys(), *sorted(sections())], origin)


def _section(section: str, members: object, origin: str) -> Iterator[Given]:
    if not isinstance(members, _Members):
        raise wrong(section, members, "a section in braces: {...}", origin)
    _refuse_repeated(members, section + ".", origin)
    for name, value in members.items():
        key = f"{section}.{name}"
        if key not in keys():
            raise unknown(key, value, keys(), origin)
        yield Given(key, value, origin, typed=True)


def _undotted(name: str, value: object, origin: str) -> Exception:
    section, _, leaf = name.partition(".")
    return wrong(name, value, f'written as a section: "{section}": {{"{leaf}": ...}}', origin)


def _refuse_repeated(members: _Members, prefix: str, origin: str) -> None:
    name = members.repeated
    if name is not None:
        raise wrong(prefix + name, members[name], "given only once", origin)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise bad_file(str(path), "there is no such file", "a file that exists") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise bad_file(str(path), f"cannot be read: {reason}", "a readable file") from None
    if len(raw) > _FILE_BYTES_MAX:
        raise bad_file(str(path), "is over 1 MiB, too long for settings", "a short JSON file")
    try:
        return raw.decode("utf-8-sig")  # Windows editors like to put a mark in front.
    except UnicodeDecodeError as error:
        raise bad_file(str(path), f"byte {error.start} is not UTF-8", "UTF-8 text") from None


def _parse(text: str, path: Path) -> object:
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise bad_file(str(path), f"broken JSON at {where}: {error.msg}", "valid JSON") from None
    except (ValueError, RecursionError) as error:
        raise bad_file(str(path), f"broken JSON: {error}", "valid JSON") from None


def from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    names = {key.variable: key.name for key in keys().values()}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        if variable not in names:
            raise unknown(variable, environ[variable], names, "environment")
        yield Given(names[variable], environ[variable], f"environment {variable}", typed=False)


def from_command_line(overrides: Mapping[str, object]) -> Iterator[Given]:
    """None is an option that was not given."""
    for key, value in overrides.items():
        if value is None:
            continue
        if key not in keys():
            raise unknown(key, value, keys(), "command line")
        plain = os.fspath(value) if isinstance(value, os.PathLike) else value
        yield Given(key, plain, "command line", typed=not isinstance(plain, str))
