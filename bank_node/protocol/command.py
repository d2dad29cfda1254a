"""What a row of the command table is made of: its columns, and who, where and what they mean.

Knows no command.
"""

from collections.abc import Callable
from enum import Enum

from msgspec import Struct
from msgspec.structs import force_setattr

from bank_node.errors import Reason, Refused
from bank_node.protocol.fields import Field


class Audience(Enum):
    """Who may call a command."""

    PUBLIC = "public"
    PEER = "peer"
    OPERATOR = "operator"
    STRANGER = "stranger"
    """A tool on the operator's port that has not shown the token yet."""


class Route(Enum):
    """Where a command is answered."""

    OWN = "own"
    """Always here."""
    BY_ACCOUNT = "by account"
    """At the bank that the first argument names; a foreign one gets the command forwarded."""
    OWN_ACCOUNT = "own account"
    """Here, and refused when the first argument names another bank."""


class Effect(Enum):
    """What a command touches, which decides how a reply is ordered and made durable."""

    NONE = "none"
    """Answered from settings alone."""
    READS = "reads"
    """Reads durable state of the ledger."""
    WRITES = "writes"
    """Changes the ledger; the reply waits for the disk."""
    LOOKS_BACK = "looks back"
    """Reads the stored blocks, beside the ledger thread."""
    CONTROLS = "controls"
    """Changes the node, though not its ledger; refused to operators who may only look."""
    ASKS = "asks"
    """Asks other banks, within the reply time."""


class Argument(Struct, frozen=True):
    """One argument: how it is shown in help, and the parser that proves it."""

    shape: str
    parse: Callable[[bytes], object]
    optional: bool = False


class Command(Struct, frozen=True):
    """One row of the table; `errors` are in their order of precedence."""

    code: str
    arguments: tuple[Argument, ...]
    reply: str
    summary: str
    errors: tuple[Reason, ...] = ()
    audience: Audience = Audience.PUBLIC
    route: Route = Route.OWN
    effect: Effect = Effect.NONE
    extension: bool = False
    closes: bool = False
    """Whether the connection ends after the reply."""
    links: bool = False
    """Whether the connection is another bank's from now on: nothing on it is carried on."""
    fields: tuple[Field, ...] = ()
    """Arguments of the form `name=value`, of a command that has them instead of others."""
    waits: bool = False
    """Whether a reply may wait for news, which is no latency then."""
    before_token: bool = False
    """Whether the operator's port answers it to those who have not shown the token yet."""
    secrets: tuple[int, ...] = ()
    """Which arguments nobody but the bank may read; they are hidden in every log."""
    secret_reply: bool = False
    """Whether the reply is secret, too."""
    cost: int = 1
    """Relative price of a call, for budgets: 1 is a balance read."""

    # Both are made of the arguments, whatever is given.
    parsers: tuple[Callable[[bytes], object], ...] = ()
    """The parsers of the arguments, at hand for the codec."""
    arguments_min: int = 0

    def __post_init__(self) -> None:
        force_setattr(self, "parsers", tuple(a.parse for a in self.arguments))
        least = sum(not a.optional for a in self.arguments)
        force_setattr(self, "arguments_min", least)

    @property
    def usage(self) -> str:
        """How the command is typed, e.g. `AD <account>/<ip> <number>`."""
        shapes = (f"[{a.shape}]" if a.optional else a.shape for a in self.arguments)
        return " ".join((self.code, *shapes, *(field.shape for field in self.fields)))


def parse_command_code(text: bytes) -> str:
    """A two-letter code in either case, e.g. `ad`. Raises Refused(CODE_FORMAT)."""
    if len(text) != 2 or not text.isalpha():
        raise Refused(Reason.CODE_FORMAT)
    return text.decode("ascii").upper()


# Every command can meet these before its own errors, and the store's after them.
BEFORE = (Reason.LINE_TOO_LONG, Reason.NOT_TEXT, Reason.UNKNOWN_COMMAND,
          Reason.ARGUMENT_COUNT)  # fmt: skip
# What can become of a request for an account of another bank, before that bank has a say.
ELSEWHERE = (Reason.OUT_OF_REACH, Reason.NOT_OURS, Reason.BANK_NOT_FOUND, Reason.BANK_BUSY,
             Reason.BANK_SILENT, Reason.BANK_OUTCOME_UNKNOWN)  # fmt: skip
STORE = (Reason.NOT_LEADER, Reason.TOO_BUSY, Reason.STOPPING, Reason.STORE_FULL,
         Reason.STORE_FAILED, Reason.STORE_AWAY, Reason.OUTCOME_UNKNOWN)  # fmt: skip
# What can be wrong with fields.
FIELDS = (Reason.FIELD_UNKNOWN, Reason.FIELD_TWICE, Reason.FIELD_FORMAT, Reason.FIELD_MISSING)
