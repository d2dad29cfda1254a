"""What terminals send, and the lines that the codec makes of it."""

from bank_node.protocol.codec import LINE_BYTES_MAX, LineBuffer
from bank_node.protocol.commands import Audience, visible_commands

COMMANDS = visible_commands(extensions=True, audience=Audience.PUBLIC)
LIMIT = LINE_BYTES_MAX

# The longest thing besides a line that a buffer may hold: the start of a telnet sequence.
TELNET_HELD_MAX = 3

IAC, SB, SE = b"\xff", b"\xff\xfa", b"\xff\xf0"
WILL_ECHO, DO_SGA, NOP = b"\xff\xfb\x01", b"\xff\xfd\x03", b"\xff\xf1"
# A window of 10 lines and 255 columns: an LF and a doubled IAC inside a subnegotiation.
NAWS = SB + b"\x1f\x00\xff\xff\x00\x0a" + SE
BOM = b"\xef\xbb\xbf"


def feed_chunks(chunks: list[bytes]) -> tuple[LineBuffer, list[bytes | None]]:
    buffer = LineBuffer()
    return buffer, [line for chunk in chunks for line in buffer.feed(chunk)]


def held(buffer: LineBuffer) -> int:
    """How many bytes a buffer keeps for later."""
    return sum(len(getattr(buffer, name)) for name in ("_partial", "_telnet"))
