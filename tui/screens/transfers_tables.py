"""The tables of the screen Transfers: their columns, and how each thing becomes a row."""

from tui.model import formats
from tui.model.money import PinnedKey, Position
from tui.model.ways import Going, small, state_of, tone_of
from tui.widgets.columns import Cell, Column, Row
from tui.widgets.grid import Grid

_NO_CAP = 10**15

TABS = {
    "flight": "In flight",
    "doubt": "In doubt",
    "done": "Done",
    "positions": "Positions",
    "keys": "Keys",
}
TRANSFERS = ("flight", "doubt", "done")
"""The tabs with transfers."""
HINTS = {
    "flight": ("transfers.begin", "transfers.decide", "transfers.remind"),
    "doubt": ("transfers.decide",),
    "done": ("transfers.export",),
    "positions": ("transfers.begin", "transfers.remind"),
    "keys": ("transfers.accept", "transfers.forget"),
}
"""The tabs, and the actions that each is for."""

EMPTY = {
    "flight": "No transfer with another bank is under way. t begins one; those of clients appear "
    "here as they happen.",
    "doubt": "Nothing is in doubt. A transfer whose other bank does not answer waits here for "
    "your decision.",
    "done": "No transfer has ended yet.",
}


def transfers_grid(tab: str) -> Grid:
    """The table of one of the tabs with transfers."""
    return Grid(
        Column("time", "Since" if tab == "doubt" else "Time", 8),
        Column("way", "Way", 7),
        Column("state", "State", 9),
        Column("amount", "Amount", 9, right=True),
        Column("payer", "From", 16, flex=1, from_width=60),
        Column("payee", "To", 16, flex=1, from_width=72),
        Column("took", "Took", 8, right=True, from_width=92 if tab == "flight" else 10_000),
        Column("transfer", "Transfer", 11, flex=2, from_width=44),
        Column("why", "Why" if tab == "done" else "Waits for", 12, flex=5, from_width=106),
        id=f"{tab}-grid",
        name=f"transfers-{tab}",
        empty=EMPTY[tab],
    )


def transfer_row(going: Going) -> Row:
    """A transfer as a row of its table."""
    row = going.row
    when = going.began_us or row.since_us or row.time_us
    why = row.trouble or row.reason.replace("_", " ") or row.note or waits_of(going)
    took = going.took_us
    return Row(
        row.transfer,
        (
            (formats.clock(when), "dim"),
            small(going),
            (state_of(row), tone_of(going)),
            formats.amount(row.amount),
            _party(row.payer, is_own=row.direction != "in"),
            _party(row.payee, is_own=row.direction != "out"),
            (formats.duration(took) if took is not None else "–", "dim"),
            (row.transfer, "dim"),
            (why, "bad" if row.trouble or row.phase == "aborted" else "dim"),
        ),
    )


def _party(address: str | None, *, is_own: bool) -> Cell:
    """An account; for one of this bank its number is enough."""
    told = address or "–"
    return (told.partition("/")[0], "accent") if is_own else told


def waits_of(going: Going) -> str:
    """What a transfer waits for, in a few words."""
    row = going.row
    if not going.is_open:
        return ""
    told = {
        "ledger": "the ledger",
        "bank": f"an answer of {row.bank}",
        "operator": "your decision: e",
        "leader": "the leading node",
    }.get(row.waits_for, "")
    if row.waits_for == "retry" and row.next_in_s is not None:
        told = f"the next try, in {formats.duration(row.next_in_s * 1e6)}"
    if row.in_doubt and row.waits_for != "operator":
        told = f"{told}, or your decision: e" if told else "your decision: e"
    return told


def positions_grid() -> Grid:
    """What this bank and the others owe each other."""
    return Grid(
        Column("bank", "Bank", 13, flex=1),
        Column("nostro", "They owe", 9, right=True, flex=1),
        Column("vostro", "We owe", 9, right=True, flex=1),
        Column("net", "Net", 9, right=True, flex=1, from_width=56),
        Column("leaving", "Leaving", 8, right=True, flex=1, from_width=66),
        Column("coming", "Coming", 8, right=True, flex=1, from_width=76),
        Column("cap", "Cap", 8, right=True, flex=1, from_width=88),
        Column("room", "Room out", 9, right=True, flex=1, from_width=100),
        Column("room_in", "Room in", 9, right=True, flex=1, from_width=112),
        id="positions-grid",
        name="positions",
        empty="No money has gone to another bank or come from one yet.",
    )


def capped(amount: int) -> str:
    """An amount that a cap leaves; without a cap worth the name it is no limit."""
    return "no limit" if amount >= _NO_CAP else formats.amount(amount)


def position_row(position: Position) -> Row:
    """One bank."""
    net = position.net
    room: Cell = capped(position.room_out)
    if not position.room_out:
        room = ("0", "bad")
    return Row(
        position.bank,
        (
            (position.bank, "accent"),
            (formats.amount(position.nostro), "" if position.nostro else "dim"),
            (formats.amount(position.vostro), "" if position.vostro else "dim"),
            (f"{'+' if net > 0 else ''}{formats.amount(net)}",
             "good" if net > 0 else "warn" if net < 0 else "dim"),
            (formats.amount(position.leaving), "accent" if position.leaving else "dim"),
            (formats.amount(position.coming), "accent" if position.coming else "dim"),
            (capped(position.cap), "dim"),
            room,
            capped(position.room_in),
        ),
    )  # fmt: skip


def keys_grid() -> Grid:
    """The pinned keys of other banks."""
    return Grid(
        Column("state", "State", 9),
        Column("bank", "Bank", 13),
        Column("fingerprint", "Fingerprint", 24, flex=1),
        Column("since", "Pinned", 10, from_width=70),
        id="keys-grid",
        name="keys",
        empty="No key is pinned yet. The first key that a bank shows is.",
    )


def key_row(key: PinnedKey) -> Row:
    """One bank; a changed key stands out."""
    return Row(
        key.bank,
        (
            ("▲ changed", "bad") if key.offered else ("● pinned", "good"),
            (key.bank, "accent"),
            key.fingerprint,
            (formats.date(key.since_us)[:10], "dim"),
        ),
    )
