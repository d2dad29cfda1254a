"""What a line of the protocol is, read from the command table: its row, and what it may change."""

from bank_node.protocol.commands import COMMANDS, Command, Effect

# Lines of the operator that only look; with a word of `_DOING` they do more.
_LOOKING = frozenset(
    (
        "OA",
        "OS",
        "OM",
        "OC",
        "OD",
        "OE",
        "OL",
        "OT",
        "OP",
        "ON",
        "OB",
        "OJ",
        "OV",
        "OG",
        "OF",
        "OO",
        "OQ",
        "OU",
        "OY",
        "OR",
    )
)
_DOING = ("start=", "stop=", "accept=", "forget=", "promote=", "remind=", "do=")
# A code to scan is only shown.
_SHOWING = "do=code"


def command_of(line: str) -> Command | None:
    """The row of the table that a line names; a leading `@ADDRESS` is not part of it."""
    words = line.split()
    if words and words[0].startswith("@"):
        del words[0]
    return COMMANDS.get(words[0].upper()) if words else None


def changes(line: str) -> bool:
    """Whether a line may change something; assumed of everything that is in no table."""
    words = line.split()
    if words and words[0].startswith("@"):
        del words[0]
    code = words[0].upper() if words else ""
    if code in _LOOKING or words == ["OZ"]:
        return any(word.lower().startswith(_DOING) for word in words[1:] if word != _SHOWING)
    row = COMMANDS.get(code)
    return row is None or code.startswith("O") or row.effect is Effect.WRITES
