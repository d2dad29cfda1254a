"""The tables of the screen Payments: their columns, and how each thing becomes a row."""

from collections.abc import Iterable

from tui.model import formats, purse, ways
from tui.model.payments import Client, Paper
from tui.model.purse import Paid
from tui.widgets.columns import Cell, Column, Row
from tui.widgets.grid import Grid

TABS = {
    "flow": "Flow",
    "reasons": "Reasons",
    "clients": "Clients",
    "papers": "Requests",
    "disputes": "Disputes",
}
HINTS = {
    "flow": ("payments.search", "payments.person", "payments.freeze"),
    "reasons": ("payments.flow",),
    "clients": ("payments.code", "payments.freeze", "payments.release", "payments.reset"),
    "papers": ("payments.revoke", "payments.person"),
    "disputes": ("payments.charge", "payments.reject", "payments.person"),
}
"""The tabs, and the actions that each is for."""

SEARCHES = {
    "flow": "an address, a retrieval number, a reference, an id, or address/reference",
    "reasons": "a part of a reason",
    "clients": "a part of an address, a name, a mobile number or an account",
    "papers": "a part of any column",
    "disputes": "a part of any column",
}


def flow_grid() -> Grid:
    """Payments, those that moved last first."""
    return Grid(
        Column("time", "Time", 8),
        Column("way", "Way", 5),
        Column("state", "State", 9),
        Column("amount", "Amount", 9, right=True),
        Column("payer", "Payer", 13, flex=2, from_width=52),
        Column("payee", "Payee", 13, flex=2, from_width=62),
        Column("took", "Took", 8, right=True, from_width=46),
        Column("code", "Code", 4, from_width=84),
        Column("reference", "Reference", 12, flex=1, from_width=104),
        Column("rrn", "RRN", 12, from_width=120),
        Column("why", "Why not", 14, flex=2, from_width=140),
        id="flow-grid",
        name="payments",
        empty="No payment has passed since the node was started. Those of clients appear here as "
        "they happen; / finds older ones.",
    )


def payment_row(paid: Paid) -> Row:
    """A payment as a row."""
    row, tone = paid.row, purse.tone_of(paid)
    took = paid.took_us
    return Row(
        paid.key,
        (
            (formats.clock(row.time_us or row.asked_us), "dim"),
            (ways.dots(purse.stations(paid)), tone),
            (purse.state_of(row), tone),
            formats.amount(row.amount),
            row.payer or "–",
            (row.payee or "–", "accent"),
            (formats.duration(took) if took is not None else "–", "dim"),
            (row.code, "bad" if tone == "bad" else "dim"),
            row.reference or row.order,
            (row.rrn, "dim"),
            (spoken(row.why), "bad"),
        ),
    )


def spoken(reason: str) -> str:
    """The name of a refusal in words."""
    return reason.replace("_", " ")


def reasons_grid() -> Grid:
    """Why payments were refused or failed."""
    return Grid(
        Column("count", "Times", 8, right=True),
        Column("share", "Share", 7, right=True),
        Column("code", "Code", 4),
        Column("why", "Why not", 20, flex=1),
        id="reasons-grid",
        name="reasons",
        empty="No payment was refused since the node was started.",
    )


def reason_row(reason: str, times: int, of: int) -> Row:
    """A reason; its share is that of all refusals."""
    from bank_node.errors import Reason
    from bank_node.protocol.payment_messages import response_code

    try:
        code = response_code(Reason(reason))
    except ValueError:
        code = "–"
    return Row(
        reason,
        (
            (formats.amount(times), "bad"),
            (formats.share(times, of), "dim"),
            (code, "accent"),
            spoken(reason),
        ),
    )


def clients_grid() -> Grid:
    """Users and merchants."""
    return Grid(
        Column("state", "State", 9),
        Column("vpas", "Address", 20, flex=2),
        Column("name", "Name", 14, flex=2, from_width=46),
        Column("balance", "Balance", 11, right=True, flex=1, from_width=58),
        Column("account", "Account", 7, from_width=70),
        Column("kind", "Kind", 13, from_width=86),
        Column("mobile", "Mobile", 13, from_width=102),
        Column("since", "Since", 10, from_width=116),
        id="clients-grid",
        name="clients",
        empty="Nobody here has a payment address yet. Clients register with PU, shops with PM, "
        "or with `bank user` and `bank merchant`.",
    )


STATES: dict[str, Cell] = {
    "active": ("● active", "good"),
    "frozen": ("◑ frozen", "warn"),
    "held": ("✗ held", "bad"),
    "locked": ("▲ locked", "warn"),
}


def state_of(client: Client) -> str:
    """The state of a client; one whose PIN is locked is active otherwise."""
    return "locked" if client.state == "active" and client.locked_until_us else client.state


def client_row(client: Client) -> Row:
    """A user or a merchant."""
    more = f" +{len(client.vpas) - 1}" if len(client.vpas) > 1 else ""
    return Row(
        client.account,
        (
            STATES.get(state_of(client), client.state),
            (client.address + more, "accent"),
            client.name,
            formats.amount(client.balance) if client.balance else ("0", "dim"),
            str(client.account),
            f"merchant {client.category}" if client.is_merchant else ("user", "dim"),
            (client.mobile, "dim"),
            (formats.date(client.opened_us)[:10], "dim"),
        ),
    )


def papers_grid() -> Grid:
    """Requests for money and mandates that are not over."""
    return Grid(
        Column("kind", "Kind", 8),
        Column("state", "State", 9),
        Column("amount", "Amount", 9, right=True),
        Column("payer", "Payer", 14, flex=1, from_width=44),
        Column("payee", "Payee", 14, flex=1, from_width=62),
        Column("when", "Next or ends", 16, from_width=78),
        Column("rule", "Rule", 20, from_width=104),
        Column("paid", "Paid", 5, right=True, from_width=112),
        Column("why", "Why not", 14, flex=1, from_width=130),
        id="papers-grid",
        name="requests",
        empty="Nobody waits for an answer, and no mandate runs.",
    )


def disputes_grid() -> Grid:
    """Disputes that are not over."""
    return Grid(
        Column("state", "State", 9),
        Column("amount", "Amount", 9, right=True),
        Column("payer", "Payer", 14, flex=1),
        Column("payee", "Payee", 14, flex=1, from_width=58),
        Column("deadline", "By itself at", 16, from_width=76),
        Column("said", "Why", 16, flex=2, from_width=92),
        Column("decides", "Decided at", 13, from_width=118),
        id="disputes-grid",
        name="disputes",
        empty="No payment is disputed. A payer who wants the money of a payment back waits here "
        "for the payee, for you, or for the deadline.",
    )


def dispute_row(paper: Paper) -> Row:
    """A dispute; the one that waits longest for an answer comes first."""
    return Row(
        paper.id,
        (
            (paper.state.replace("_", " "), _PAPER_TONES.get(paper.state, "accent")),
            formats.amount(paper.amount),
            paper.payer,
            (paper.payee, "accent"),
            (when_of(paper), "dim"),
            paper.said[0].text if paper.said else "",
            paper.payee_bank or ("here", "dim"),
        ),
    )


_PAPER_TONES = {
    "active": "good",
    "pending": "accent",
    "sent": "accent",
    "paying": "accent",
    "paused": "warn",
    "refused": "warn",
    "expired": "dim",
    "raised": "warn",
    "owed": "bad",
}


def paper_row(paper: Paper) -> Row:
    """A request or a mandate."""
    return Row(
        paper.id,
        (
            "request" if paper.kind == "collect" else paper.kind,
            (paper.state, _PAPER_TONES.get(paper.state, "")),
            formats.amount(paper.amount),
            paper.payer,
            (paper.payee, "accent"),
            (when_of(paper), "dim"),
            rule_of(paper),
            (str(paper.paid) if paper.kind == "mandate" else "–", "dim"),
            (spoken(paper.why), "bad"),
        ),
    )


def count_of(papers: Iterable[Paper], *, disputes: bool) -> str:
    """How many are disputes, or are none; nothing for none."""
    count = sum((paper.kind == "dispute") == disputes for paper in papers)
    return formats.short(count) if count else ""


def when_of(paper: Paper) -> str:
    """When something happens to it next."""
    return (paper.next_from or paper.expires or paper.deadline or paper.end)[:16].replace("T", " ")


def rule_of(paper: Paper) -> str:
    """What a mandate allows."""
    return f"{paper.amount_rule} {paper.recurrence}".strip()
