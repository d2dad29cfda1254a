"""Arguments of the form `name=value`, in any order: for commands with many optional ones.

Pure and bounded by the length of a line. An unknown name is refused with the right ones; the
words for what is expected are the same in every language.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bank_node.errors import Reason, Refused

# How much of a stranger's word an error repeats.
_SHOWN_MAX = 40
# A limit that is only there because numbers have to end somewhere.
_NO_LIMIT = 2**63 - 1

Values = Mapping[str, Any]
"""What came of the fields of one request: every field of the command by its name."""


class Field(Struct, frozen=True):
    """One field. `parse` raises ValueError for what is not `expected`."""

    name: str
    parse: Callable[[str], object]
    expected: str
    default: object = None
    required: bool = False
    takes_rest: bool = False
    """Whether it takes the rest of the line, blanks and all."""

    @property
    def shape(self) -> str:
        """How it is typed, e.g. `[count=1..1000]`."""
        typed = f"{self.name}={self.expected}"
        return typed if self.required else f"[{typed}]"


def parse_fields(words: Sequence[bytes], fields: Sequence[Field], usage: str) -> Values:
    """The values of the words of a request, defaults included.

    Raises Refused with FIELD_UNKNOWN, FIELD_TWICE, FIELD_FORMAT or FIELD_MISSING.
    """
    known = {field.name: field for field in fields}
    values: dict[str, Any] = {}
    for index, word in enumerate(words):
        name, _, text = word.decode("utf-8", "replace").partition("=")
        field = known.get(name.lower())
        if field is None or b"=" not in word:
            raise Refused(Reason.FIELD_UNKNOWN, field=name[:_SHOWN_MAX], usage=usage)
        if field.name in values:
            raise Refused(Reason.FIELD_TWICE, field=field.name)
        if field.takes_rest:
            text = " ".join([text, *(w.decode("utf-8", "replace") for w in words[index + 1 :])])
        values[field.name] = _parsed(field, text)
        if field.takes_rest:
            break
    for field in fields:
        if field.required and field.name not in values:
            raise Refused(Reason.FIELD_MISSING, field=field.name, usage=usage)
    return {field.name: values.get(field.name, field.default) for field in fields}


def _parsed(field: Field, text: str) -> object:
    try:
        return field.parse(text)
    except ValueError:
        raise Refused(Reason.FIELD_FORMAT, field=field.name, expected=field.expected) from None


def whole(
    name: str, lowest: int, highest: int, default: int | None = None, *, required: bool = False
) -> Field:
    """A whole number in ASCII digits, `lowest` to `highest`."""

    def parse(text: str) -> int:
        # Long runs of digits take quadratic time to convert, and no number here has many.
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(highest))):
            raise ValueError(text)
        value = int(text)
        if not lowest <= value <= highest:
            raise ValueError(text)
        return value

    shown = "<number>" if highest >= _NO_LIMIT else f"{lowest}..{highest}"
    return Field(name, parse, shown, default, required)


def seconds(name: str, highest: int) -> Field:
    """A time of 0 to `highest` seconds, with or without decimals; 0 by default."""

    def parse(text: str) -> float:
        if len(text) > 10 or not text.replace(".", "", 1).isdigit() or not text.isascii():
            raise ValueError(text)
        if not 0 <= float(text) <= highest:
            raise ValueError(text)
        return float(text)

    return Field(name, parse, f"0..{highest}", 0.0)


def choice(name: str, *words: str, default: str | None = None, required: bool = False) -> Field:
    """One of several words."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return Field(name, parse, "|".join(words), default, required)


def switch(name: str) -> Field:
    """`1` for yes; no by default."""

    def parse(text: str) -> bool:
        if text not in ("0", "1"):
            raise ValueError(text)
        return text == "1"

    return Field(name, parse, "0|1", False)


def text(
    name: str,
    expected: str,
    *,
    required: bool = False,
    takes_rest: bool = False,
    longest: int = 1000,
) -> Field:
    """Printable text."""

    def parse(typed: str) -> str:
        if not typed.isprintable() or len(typed) > longest:
            raise ValueError(typed)
        return typed

    return Field(name, parse, expected, None, required, takes_rest)
