"""The effective settings: the sources laid over each other and every value checked."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from msgspec import Struct, ValidationError, convert, structs

from bank_node.config.keys import Key, keys
from bank_node.config.problems import masked, unknown, wrong
from bank_node.config.settings import Settings
from bank_node.config.sources import Given, from_command_line, from_environment, from_file

DEFAULT_FILE: Final = Path("config.json")  # In the folder where the node is started.
DEFAULT_ORIGIN: Final = "default"
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Described(NamedTuple):
    """One line of `bank config`."""

    key: str
    value: object
    origin: str
    doc: str


class Effective(Struct, frozen=True):
    """The settings in force, and for every dotted key who set it."""

    settings: Settings
    origins: dict[str, str]

    @staticmethod
    def of(settings: Settings) -> "Effective":
        """Settings that were put together by a program, as if all of them were defaults."""
        return Effective(settings, dict.fromkeys(keys(), DEFAULT_ORIGIN))

    def describe(self) -> list[Described]:
        """Every setting in the order of the table; a password is shown as `***`."""
        return [
            Described(key.name, self._public(key), self.origins[key.name], key.doc)
            for key in keys().values()
        ]

    def _public(self, key: Key) -> object:
        value = attrgetter(key.name)(self.settings)
        return masked(value) if key.name == "store.url" else value


def load(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] = _NOTHING,
) -> Effective:
    """Settings from all sources; later wins: default, file, environment, command line.

    Without a `path`, `config.json` in the current folder is read if there is one; a file that is
    named has to exist. Raises SettingsError.
    """
    values = {key.name: key.default for key in keys().values()}
    origins = dict.fromkeys(values, DEFAULT_ORIGIN)
    # A wrong value is refused even where a later source would hide it.
    for given in chain(_file(path), from_environment(environ), from_command_line(overrides)):
        values[given.key] = _checked(given)
        origins[given.key] = given.origin
    settings = convert(_nested(values), Settings)
    _check_together(settings, origins)
    return Effective(settings, origins)


def changed(effective: Effective, name: str, text: str, origin: str) -> Effective:
    """The settings with one key set to what a text means for it. Raises SettingsError."""
    if name not in keys():
        raise unknown(name, text, keys(), origin)
    value = _checked(Given(name, text, origin, typed=False))
    section, dot, leaf = name.rpartition(".")
    settings = effective.settings
    if dot:
        value = structs.replace(getattr(settings, section), **{leaf: value})
    settings = structs.replace(settings, **{section or leaf: value})
    origins = {**effective.origins, name: origin}
    _check_together(settings, origins)
    return Effective(settings, origins)


def _file(path: Path | None) -> Iterator[Given]:
    if path is not None:
        return from_file(path)
    return from_file(DEFAULT_FILE) if DEFAULT_FILE.exists() else iter(())


def _checked(given: Given) -> Any:
    key = keys()[given.key]
    raw = given.value if given.typed else _from_text(str(given.value), key)
    try:
        value = convert(raw, key.type, strict=given.typed)
    except (ValidationError, UnicodeError, OverflowError):
        raise wrong(key.name, given.value, key.expected, given.origin) from None
    if key.check is not None and not key.check(value):
        raise wrong(key.name, given.value, key.expected, given.origin)
    return value


def _from_text(text: str, key: Key) -> object:
    """What a plain text means for this key; numbers and flags are left to `convert`."""
    if isinstance(key.default, tuple):
        return _list(text.strip())
    # Blanks may belong to a path or a password, but never to a number or a choice.
    return text.strip() if key.default != "" else text


def _list(text: str) -> object:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # Not a list, which `convert` refuses.


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        section, dot, leaf = key.partition(".")
        if dot:
            nested.setdefault(section, {})[leaf] = value
        else:
            nested[section] = value
    return nested


def _check_together(settings: Settings, origins: Mapping[str, str]) -> None:
    """Rules about more than one key; the one that somebody set is the one to blame."""
    bank, operator = settings.network, settings.operator
    if bank.port == 0 or (bank.host, bank.port) != (operator.host, operator.port):
        return
    names = ["operator.port", "network.port"]
    if origins["operator.port"] == DEFAULT_ORIGIN:
        names.reverse()
    blamed, other = names
    raise wrong(blamed, bank.port, f"different from {other} on the same host", origins[blamed])
