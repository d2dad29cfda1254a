"""Bytes to requests, replies to bytes. Pure: bytes in, values out; knows no sockets, no ledger.

The rules are protocol.md, "Lines". The common case (a client sends whole lines of plain ASCII)
takes a short path; everything odd that terminals and old clients send takes the careful one.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.protocol.commands import Command
from bank_node.values import one_line

LINE_BYTES_MAX = 1024
REPLY_END = b"\r\n"

_BOM = b"\xef\xbb\xbf"
# RFC 854: IAC + WILL/WONT/DO/DONT + option, IAC SB ... IAC SE, or IAC + one command byte.
_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[^\xfa-\xfe])", re.DOTALL)
_TELNET_CUT = re.compile(rb"\xff(?:[\xfb-\xfe]?|\xfa.*)\Z", re.DOTALL)
_BACKSPACES = (0x08, 0x7F)
# A client that types without an end of line is one that only ever asks these three.
_UNENDED = frozenset((b"BC", b"BA", b"BN"))


class Request(NamedTuple):
    """One parsed command: its row of the table, its proven arguments, and the line itself."""

    command: Command
    arguments: tuple[Any, ...]
    line: bytes


class LineBuffer:
    """Cuts a stream of bytes into lines of at most LINE_BYTES_MAX bytes, in bounded memory.

    `feed` returns the whole lines that have arrived, without their ends. None stands for a line
    that was too long: it is reported once, when the limit is passed, and drained to its end.
    """

    __slots__ = ("_draining", "_partial", "_telnet")

    def __init__(self) -> None:
        self._partial = b""
        self._telnet = b""
        self._draining = False

    @property
    def partial(self) -> bytes:
        """What has arrived of a line that has not ended yet."""
        return self._partial

    @property
    def is_mid_line(self) -> bool:
        """Whether an unfinished line is held or being drained."""
        return bool(self._partial or self._draining or self._telnet)

    def feed(self, data: bytes) -> list[bytes | None]:
        """Takes bytes as they arrived and returns the lines that they complete."""
        if self.is_mid_line or _is_odd(data):
            # A telnet client in character mode sends CR NUL for the enter key (RFC 854).
            data = (self._partial + self._without_telnet(data)).replace(b"\r\0", b"\n")
            self._partial = b""
        lines: list[bytes | None] = data.split(b"\n")  # type: ignore[assignment]
        last = lines.pop() or b""
        if self._draining or len(data) > LINE_BYTES_MAX:
            self._apply_limit(lines, last)
        else:
            self._partial = last
        return lines

    def take_unended(self) -> bytes | None:
        """The held text if it is exactly a command that old clients send without a line end."""
        text = self._partial.strip()
        if text.upper() not in _UNENDED:
            return None
        self._partial = b""
        return text

    def _without_telnet(self, data: bytes) -> bytes:
        data = self._telnet + data
        self._telnet = b""
        if b"\xff" in data:
            data = _TELNET.sub(b"", data)
            cut = _TELNET_CUT.search(data)
            if cut:
                # A subnegotiation without end is dropped rather than held for ever.
                self._telnet = cut.group()[:LINE_BYTES_MAX]
                data = data[: cut.start()]
        return data

    def _apply_limit(self, lines: list[bytes | None], last: bytes) -> None:
        if self._draining and lines:
            # The end of the line that was too long; its error has been reported already.
            del lines[0]
            self._draining = False
        for index, line in enumerate(lines):
            if line is not None and len(line) > LINE_BYTES_MAX:
                lines[index] = None
        if self._draining:
            return
        if len(last) > LINE_BYTES_MAX:
            lines.append(None)
            self._draining = True
        else:
            self._partial = last


def _is_odd(data: bytes) -> bool:
    """Whether a chunk can hold telnet commands, or ends of line other than LF."""
    return b"\xff" in data or b"\0" in data


def parse_request(line: bytes, commands: Mapping[bytes, Command]) -> Request | None:
    """Parses one line against a table; None for an empty line, which gets no reply.

    Raises Refused with the first reason in the order of protocol.md, "Errors".
    """
    if not line.isascii() or b"\x08" in line or b"\x7f" in line:
        line = _as_typed(line)
    words = line.split()
    if not words:
        return None
    command = commands.get(words[0]) or commands.get(words[0].upper())
    if command is None:
        raise Refused(Reason.UNKNOWN_COMMAND)
    shapes = command.arguments
    given = len(words) - 1
    if given != len(shapes) and not command.arguments_min <= given < len(shapes):
        raise Refused(Reason.ARGUMENT_COUNT, usage=command.usage)
    del words[0]
    arguments = [shape.parse(word) for shape, word in zip(shapes, words, strict=False)]
    return Request(command, tuple(arguments), line)


def _as_typed(line: bytes) -> bytes:
    """A line without byte order mark, and with its backspaces carried out."""
    typed = bytearray()
    for byte in line.removeprefix(_BOM):
        if byte not in _BACKSPACES:
            typed.append(byte)
        elif typed:
            del typed[-1]
    try:
        typed.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_TEXT) from None
    return bytes(typed)


def encode_reply(text: str) -> bytes:
    """One reply as it goes over the wire: one line, no control characters inside, CRLF."""
    return one_line(text).encode("utf-8") + REPLY_END
