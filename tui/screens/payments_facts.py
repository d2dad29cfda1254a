"""What the screen Payments tells of the chosen payment, client, request or mandate."""

from textual.content import Content

from tui import safe
from tui.model import formats, purse
from tui.model.payments import Client, Paper, Statement
from tui.model.purse import Health, Paid
from tui.screens import payments_tables as tables
from tui.themes import tone
from tui.widgets.health import exact_share

_NAME = 11
_GAP = "   "


def _fact(name: str, value: str, style: str = "") -> Content:
    return safe.assemble((name.ljust(_NAME), "$bank-dim"), (safe.line(value, 200), style))


def _more(*pairs: tuple[str, str]) -> Content:
    """Several small facts in one row; those without a value are left out."""
    parts: list[str | tuple[str, str]] = []
    for name, value in pairs:
        if value:
            first = not parts
            parts.append(((name.ljust(_NAME) if first else f"{_GAP}{name} "), "$bank-dim"))
            parts.append(safe.line(value, 200))
    return safe.assemble(*parts)


def of_flow(health: Health, lost: int) -> str:
    """How payments go, in a line; `lost` of them passed too fast to be shown."""
    parts = []
    if health.share is not None:
        whole = formats.amount(health.paid + health.refused)
        parts.append(f"{exact_share(health.share)} of {whole} paid")
    if health.of:
        p50, p99 = formats.duration(health.p50_us), formats.duration(health.p99_us)
        parts.append(f"p50 {p50} p99 {p99}")
    if lost:
        parts.append(f"{formats.amount(lost)} too fast to show")
    return " · ".join(parts)


def of_payment(paid: Paid) -> list[Content]:
    """A payment: how it ended, under which names it is found, what was said with it."""
    row = paid.row
    told = safe.assemble(
        ("state".ljust(_NAME), "$bank-dim"), (purse.state_of(row), tone(purse.tone_of(paid))),
        (f"  {row.code}", "bold"), f"  {safe.line(tables.spoken(row.why), 80)}",
        (f"  {row.kind}" if row.kind != "pay" else "", "$bank-dim"),
    )  # fmt: skip
    rows = [told, _more(("rrn", row.rrn), ("reference", row.reference), ("order", row.order))]
    rows.append(_more(("payment", row.payment)))
    if row.refunded:
        rows.append(_fact("given back", formats.amount(row.refunded), "$warning"))
    if row.of:
        rows.append(_more(("refund of", row.of)))
    rows.append(_more(("payee", row.payee_name), ("with", row.bank), ("currency", row.currency)))
    rows.append(_more(("note", row.note)))
    rows.append(_more(("asked", formats.date(row.asked_us))))
    return [each for each in rows if each.plain]


def of_client(client: Client | None) -> list[Content]:
    """A user or a merchant."""
    if client is None:
        return []
    state = tables.STATES.get(tables.state_of(client), client.state)
    word, tone_name = (state, "") if isinstance(state, str) else state
    kind = f"merchant {client.category}" if client.is_merchant else "user"
    told = [
        safe.assemble((client.name, "bold"), (f"  {kind}", "$bank-dim"),
                      (f"  {word}", tone(tone_name))),
        _fact("addresses", " ".join(client.vpas), "$accent"),
        _more(("account", str(client.account)), ("balance", formats.amount(client.balance))),
        _more(("mobile", client.mobile), ("MMID", client.mmid)),
        _more(("since", formats.date(client.opened_us))),
    ]  # fmt: skip
    if client.state == "held":
        told.append(safe.content("The bank froze it: only u lets it go on.", "$error"))
    if client.state == "frozen":
        told.append(safe.content("It froze itself, and can let itself go on.", "$warning"))
    if client.locked_until_us:
        until = formats.date(client.locked_until_us)
        told.append(safe.content(f"▲ PIN locked until {until}; n gives a new one.", "$warning"))
    elif client.wrong_pins:
        wrong = formats.plural(client.wrong_pins, "wrong PIN")
        told.append(safe.content(f"{wrong} in a row", "$warning"))
    return told


def _said(each: Statement) -> Content:
    return safe.assemble(
        (safe.line(each.by, 10).ljust(_NAME), "$bank-dim"), (safe.line(each.text, 300), "bold"),
        (f"  {each.time[:16].replace('T', ' ')}", "$bank-dim"),
    )  # fmt: skip


def of_paper(paper: Paper | None) -> list[Content]:
    """A request for money, a mandate, or a dispute."""
    if paper is None:
        return []
    told = [
        _more(("state", paper.state), ("amount", formats.amount(paper.amount)),
              ("rule", tables.rule_of(paper))),
        _more(("payer", paper.payer), ("payee", paper.payee), ("name", paper.payee_name)),
        _more(("from", paper.start), ("until", paper.end), ("expires", paper.expires)),
        _more(("next", paper.next_from), ("to", paper.next_until),
              ("amount", str(paper.next_amount)), ("tries", str(paper.tries))),
        _more(("by itself", tables.when_of(paper) if paper.deadline else ""),
              ("decided at", paper.payee_bank)),
        *(_said(each) for each in paper.said),
        _more(("why not", tables.spoken(paper.why))),
        _more(("payment", paper.payment)),
        _more(("given back", paper.refund)),
        _more(("reference", paper.reference), ("note", paper.note)),
        _more(("id", paper.id)),
    ]  # fmt: skip
    return [each for each in told if each.plain]
