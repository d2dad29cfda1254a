"""Codes to scan: a text as QR blocks for a terminal, as PNG and as SVG.

Always black on white, because an inverted code does not scan, with the quiet zone of four modules
that the standard asks for.
"""

from collections.abc import Sequence
from io import BytesIO

import segno

QUIET_MODULES = 4
_PIXELS_A_MODULE = 8
# Colours by their values: a theme may make anything of "black" and "white".
_BLACK_ON_WHITE = "\x1b[38;2;0;0;0;48;2;255;255;255m"
_RESET = "\x1b[0m"
# One character shows two modules, by the upper and the lower one being dark.
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def terminal(text: str) -> list[str]:
    """The code as rows of half blocks, without colours: dark modules are the ink."""
    matrix = [list(row) for row in _code(text).matrix_iter(border=QUIET_MODULES)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    return [
        "".join(map(_half, upper, lower))
        for upper, lower in zip(matrix[::2], matrix[1::2], strict=True)
    ]


def coloured(rows: Sequence[str]) -> str:
    """Rows of half blocks as a terminal shows them whatever its theme is."""
    return "\n".join(f"{_BLACK_ON_WHITE}{row}{_RESET}" for row in rows)


def png(text: str) -> bytes:
    """The code as a PNG file."""
    return _file(text, "png")


def svg(text: str) -> bytes:
    """The code as an SVG file."""
    return _file(text, "svg")


def _code(text: str) -> segno.QRCode:
    # Medium correction: a signed URI stays small enough for a screen of 80 columns.
    return segno.make_qr(text, error="m", boost_error=False)


def _half(upper: int, lower: int) -> str:
    return _HALVES[bool(upper), bool(lower)]


def _file(text: str, kind: str) -> bytes:
    out = BytesIO()
    _code(text).save(
        out, kind=kind, scale=_PIXELS_A_MODULE, border=QUIET_MODULES, dark="#000", light="#fff"
    )
    return out.getvalue()
