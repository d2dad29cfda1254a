"""Codes to scan, read back by a decoder that knows nothing of how they were made."""

import re

import numpy
import pytest
import zxingcpp

from bank_node.banking.payments import qr
from bank_node.banking.payments.uri import PayUri, build
from bank_node.protocol.payment_values import Vpa
from bank_node.security.signing import CodeKey

PLAIN = build(PayUri(Vpa("shop", "brno")))
SIGNED = build(
    PayUri(Vpa("shop", "brno"), name="Café", amount=12_350, currency="CZK", note="☕"),
    CodeKey(b"k" * 32).sign,
)
BOTH = pytest.mark.parametrize("text", [PLAIN, SIGNED], ids=["plain", "signed"])
INK = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def read(image):
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    return found[0].text


def pixels(rows):
    """What a terminal shows: each character is two modules, one above the other."""
    halves = numpy.array([[INK[c] for c in row] for row in rows])
    modules = halves.transpose(0, 2, 1).reshape(-1, halves.shape[1])
    return numpy.kron(255 * (1 - modules), numpy.ones((8, 8))).astype(numpy.uint8)


@BOTH
def test_the_blocks_in_a_terminal_are_read(text):
    assert read(pixels(qr.terminal(text))) == text


@BOTH
def test_the_png_is_read(text):
    assert read(_png_pixels(qr.png(text))) == text


@BOTH
def test_the_svg_draws_the_same_modules(text):
    drawn = qr.svg(text).decode()
    assert '"#000"' in drawn
    assert '"#fff"' in drawn
    rows = qr.terminal(text)
    size = int(re.search(r'width="(\d+)"', drawn)[1]) // 8
    assert size == len(rows[0])


def test_there_is_a_quiet_zone_around_the_code():
    rows = qr.terminal(PLAIN)
    assert not "".join(rows[:2]).strip()
    assert all(row[:4] == row[-4:] == "    " for row in rows)


def test_a_short_code_fits_into_a_small_terminal():
    rows = qr.terminal(PLAIN)
    assert len(rows[0]) <= 40
    assert len(rows) <= 20


def test_a_signed_code_fits_into_80_columns():
    assert len(qr.terminal(SIGNED)[0]) <= 80


def test_a_terminal_of_any_theme_shows_black_on_white():
    row = qr.coloured(["█ "]).splitlines()[0]
    assert row == "\x1b[38;2;0;0;0;48;2;255;255;255m█ \x1b[0m"


def _png_pixels(data):
    """The pixels of a PNG with one bit for each, which is what the code is drawn as."""
    import zlib

    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + data[at + 8 : at + 8 + length]
        at += length + 12
    width, height = (int.from_bytes(chunks[b"IHDR"][n : n + 4], "big") for n in (0, 4))
    assert chunks[b"IHDR"][8] == 1
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = (width + 7) // 8 + 1
    rows = [numpy.zeros(stride - 1, numpy.uint8)]
    for n in range(height):
        line = numpy.frombuffer(raw[n * stride + 1 : (n + 1) * stride], numpy.uint8)
        # Filter 2 tells each byte as its difference to the one above, 0 as it is.
        assert raw[n * stride] in (0, 2)
        rows.append(line + rows[-1] if raw[n * stride] else line)
    bits = numpy.unpackbits(numpy.array(rows[1:]), axis=1)
    bits = bits[:, :width]
    if chunks[b"IHDR"][9] == 3:
        palette = numpy.frombuffer(chunks[b"PLTE"], numpy.uint8).reshape(-1, 3)[:, 0]
        return palette[bits].copy()
    return (bits * 255).astype(numpy.uint8)
