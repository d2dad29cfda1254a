"""From the document of a reply line to a value: made harmless first, then checked as a whole."""

import json
from typing import Any, TypeVar

from msgspec import ValidationError, convert

from bank_node.errors import BankError
from tui import safe

Shape = TypeVar("Shape")


class Unreadable(BankError):
    """The node answered with something that this console does not understand."""


def read(text: str, shape: type[Shape]) -> Shape:
    """The document of a reply line `CODE <json>` as a value of `shape`.

    Every text in it is made harmless on the way in. Raises Unreadable.
    """
    code, _, document = text.partition(" ")
    try:
        value = safe.tree(json.loads(document or "{}"))
        return convert(_arranged(code, value), shape)
    except (ValueError, RecursionError, ValidationError) as error:
        raise Unreadable(
            f"{safe.line(code, 8)} was not understood: {safe.line(error, 200)}"
        ) from None


def _arranged(code: str, value: Any) -> Any:
    """The one document whose form is for hands: in a scan, the subnets lie among the addresses."""
    cells = value.get("cells") if code == "ON" and isinstance(value, dict) else None
    if isinstance(cells, dict) and "states" not in cells:
        base = cells.get("base") or []
        states = {key: told for key, told in cells.items() if key != "base"}
        value["cells"] = {"base": [base] if isinstance(base, str) else base, "states": states}
    return value
