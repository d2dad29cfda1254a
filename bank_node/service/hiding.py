"""What a log may show of a line that holds a secret, or may hold one."""

from bank_node.protocol.commands import COMMANDS

HIDDEN = b"***"
_SECRETIVE = frozenset(row.code.encode("ascii") for row in COMMANDS.values() if row.secrets)
_BACKSPACES = (b"\x08", b"\x7f")


def shown_request(line: bytes, secrets: tuple[int, ...]) -> bytes:
    """A request whose arguments at these places are secret."""
    words = line.split()
    if any(each in line for each in _BACKSPACES):
        # What was typed over may be the secret, and it may lie anywhere.
        return b" ".join((words[0], HIDDEN))
    return b" ".join(HIDDEN if n - 1 in secrets else word for n, word in enumerate(words))


def shown_junk(line: bytes) -> bytes:
    """A line that is no request: a command with a secret that was mistyped shows its code only."""
    words = line.split()
    if not words:
        return line
    # Something invisible may stand before the code, and backspaces can make it of anything.
    is_odd = any(each in line for each in _BACKSPACES)
    if is_odd or words[0][-2:].upper() in _SECRETIVE or words[0][:2].upper() in _SECRETIVE:
        return b" ".join((words[0][:8], HIDDEN)) if not is_odd else HIDDEN
    return line
