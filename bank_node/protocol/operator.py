"""The rows of the command table for the operator's tools, family O: look, change, verify, stop.

Replies carry one JSON document on their line. Served on the operator's port only.
"""

from bank_node.errors import Reason, Refused
from bank_node.protocol import fields
from bank_node.protocol.command import FIELDS, Argument, Audience, Command, Effect
from bank_node.protocol.fields import Field
from bank_node.protocol.filters import EVERYTHING, parse_account_filter
from bank_node.values import (
    ACCOUNT_MAX,
    ACCOUNT_MIN,
    ACCOUNTS_MAX,
    BankCode,
    parse_bank_code,
    parse_transfer_key,
    port_number,
)

_TOKEN_MAX = 256
_NUMBER_MAX = 2**63 - 1
_ROWS_MAX = 1000
NOTE_BYTES_MAX = 400
"""How long the note of a decision by hand may be."""
WAIT_MAX_S = 20
"""The longest that a request may wait for news."""

SORTS = ("number", "balance", "last_entry", "-number", "-balance", "-last_entry")
"""How accounts can be ordered; a minus is descending."""


def parse_token(text: bytes) -> bytes:
    """What may be a token. Raises Refused(TOKEN_WRONG)."""
    if len(text) > _TOKEN_MAX or not text.isascii() or not text.decode().isprintable():
        raise Refused(Reason.TOKEN_WRONG)
    return text


_TOKEN = Argument("<token>", parse_token)
_COUNT = fields.whole("count", 1, _ROWS_MAX, 200)
_AFTER = fields.whole("after", 0, _NUMBER_MAX)
_WAIT = fields.seconds("wait", WAIT_MAX_S)
_START = fields.switch("start")
_STOP = fields.switch("stop")
_NEWS = (_AFTER, _COUNT, _WAIT)


def _parse_place(text: str) -> tuple[int, int]:
    """Where a history goes on, `entry-balance` as the page before told it."""
    entry, dash, balance = text.partition("-")
    if not dash or not all(
        part.isascii() and part.isdigit() and len(part) <= 19 for part in (entry, balance)
    ):
        raise ValueError(text)
    return int(entry), int(balance)


def _parse_peer(text: str) -> tuple[BankCode, int | None]:
    """A bank, perhaps with its port."""
    host, colon, port = text.partition(":")
    try:
        code = parse_bank_code(host.encode("utf-8", "replace"))
    except Refused:
        raise ValueError(text) from None
    number = port_number(port)
    if colon and number is None:
        raise ValueError(text)
    return code, number


def _parse_bank(text: str) -> BankCode:
    code, port = _parse_peer(text)
    if port is not None:
        raise ValueError(text)
    return code


def _parse_transfer(text: str) -> str:
    try:
        return parse_transfer_key(text.encode("utf-8", "replace"))
    except Refused:
        raise ValueError(text) from None


def _parse_note(text: str) -> str:
    """Why an operator decides, for those who read the ledger later."""
    note = text.strip()
    if not note or not note.isprintable() or len(note.encode()) > NOTE_BYTES_MAX:
        raise ValueError(text)
    return note


def _operator(
    code: str,
    summary: str,
    *own: Field,
    errors: tuple[Reason, ...] = (),
    effect: Effect = Effect.NONE,
    secret_reply: bool = False,
    cost: int = 10,
) -> Command:
    checked = FIELDS if own else ()
    refused = (Reason.READ_ONLY,) if effect is Effect.CONTROLS else ()
    return Command(
        code,
        (),
        f"{code} <json>",
        summary,
        errors=(*checked, *refused, *errors),
        audience=Audience.OPERATOR,
        effect=effect,
        extension=True,
        fields=own,
        waits=_WAIT in own,
        secret_reply=secret_reply,
        cost=cost,
    )


OPERATOR_ROWS = (
    Command(
        "OA",
        (_TOKEN,),
        "OA",
        "Operator's authentication: shows the token of the data folder.",
        errors=(Reason.LOCKED_OUT, Reason.TOKEN_WRONG),
        audience=Audience.OPERATOR,
        extension=True,
        before_token=True,
        secrets=(0,),
        cost=100,
    ),
    _operator("OS", "Operator's status: what this node is and how it is doing.", cost=2),
    _operator("OM", "Operator's metrics: every counter and latency since the start."),
    _operator(
        "OC",
        "Operator's clients: the accounts page by page, sorted and filtered.",
        fields.whole("first", 0, ACCOUNTS_MAX, 0),
        _COUNT,
        fields.choice("sort", *SORTS, default="number"),
        Field("filter", parse_account_filter, "77|>5|>=5|<5|<=5|=5|5..9", EVERYTHING),
        cost=100,
    ),
    _operator(
        "OD",
        "Operator's detail: one account and its history, the newest entry first.",
        fields.whole("account", ACCOUNT_MIN, ACCOUNT_MAX, required=True),
        _COUNT,
        Field("before", _parse_place, "<next>"),
        cost=100,
    ),
    _operator("OE", "Operator's events: what happened, or will happen while it waits.", *_NEWS),
    _operator(
        "OL", "Operator's log: its last lines, or the next ones.", *_NEWS,
        fields.choice("level", "debug", "info", "warning", "error", default="debug"),
    ),
    _operator("OT", "Operator's traffic: the last requests and replies, or the next ones.", *_NEWS),
    _operator("OP", "Operator's peers: every bank that is known, this one first."),
    _operator(
        "OI", "Operator's introductions: adds or removes a bank, or asks one afresh.",
        Field("add", _parse_peer, "<ip>|<ip>:<port>"),
        Field("remove", _parse_peer, "<ip>|<ip>:<port>"),
        Field("ask", _parse_peer, "<ip>|<ip>:<port>"),
        fields.switch("save"),
        errors=(Reason.OUT_OF_REACH, Reason.SETTING_WRONG), effect=Effect.CONTROLS, cost=100,
    ),
    _operator("ON", "Operator's net: looks for banks, and tells how far that is.", _START, _STOP),
    _operator(
        "OK", "Operator's knock: one command of the public port at another bank.",
        Field("to", _parse_peer, "<ip>|<ip>:<port>", required=True),
        fields.text("line", "<command>", required=True, takes_rest=True),
        errors=(Reason.OUT_OF_REACH,), effect=Effect.CONTROLS, cost=100,
    ),
    _operator(
        "OB", "Operator's burglary: a robbery plan with everything that is known of it.",
        fields.whole("number", 0, _NUMBER_MAX, required=True),
        fields.choice("objective", "fewest", "closest"),
        fields.switch("frontier"),
        fields.whole("points", 2, 1000, 60),
        cost=1000,
    ),
    _operator(
        "OJ",
        "Operator's journal: blocks, the entries of one, or a search by account and time.",
        fields.whole("before", 1, _NUMBER_MAX),
        _COUNT,
        fields.whole("height", 1, _NUMBER_MAX),
        fields.whole("account", ACCOUNT_MIN, ACCOUNT_MAX),
        fields.whole("since_us", 0, _NUMBER_MAX),
        fields.whole("until_us", 0, _NUMBER_MAX),
        errors=(Reason.NO_SUCH_BLOCK,), cost=100,
    ),
    _operator(
        "OV", "Operator's verification: replays the journal in the background.", _START, _STOP,
        errors=(Reason.ALREADY_RUNNING,),
    ),
    _operator(
        "OZ", "Operator's export: writes accounts or journal into the data folder.",
        fields.choice("what", "accounts", "journal"),
        fields.whole("account", ACCOUNT_MIN, ACCOUNT_MAX),
        fields.choice("format", "csv", "json", default="csv"),
        _STOP,
        errors=(Reason.ALREADY_RUNNING,), effect=Effect.CONTROLS,
    ),
    _operator(
        "OF",
        "Operator's flights: transfers under way, in doubt or done, or the way of a single one.",
        Field("transfer", _parse_transfer, "<id>|<ip>/<id>"),
        fields.choice("show", "open", "doubt", "done", default="open"),
        fields.whole("first", 0, _NUMBER_MAX, 0),
        fields.whole("before", 1, _NUMBER_MAX),
        fields.whole("count", 1, _ROWS_MAX, 100),
        errors=(Reason.NO_SUCH_TRANSFER,), cost=100,
    ),
    _operator("OO", "Operator's outlook: the states that transfers come to, as they do.", *_NEWS),
    _operator(
        "OW", "Operator's word: decides a transfer that is in doubt, by hand.",
        Field("transfer", _parse_transfer, "<id>|<ip>/<id>", required=True),
        fields.choice("do", "commit", "abort", required=True),
        Field("note", _parse_note, "<why>", required=True, takes_rest=True),
        errors=(Reason.NO_SUCH_TRANSFER, Reason.NOT_IN_DOUBT, Reason.TRANSFER_COMMITTED,
                Reason.TRANSFER_ABORTED),
        effect=Effect.CONTROLS, cost=100,
    ),
    _operator(
        "OU", "Operator's unsettled: what banks owe each other; reminds one of what it was paid.",
        fields.whole("first", 0, _NUMBER_MAX, 0), _COUNT,
        Field("remind", _parse_bank, "<ip>"), _STOP,
        errors=(Reason.READ_ONLY, Reason.NOT_HERE), cost=20,
    ),
    _operator(
        "OY", "Operator's keys: the pinned ones of other banks; accepts a changed one, or forgets.",
        fields.whole("first", 0, _NUMBER_MAX, 0), _COUNT,
        Field("accept", _parse_bank, "<ip>"),
        fields.text("key", "<key>", longest=64),
        Field("forget", _parse_bank, "<ip>"),
        errors=(Reason.READ_ONLY, Reason.NO_SUCH_KEY),
    ),
    _operator(
        "OR", "Operator's replicas: who leads and who follows; promotes this node.",
        fields.switch("promote"),
        errors=(Reason.READ_ONLY, Reason.NO_FOLLOWER, Reason.FOLLOWER_FAILED), cost=20,
    ),
    _operator(
        "OQ", "Operator's quotidian: payments as they pass, clients, what they ask of each other.",
        fields.choice("show", "flow", "clients", "papers", "find", default="flow"),
        fields.whole("account", ACCOUNT_MIN, ACCOUNT_MAX),
        fields.choice("do", "freeze", "release", "reset", "code", "revoke", "charge",
                      "reject"),
        fields.whole("first", 0, _NUMBER_MAX, 0), *_NEWS,
        fields.text("find", "<text>", longest=300, takes_rest=True),
        errors=(Reason.READ_ONLY, Reason.UNPROTECTED, Reason.NO_SUCH_CLIENT,
                Reason.NO_SUCH_PAYMENT, Reason.NO_SUCH_REQUEST, Reason.REQUEST_OVER),
        secret_reply=True, cost=100,
    ),
    _operator("OG", "Operator's settings: each with its value, where it is from, and its meaning."),
    _operator(
        "OH", "Operator's hand: changes a setting of the running node.",
        fields.text("key", "<key>", required=True),
        fields.text("value", "<value>", required=True),
        fields.switch("save"),
        errors=(Reason.SETTING_WRONG, Reason.NOT_LIVE), effect=Effect.CONTROLS,
    ),
    _operator(
        "OX", "Operator's exit: drains the node, takes work again, or stops it.",
        fields.choice("do", "drain", "resume", "stop", required=True),
        errors=(Reason.NOT_HERE,), effect=Effect.CONTROLS,
    ),
)  # fmt: skip
