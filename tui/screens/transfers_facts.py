"""What the screen Transfers tells of the chosen transfer, position or key, line by line."""

from collections.abc import Sequence

from textual.content import Content

from tui import safe
from tui.model import formats, ways
from tui.model.money import Keys, PinnedKey, Position, Reminders, Step, TransferRow
from tui.model.ways import Going
from tui.screens import transfers_tables as tables

_PARTS = {
    "payer": "which promises, and this bank decides",
    "payee": "which decides, and this bank promises",
    "classic": "which knows deposits only",
    "local": "in one entry",
}


def _fact(name: str, value: str, style: str = "") -> Content:
    return safe.assemble((f"{name:<11}", "$bank-dim"), (safe.line(value, 200), style))


def of_transfer(going: Going, steps: Sequence[Step]) -> list[Content]:
    """A transfer; `steps` as far as they are known."""
    row = going.row
    told = [_fact("state", ways.state_of(row), "bold $warning" if row.in_doubt else "bold")]
    waits = tables.waits_of(going)
    if waits:
        told.append(_fact("waits for", waits, "$warning" if row.in_doubt else ""))
    if row.trouble:
        told.append(_fact("trouble", row.trouble, "$error"))
        if row.direction == "out" and row.phase == "committed":
            told.append(_fact("", f"if {row.bank} has lost what it was paid: m asks it about all"))
    if row.reason:
        told.append(_fact("given up", row.reason.replace("_", " "), "$error"))
    if row.note:
        told.append(_fact("by hand", row.note, "$warning"))
    told.append(_fact("with", f"{row.bank or 'this bank alone'}, {_PARTS.get(row.role, row.role)}"))
    if steps:
        told += [_step(row, step) for step in steps]
    return told


def _step(row: TransferRow, step: Step) -> Content:
    signed = f"  ✓ signed by {row.bank}" if step.signed else ""
    place = f"entry {formats.amount(step.entry)}  block {formats.amount(step.height)}"
    return safe.assemble(
        (f"{formats.clock(step.time_us)}   ", "$bank-dim"), f"{safe.line(step.kind, 14):<14}",
        (place, "$bank-dim"), (signed, "$success"),
    )  # fmt: skip


def of_position(position: Position | None) -> list[Content]:
    """How this bank stands with another one."""
    if position is None:
        return []
    amount = formats.amount
    return [
        _fact("net", amount(position.net), "bold"),
        _fact("leaving", f"{amount(position.leaving)} held here to go there"),
        _fact("coming", f"{amount(position.coming)} promised here to come from there"),
        _fact("room", f"{tables.capped(position.room_out)} out, "
                      f"{tables.capped(position.room_in)} in"),
    ]  # fmt: skip


def of_reminders(reminders: Reminders) -> Content:
    """How far it is with asking a bank about all that it was paid, in a line."""
    amount, bank = formats.amount, safe.line(reminders.bank or "", 20)
    parts = [f"{amount(reminders.kept)} there"]
    if reminders.renewed:
        parts.append(f"{amount(reminders.renewed)} there again")
    if reminders.denied:
        parts.append(f"{amount(reminders.denied)} that it paid are not")
    if reminders.failed:
        parts.append(f"{amount(reminders.failed)} are not")
    asked = formats.plural(reminders.asked, "transfer")
    tone = "$error" if reminders.denied else "$warning" if reminders.failed else "$success"
    if reminders.running:
        told: tuple[str, str] = (f"◐ {bank} is asked: m stops it", "bold $accent")
    else:
        told = (f"{'▲' if tone != '$success' else '●'} {bank} was asked", tone)
    return safe.assemble(told, f"  {asked}: {', '.join(parts)}")


def of_key(keys: Keys, key: PinnedKey | None) -> list[Content]:
    """The key of this bank, and the one of another."""
    told = [_fact("this bank", keys.own.fingerprint, "bold")]
    if key is None:
        return told
    told.append(_fact("pinned", key.fingerprint))
    told.append(_fact("since", formats.date(key.since_us)))
    if key.offered:
        told.append(_fact("▲ offers", key.offered_fingerprint or "", "bold $error"))
        told.append(_fact("since", formats.date(key.offered_us)))
        told.append(
            safe.content("Its messages are refused until you accept this key: a.", "$error")
        )
    return told
