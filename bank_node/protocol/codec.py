"""Bytes to requests, replies to bytes. Pure: bytes in, values out; knows no sockets, no ledger.

The rules are protocol.md, "Lines". The common case (a client sends whole lines of plain ASCII)
takes a short path; everything odd that terminals and old clients send takes the careful one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.protocol.command import Command
from bank_node.protocol.fields import parse_fields
from bank_node.values import one_line

LINE_BYTES_MAX = 1024
TRANSFERS_LINE_BYTES_MAX = 8192
"""Of a line that banks say to each other about transfers: the more it holds the fewer signatures
there are to make and to check, which cost more than all else."""
REPLY_END = b"\r\n"

_ABOUT_TRANSFERS = b"TM "
_BOM = b"\xef\xbb\xbf"
# RFC 854: IAC + WILL/WONT/DO/DONT + option, IAC SB ... IAC SE, or IAC + one command byte. The
# groups are what must be kept of a sequence that the end of the data cuts off.
_TELNET = re.compile(
    rb"\xff(?:[\xfb-\xfe].|\xfa(?:[^\xff]++|\xff[^\xf0])*+\xff\xf0|[\xec-\xf9\xff])"
    rb"|(\xff[\xfb-\xfe]?)\Z|(\xff\xfa)(?:[^\xff]++|\xff[^\xf0])*+(\xff?)\Z",
    re.DOTALL,
)
_BACKSPACES = (0x08, 0x7F)
# A client that types without an end of line is one that only ever asks these three.
_UNENDED = frozenset((b"BC", b"BA", b"BN"))


# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__


class Request(NamedTuple):
    """One parsed command: its row of the table, its proven arguments, and the line itself."""

    command: Command
    arguments: tuple[Any, ...]
    line: bytes


class LineBuffer:
    """Cuts a stream of bytes into lines of bounded length, in bounded memory.

    A line has at most LINE_BYTES_MAX bytes, one about transfers TRANSFERS_LINE_BYTES_MAX. `feed`
    returns the whole lines that have arrived, without their ends. None stands for a line that was
    too long: it is reported once, when the limit is passed, and drained to its end.
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
        """Whether an unfinished line is held or being drained; blanks alone are no line.

        Some clients end their lines with LF CR, so that a CR is left over after each of them.
        """
        return bool(self._draining or self._telnet or self._partial.strip())

    def feed(self, data: bytes) -> list[bytes | None]:
        """Takes bytes as they arrived and returns the lines that they complete."""
        if self._partial or self._draining or self._telnet or b"\xff" in data or b"\0" in data:
            # A telnet client in character mode sends CR NUL for the enter key (RFC 854).
            data = (self._partial + self._without_telnet(data)).replace(b"\r\0", b"\r\n")
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
        return _TELNET.sub(self._keep_cut, data) if b"\xff" in data else data

    def _keep_cut(self, telnet: re.Match[bytes]) -> bytes:
        # Of a subnegotiation only its start is kept: nobody reads it, and it may never end.
        self._telnet = b"".join(filter(None, telnet.groups()))
        return b""

    def _apply_limit(self, lines: list[bytes | None], last: bytes) -> None:
        if self._draining and lines:
            # The end of the line that was too long; its error has been reported already.
            del lines[0]
            self._draining = False
        for index, line in enumerate(lines):
            if line is not None and _is_too_long(line):
                lines[index] = None
        if self._draining or _is_too_long(last):
            if not self._draining:
                lines.append(None)
            self._draining = True
            # All that matters of the rest is whether a NUL would make its CR an end of line.
            last = b"\r" if last.endswith(b"\r") else b""
        self._partial = last


def _is_too_long(line: bytes) -> bool:
    if len(line) <= LINE_BYTES_MAX:
        return False
    return len(line) > TRANSFERS_LINE_BYTES_MAX or not line.startswith(_ABOUT_TRANSFERS)


def parse_request(
    line: bytes, commands: Mapping[bytes, Command], *, is_retyped: bool = False
) -> Request | None:
    """Parses one line against a table; None for an empty line, which gets no reply.

    Raises Refused with the first reason in the order of protocol.md, "Errors". `is_retyped` is set
    where a line has been freed of what only terminals send.
    """
    try:
        words = line.split()
        if not words:
            return None
        command = commands.get(words[0]) or commands.get(words[0].upper())
        if command is None:
            raise Refused(Reason.UNKNOWN_COMMAND)
        parsers = command.parsers
        given = len(words) - 1
        if given != len(parsers) and not command.arguments_min <= given < len(parsers):
            if not command.fields:
                raise Refused(Reason.ARGUMENT_COUNT, usage=command.usage)
            return _with_fields(command, words, line)
        # Nearly all traffic has up to three arguments, and a loop costs as much as the parsing.
        arguments: tuple[Any, ...]
        if given == 2:
            arguments = (parsers[0](words[1]), parsers[1](words[2]))
        elif given == 1:
            arguments = (parsers[0](words[1]),)
        elif given == 3:
            arguments = (parsers[0](words[1]), parsers[1](words[2]), parsers[2](words[3]))
        elif command.fields:
            return _with_fields(command, words, line)
        else:
            arguments = tuple([p(word) for p, word in zip(parsers, words[1:], strict=False)])
        return _new(Request, (command, arguments, line))
    except Refused:
        # Only now is it worth asking whether the line is odd; a plain one never is, and no
        # argument holds a control character or a byte order mark when it is valid.
        if is_retyped or (line.isascii() and b"\x08" not in line and b"\x7f" not in line):
            raise
    return parse_request(_as_typed(line), commands, is_retyped=True)


def parse_alike(lines: Iterable[bytes | None], command: Command) -> Iterator[tuple[Any, ...]]:
    """The arguments of each line, up to the first that is not plainly a request for one command.

    What that line is, `parse_request` tells. Raises Refused where an argument is wrong.
    """
    code, parsers = command.code.encode(), command.parsers
    least, most = command.arguments_min, len(parsers)
    for line in lines:
        words: Sequence[bytes] = line.split() if line else ()
        given = len(words) - 1
        if given < least or given > most or words[0] != code:
            return
        # As above: nearly all traffic has so many arguments.
        if given == 2:
            yield (parsers[0](words[1]), parsers[1](words[2]))
        elif given == 3:
            yield (parsers[0](words[1]), parsers[1](words[2]), parsers[2](words[3]))
        else:
            yield tuple([parse(word) for parse, word in zip(parsers, words[1:], strict=False)])


def _with_fields(command: Command, words: list[bytes], line: bytes) -> Request:
    """A request whose only argument is what its fields came to."""
    return Request(command, (parse_fields(words[1:], command.fields, command.usage),), line)


def _as_typed(line: bytes) -> bytes:
    """A line without byte order mark, and with its backspaces carried out."""
    typed = bytearray()
    for byte in line.removeprefix(_BOM):
        if byte not in _BACKSPACES:
            typed.append(byte)
        else:
            # A character may be several bytes; all but its first are 10xxxxxx in binary.
            while typed and typed.pop() & 0xC0 == 0x80:
                pass
    try:
        typed.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_TEXT) from None
    return bytes(typed)


def encode_reply(text: str) -> bytes:
    """One reply as it goes over the wire: one line, no control characters inside, CRLF."""
    return one_line(text).encode("utf-8") + REPLY_END


def encode_replies(texts: Sequence[str]) -> list[bytes]:
    """The same for several: one look finds out whether any of them is odd."""
    if "".join(texts).isprintable():
        return [text.encode("utf-8") + REPLY_END for text in texts]
    return [encode_reply(text) for text in texts]
