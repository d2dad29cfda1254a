"""What a log may show of a line that holds a secret, or may hold one."""

from bank_node.protocol.commands import COMMANDS

HIDDEN = b"***"
_SECRETIVE = frozenset(row.code.encode("ascii") for row in COMMANDS.values() if row.secrets)


def shown_request(line: bytes, secrets: tuple[int, ...]) -> bytes:
    """A request whose arguments at these places are secret."""
    words = line.split()
    if _is_retyped(line):
        # What was typed over may be the secret, and it may lie anywhere.
        return b" ".join((words[0], HIDDEN))
    for place in secrets:
        if place + 1 < len(words):
            words[place + 1] = HIDDEN
    return b" ".join(words)


def _is_retyped(line: bytes) -> bool:
    return b"\x08" in line or b"\x7f" in line


def shown_junk(line: bytes) -> bytes:
    """A line that is no request: a command with a secret that was mistyped shows its code only."""
    words = line.split()
    if not words:
        return line
    # Something invisible may stand before the code, and backspaces can make it of anything.
    is_odd = _is_retyped(line)
    # A PIN comes with a payment address, however wrong the code in front of them is.
    is_secretive = b"@" in line or {words[0][-2:].upper(), words[0][:2].upper()} & _SECRETIVE
    if is_odd or is_secretive:
        return b" ".join((words[0][:8], HIDDEN)) if not is_odd else HIDDEN
    return line
