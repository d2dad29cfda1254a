"""THE command table: one row of data for every command; policy reads it, handlers are bound to it.

Knows codes, arguments, replies and errors; knows neither sockets nor the ledger. A special case
is a column here or it does not exist. protocol.md is checked against this table.
"""

from functools import partial

from bank_node.errors import Reason, Refused
from bank_node.protocol.command import (
    BEFORE,
    ELSEWHERE,
    STORE,
    Argument,
    Audience,
    Command,
    Effect,
    Route,
    parse_command_code,
)
from bank_node.protocol.dispute_messages import parse_dispute_message
from bank_node.protocol.letters import parse_letter
from bank_node.protocol.operator import OPERATOR_ROWS
from bank_node.protocol.payment_cash import CASH_ROWS
from bank_node.protocol.payment_news import NEWS_ROWS
from bank_node.protocol.payment_requests import REQUEST_ROWS
from bank_node.protocol.payments import PAYMENT_ROWS
from bank_node.protocol.transfer_messages import parse_messages, parse_signature
from bank_node.values import (
    parse_account_address,
    parse_amount,
    parse_bank_code,
    parse_transfer_id,
    parse_transfer_key,
)

__all__ = [
    "BEFORE",
    "COMMANDS",
    "ELSEWHERE",
    "STORE",
    "Argument",
    "Audience",
    "Command",
    "Effect",
    "Route",
    "parse_command_code",
    "parse_position",
    "visible_commands",
]


def parse_position(text: bytes) -> int:
    """The number of an entry or block, from 1. Raises Refused(POSITION_FORMAT)."""
    try:
        position = parse_amount(text)
    except Refused:
        position = None
    if not position:
        raise Refused(Reason.POSITION_FORMAT)
    return position


def parse_word(text: bytes) -> str:
    """A name, an address, a hash or a signature. Raises Refused(WORD_FORMAT)."""
    word = text.decode("ascii", "replace")
    if len(word) > 128 or not word.isascii() or not word.isprintable():
        raise Refused(Reason.WORD_FORMAT)
    return word


def parse_count(text: bytes) -> int:
    """A number from 0. Raises Refused(WORD_FORMAT)."""
    try:
        return parse_amount(text)
    except Refused:
        raise Refused(Reason.WORD_FORMAT) from None


ACCOUNT = Argument("<account>/<ip>", parse_account_address)
NUMBER = Argument("<number>", parse_amount)
CODE = Argument("code", parse_command_code, optional=True)
BANK = Argument("<ip>", parse_bank_code)
ENTRY = Argument("<entry>", parse_position)
FIRST = Argument("<blocks>", parse_position)
SECOND = Argument("<blocks>", parse_position, optional=True)
NODE = Argument("<node>", parse_word)
EPOCH = Argument("<epoch>", parse_count)
WORD = partial(Argument, parse=parse_word)
BANK_SIGNATURE = Argument("<signature>", parse_word)

TRANSFER = Argument("id", parse_transfer_id, optional=True)
TRANSFER_KEY = Argument("<id>", parse_transfer_key)
COUNT = Argument("n", parse_amount, optional=True)
BEFORE_ENTRY = Argument("before", parse_amount, optional=True)

MESSAGES = Argument("<messages>", parse_messages)
DISPUTE_MESSAGE = Argument("<message>", parse_dispute_message)
LETTER = Argument("<letter>", parse_letter)
SIGNATURE = Argument("<signature>", parse_signature)

_ROWS = (
    Command(
        "BC", (), "BC <ip>", "Bank code: the address that names this bank.",
    ),
    Command(
        "AC", (), "AC <account>/<ip>", "Account create: opens an account with balance 0.",
        errors=(Reason.NO_FREE_ACCOUNT, *STORE), effect=Effect.WRITES, cost=4,
    ),
    Command(
        "AD", (ACCOUNT, NUMBER), "AD", "Account deposit: adds money to an account.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.AMOUNT_FORMAT, *ELSEWHERE,
                Reason.NO_SUCH_ACCOUNT, Reason.ACCOUNT_LIMIT, Reason.BANK_LIMIT, *STORE),
        route=Route.BY_ACCOUNT, effect=Effect.WRITES, cost=4,
    ),
    Command(
        "AW", (ACCOUNT, NUMBER), "AW", "Account withdrawal: takes money from an account.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.AMOUNT_FORMAT, *ELSEWHERE,
                Reason.NO_SUCH_ACCOUNT, Reason.INSUFFICIENT_FUNDS, *STORE),
        route=Route.BY_ACCOUNT, effect=Effect.WRITES, cost=4,
    ),
    Command(
        "AB", (ACCOUNT,), "AB <number>", "Account balance.",
        errors=(Reason.ACCOUNT_FORMAT, *ELSEWHERE, Reason.NO_SUCH_ACCOUNT),
        route=Route.BY_ACCOUNT, effect=Effect.READS,
    ),
    Command(
        "AR", (ACCOUNT,), "AR", "Account remove: closes an account whose balance is 0.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.NOT_FORWARDED, Reason.NO_SUCH_ACCOUNT,
                Reason.ACCOUNT_NOT_EMPTY, Reason.ACCOUNT_IN_TRANSFER, *STORE),
        route=Route.OWN_ACCOUNT, effect=Effect.WRITES, cost=4,
    ),
    Command(
        "BA", (), "BA <number>", "Bank amount: the sum of all client accounts.",
        effect=Effect.READS,
    ),
    Command(
        "BN", (), "BN <number>", "Bank number of clients: how many accounts are open.",
        effect=Effect.READS,
    ),
    Command(
        "RP", (NUMBER,), "RP <message>",
        "Robbery plan: which banks to rob for an amount so that the fewest clients are harmed.",
        errors=(Reason.AMOUNT_FORMAT, Reason.TARGET_TOO_HIGH),
        effect=Effect.ASKS, cost=100,
    ),
    Command(
        "LH", (), "LH <json>", "Ledger head: what the ledger holds now, signed by the bank.",
        effect=Effect.LOOKS_BACK, extension=True, cost=20,
    ),
    Command(
        "LL", (ACCOUNT,), "LL <entry>", "Ledger's last: the number of an account's latest entry.",
        errors=(Reason.ACCOUNT_FORMAT, *ELSEWHERE, Reason.NO_SUCH_ACCOUNT),
        route=Route.BY_ACCOUNT, effect=Effect.READS, extension=True,
    ),
    Command(
        "LP", (ENTRY,), "LP <json>", "Ledger proof: that an entry is in the signed ledger.",
        errors=(Reason.POSITION_FORMAT, Reason.NO_SUCH_ENTRY),
        effect=Effect.LOOKS_BACK, extension=True, cost=20,
    ),
    Command(
        "LC", (FIRST, SECOND), "LC <json>",
        "Ledger consistency: a proof that a later ledger begins with an earlier one.",
        errors=(Reason.POSITION_FORMAT, Reason.NO_SUCH_SIZE),
        effect=Effect.LOOKS_BACK, extension=True, cost=20,
    ),
    Command(
        "LW", (BANK,), "LW <json>",
        "Ledger witness: the latest head that this bank has seen of another one.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.NO_SUCH_HEAD), extension=True, cost=2,
    ),
    Command(
        "TR", (ACCOUNT, ACCOUNT, NUMBER, TRANSFER), "TR <id> committed",
        "Transfer: moves money from one account to another, each at any bank.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.AMOUNT_FORMAT, Reason.TRANSFER_ID_FORMAT, *ELSEWHERE,
                Reason.OTHER_CURRENCY, Reason.TRANSFER_ID_TAKEN, Reason.SAME_ACCOUNT,
                Reason.NO_SUCH_ACCOUNT,
                Reason.NO_SUCH_PAYEE, Reason.INSUFFICIENT_FUNDS, Reason.DEBIT_CAP,
                Reason.TOO_MANY_PROMISES, Reason.BANK_LIMIT, Reason.BANK_REFUSED,
                Reason.MESSAGES_REFUSED, Reason.ANSWER_NOT_SIGNED,
                Reason.TRANSFER_ABORTED, Reason.TRANSFER_PENDING, Reason.TRANSFER_UNKNOWN, *STORE),
        route=Route.BY_ACCOUNT, effect=Effect.WRITES, extension=True, cost=8,
    ),
    Command(
        "TS", (TRANSFER_KEY,), "TS <id> <state> <account>/<ip> <account>/<ip> <number>",
        "Transfer state.",
        errors=(Reason.TRANSFER_ID_FORMAT, Reason.NO_SUCH_TRANSFER),
        effect=Effect.READS, extension=True, cost=8,
    ),
    Command(
        "TH", (ACCOUNT, COUNT, BEFORE_ENTRY), "TH <json>",
        "Transaction history of an account, newest first, with the balance after each entry.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.AMOUNT_FORMAT, *ELSEWHERE, Reason.NO_SUCH_ACCOUNT),
        route=Route.BY_ACCOUNT, effect=Effect.LOOKS_BACK, extension=True, cost=40,
    ),
    Command(
        "TM", (BANK, MESSAGES, SIGNATURE), "TM <answers> <signature>",
        "Transfer messages: what another bank says about transfers, signed.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.TRANSFER_MESSAGE_FORMAT, Reason.NOT_SIGNED, *STORE),
        audience=Audience.PEER, effect=Effect.WRITES, extension=True, cost=40,
    ),
    Command(
        "TD", (BANK, DISPUTE_MESSAGE, SIGNATURE), "TD <answer> <signature>",
        "Transfer dispute: what a client of another bank says about a payment, signed.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.TRANSFER_MESSAGE_FORMAT, Reason.NOT_SIGNED, *STORE),
        audience=Audience.PEER, effect=Effect.WRITES, extension=True, cost=40,
    ),
    Command(
        "TQ", (BANK, LETTER, SIGNATURE), "TQ <answer> <signature>",
        "Transfer question: what another bank says about a request or a mandate, signed.",
        errors=(Reason.ACCOUNT_FORMAT, Reason.TRANSFER_MESSAGE_FORMAT, Reason.NOT_SIGNED, *STORE),
        audience=Audience.PEER, effect=Effect.WRITES, extension=True, cost=40,
    ),
    Command(
        "FB", (NODE, EPOCH, Argument("<height>", parse_count), WORD("<hash>"),
               Argument("<number>", parse_count), WORD("<ip>:<port>"), BANK_SIGNATURE),
        "FB <json>", "Follow: blocks, for a follower that has everything up to a height on disk.",
        errors=(Reason.WORD_FORMAT, Reason.NOT_THIS_BANK, Reason.HISTORIES_PART),
        effect=Effect.LOOKS_BACK, extension=True, waits=True, cost=20,
    ),
    Command(
        "FT", (EPOCH, WORD("<ip>:<port>"), BANK_SIGNATURE),
        "FT <epoch> <ip>:<port> <signature>",
        "Follow: the term of office, who leads the bank.",
        errors=(Reason.WORD_FORMAT, Reason.NOT_THIS_BANK),
        effect=Effect.LOOKS_BACK, extension=True, cost=20,
    ),
    Command(
        "FP", (NODE, BANK_SIGNATURE), "FP",
        "Follow: promotes this follower, which leads from then on.",
        errors=(Reason.WORD_FORMAT, Reason.NOT_THIS_BANK, Reason.NO_FOLLOWER,
                Reason.FOLLOWER_FAILED),
        effect=Effect.LOOKS_BACK, extension=True, cost=20,
    ),
    Command(
        "FS", (), "FS <json>", "Follow: state, whether this node leads, and who is how far behind.",
        effect=Effect.LOOKS_BACK, extension=True, cost=2,
    ),
    Command(
        "HE", (CODE,), "HE <text>", "Help: all commands, or how one of them is typed.",
        errors=(Reason.CODE_FORMAT, Reason.UNKNOWN_COMMAND), extension=True, before_token=True,
    ),
    Command(
        "VE", (), "VE <name> <version> <capability>...",
        "Version: name, version and capabilities of this node.", extension=True, before_token=True,
    ),
    Command(
        "LI", (BANK,), "LI", "Link: says that this connection is another bank's.",
        errors=(Reason.ACCOUNT_FORMAT,), extension=True, links=True,
    ),
    Command(
        "QU", (), "QU", "Quit: says goodbye and closes the connection.",
        extension=True, before_token=True, closes=True,
    ),
)  # fmt: skip

COMMANDS: dict[str, Command] = {
    row.code: row
    for rows in (_ROWS, PAYMENT_ROWS, NEWS_ROWS, REQUEST_ROWS, CASH_ROWS, OPERATOR_ROWS)
    for row in rows
}


def visible_commands(*, extensions: bool, audience: Audience) -> dict[bytes, Command]:
    """The rows that a node with these settings serves to an audience, keyed by their wire code."""
    return {
        row.code.encode("ascii"): row
        for row in COMMANDS.values()
        if (extensions or not row.extension) and _may_call(audience, row)
    }


def _may_call(audience: Audience, row: Command) -> bool:
    if audience is Audience.STRANGER:
        return row.before_token
    return row.audience in (Audience.PUBLIC, audience)
