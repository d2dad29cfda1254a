"""The settings as a flat table: a row for each dotted key, made of the classes in `settings.py`."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, get_args

from msgspec import NODEFAULT, Meta, Struct, structs

from bank_node.config.settings import Settings


class Key(NamedTuple):
    """One row of the table."""

    name: str
    """Dotted, such as `network.port`."""
    default: Any
    type: Any
    doc: str
    expected: str
    """What would be right, for whoever gave something wrong."""
    check: Callable[[Any], bool] | None
    """Whether a value of the right type is one that the setting can have."""
    live: bool
    """Whether a running node takes a change over without a new start."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "BANK_" + self.name.replace(".", "_").upper()


@cache
def keys() -> dict[str, Key]:
    """Every setting by its dotted name, in the order of the table."""
    return {key.name: key for key in _rows(Settings, "")}


@cache
def sections() -> frozenset[str]:
    """The names before the dot."""
    return frozenset(name.partition(".")[0] for name in keys() if "." in name)


def _rows(struct: type[Struct], prefix: str) -> Iterator[Key]:
    for each in structs.fields(struct):
        name = prefix + each.name
        if each.default_factory is not NODEFAULT:
            yield from _rows(each.type, name + ".")
        else:
            yield _row(name, each)


def _row(name: str, each: structs.FieldInfo) -> Key:
    meta = get_args(each.type)[1]
    assert isinstance(meta, Meta), name
    assert meta.description is not None, name
    assert meta.extra is not None, name
    rules = meta.extra
    return Key(
        name,
        each.default,
        each.type,
        meta.description,
        rules["expected"],
        rules["check"],
        rules.get("live", False),
    )
