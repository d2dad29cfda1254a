"""Text of strangers, made harmless: where it enters the console, and again where it is drawn.

A name of a peer may hold escape sequences that write to the clipboard, markup that a widget would
take for its own, characters that turn the direction of a line, or ten thousand letters.
"""

from textual.content import Content

from bank_node.values import one_line

TEXT_MAX = 2_000
"""Characters that are kept of one text; a cell, a line and a dialog show less."""

_DEPTH_MAX = 32


def line(text: object, limit: int = TEXT_MAX) -> str:
    """Any value as one line without control characters, at most `limit` characters."""
    told = str(text)
    if len(told) > limit:
        told = told[: max(0, limit - 1)] + "…"
    return one_line(told)


def tree(value: object, depth: int = 0) -> object:
    """Decoded JSON with every text in it made harmless. Raises ValueError when nested too deep."""
    if isinstance(value, str):
        return line(value)
    if depth > _DEPTH_MAX:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [tree(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {line(key): tree(item, depth + 1) for key, item in value.items()}
    return value


def content(text: object, style: str = "", limit: int = TEXT_MAX) -> Content:
    """Any value as text to draw that is never read as markup."""
    return Content.styled(line(text, limit), style)


def assemble(*parts: str | tuple[str, str]) -> Content:
    """Pieces of text, each with or without a style, as one text to draw."""
    return Content.assemble(
        *(line(part) if isinstance(part, str) else (line(part[0]), part[1]) for part in parts)
    )


def lines(*rows: Content | str) -> Content:
    """Rows of text, one below the other."""
    drawn = [row if isinstance(row, Content) else content(row) for row in rows]
    return Content("\n").join(drawn)
