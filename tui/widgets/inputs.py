"""The line that is typed into, and what is checked of it while it is typed."""

from typing import Any

from textual.binding import Binding
from textual.widgets import Input

from tui import safe

_TYPED_MAX = 1_000


class Typed(Input):
    """An input that takes no control characters, however they come: typed, pasted or set."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]  # noqa: RUF012

    def __init__(self, *, id: str, placeholder: str = "", value: str = "", **more: Any) -> None:
        super().__init__(
            safe.line(value, _TYPED_MAX),
            placeholder=placeholder,
            id=id,
            select_on_focus=False,
            max_length=_TYPED_MAX,
            **more,
        )

    def validate_value(self, value: str) -> str:
        return safe.line(value, _TYPED_MAX)

    def action_leave(self) -> None:
        """Gives the focus to the next pane, so that letters are keys again."""
        self.screen.focus_next()


def amount_problem(text: str, *, most: int | None = None) -> str:
    """What is wrong with an amount; empty if nothing is."""
    from bank_node.errors import Refused
    from bank_node.values import AMOUNT_MAX, parse_amount

    digits = text.replace(",", "").replace(" ", "").replace("_", "")
    if not digits:
        return "Type an amount: a whole number."
    try:
        value = parse_amount(digits.encode())
    except Refused:
        return f"A whole number from 0 to {AMOUNT_MAX:,}."
    if value == 0:
        return "An amount of 0 moves nothing."
    if most is not None and value > most:
        return f"Only {most:,} is there."
    return ""


def amount_of(text: str) -> int:
    """The amount that was typed; thousands may stand apart."""
    digits = "".join(c for c in text if c not in ", _")
    return int(digits) if digits.isascii() and digits.isdigit() else 0
