"""Forms and questions of the screen Transfers: what is typed, what it would do, how to say it."""

from textual.content import Content

from tui import safe
from tui.model import formats
from tui.model.money import PinnedKey, Reminders, TransferRow
from tui.model.replies import AccountDetail
from tui.widgets.dialogs import Confirm, Field, Form, Values
from tui.widgets.inputs import amount_of, amount_problem

_NOTE_BYTES_MAX = 400
_ID_CHARACTERS_MAX = 36


def protocol(line: str) -> Content:
    """The protocol line that does it."""
    return safe.assemble(("protocol  ", "$bank-dim"), (line, "$accent"))


# A new transfer


def new_transfer(bank: str, account: str = "") -> Form:
    """Who pays whom how much. `bank` is this one's code."""
    return Form(
        "New transfer",
        [
            Field("payer", "From the account", value=account, placeholder="10001",
                  problem=_own_problem),
            Field("payee", "To the account, with its bank if it is another one",
                  placeholder=f"20002/{bank}", problem=_address_problem),
            Field("amount", "Amount", placeholder="500", problem=amount_problem),
            Field("id", "Its name, or nothing: the bank draws one", placeholder="rent-2026-11",
                  problem=_id_problem),
        ],
        button="Transfer",
        effect=lambda values: protocol(transfer_line(bank, values)),
    )  # fmt: skip


def transfer_line(bank: str, values: Values) -> str:
    """`TR` as it is sent."""
    payee = values["payee"] if "/" in values["payee"] else f"{values['payee']}/{bank}"
    line = f"TR {values['payer']}/{bank} {payee} {amount_of(values['amount'])} {values['id']}"
    return line.strip()


def transfer_question(bank: str, payer: AccountDetail, values: Values) -> Confirm:
    """Whether to do it, with what becomes of the payer's balance."""
    amount = amount_of(values["amount"])
    told = safe.lines(
        safe.assemble(
            ("payer     ", "$bank-dim"), formats.amount(payer.balance), ("  →  ", "$bank-dim"),
            (formats.amount(payer.balance - amount), "bold"),
        ),
        protocol(transfer_line(bank, values)),
    )  # fmt: skip
    title = f"Transfer {formats.amount(amount)}?"
    return Confirm(title, told, button="Transfer", danger=True)


def _own_problem(text: str) -> str:
    is_right = text.isascii() and text.isdigit() and 10_000 <= int(text[:9]) <= 99_999
    return "" if is_right else "An account of this bank: 10000 to 99999."


def _address_problem(text: str) -> str:
    from ipaddress import AddressValueError, IPv4Address

    number, slash, bank = text.partition("/")
    if _own_problem(number):
        return "Type an account, such as 20002 or 20002/10.1.2.7."
    if slash:
        try:
            IPv4Address(bank)
        except AddressValueError:
            return "Behind the slash stands the address of its bank."
    return ""


def _id_problem(text: str) -> str:
    is_right = len(text) <= _ID_CHARACTERS_MAX and all(
        c.isascii() and (c.isalnum() or c in "._-") for c in text
    )
    return "" if is_right else f"At most {_ID_CHARACTERS_MAX} letters, digits and the signs . _ -"


# A decision by hand


def decision(row: TransferRow) -> Form:
    """How a transfer in doubt is to end, and why."""
    return Form(
        f"Decide {safe.line(row.transfer, 40)} by hand",
        [
            Field("do", "commit: the payee has the money · abort: he has not",
                  placeholder="commit or abort", problem=_outcome_problem),
            Field("note", "Who decides, and why; the ledger keeps it for good",
                  placeholder="Eva of that bank, by phone: nothing came", problem=_note_problem),
        ],
        button="Decide",
        effect=lambda values: safe.lines(
            effect_of(row, values), protocol(decide_line(row, values))
        ),
    )  # fmt: skip


def decide_line(row: TransferRow, values: Values) -> str:
    """`OW` as it is sent."""
    return f"OW transfer={row.transfer} do={values['do']} note={values['note']}"


def effect_of(row: TransferRow, values: Values) -> str:
    """What a decision does here, in a sentence."""
    amount, bank = formats.amount(row.amount), row.bank or "the other bank"
    if values["do"] == "commit":
        if row.direction == "in":
            return f"{row.payee} gets {amount}, which {bank} owes this bank."
        return f"{amount} of {row.payer} are gone; this bank owes them to {bank}."
    if row.direction == "in":
        return f"{row.payee} gets nothing; the room that was kept is free."
    return f"{amount} go back to {row.payer}."


def decision_question(row: TransferRow, values: Values) -> Confirm:
    """The last question, with the warning."""
    told = safe.lines(
        safe.content("▲ Only the other bank knows what happened. Ask it first.", "bold $warning"),
        safe.content("If it has done otherwise, money is lost, or paid twice.", "$warning"),
        safe.content(effect_of(row, values)),
        protocol(decide_line(row, values)),
    )
    verb = values["do"].title()
    title = f"{verb} {safe.line(row.transfer, 40)} by hand?"
    return Confirm(title, told, button=verb, danger=True)


def _outcome_problem(text: str) -> str:
    return "" if text in ("commit", "abort") else "Type commit or abort."


def _note_problem(text: str) -> str:
    if not text:
        return "Type a sentence for those who read the ledger later."
    return "" if len(text.encode()) <= _NOTE_BYTES_MAX else "That is too long for the ledger."


# Reminding a bank

REMIND_STOP = "OU count=1 stop=1"


def remind_line(bank: str) -> str:
    """`OU remind` as it is sent."""
    return f"OU count=1 remind={bank}"


def remind_question(bank: str) -> Confirm:
    """Whether to ask a bank about everything between the two."""
    told = safe.lines(
        safe.content("It is asked, the latest first, whether it still has each transfer that it "
                     "has confirmed. What it has lost, for example with an old backup, it takes "
                     "again; nothing is paid twice."),
        safe.content("Transfers go on meanwhile. An event tells what came of it.", "$bank-dim"),
        protocol(remind_line(bank)),
    )  # fmt: skip
    title = f"Ask {safe.line(bank, 20)} about all that it was paid?"
    return Confirm(title, told, button="Ask")


def remind_stop_question(reminders: Reminders) -> Confirm:
    """Whether to end what is under way."""
    asked = formats.plural(reminders.asked, "transfer")
    told = safe.lines(
        safe.content(f"It was asked about {asked}; {formats.amount(reminders.renewed)} of them it "
                     "had lost and has taken again, which stays so. It can be asked again."),
        safe.content("Banks that are to be asked after it are not asked either.", "$bank-dim"),
        protocol(REMIND_STOP),
    )  # fmt: skip
    title = f"Stop asking {safe.line(reminders.bank or '', 20)}?"
    return Confirm(title, told, button="Stop")


# Keys


def accept_question(row: PinnedKey) -> Confirm:
    """Whether the key that a bank shows now is its own."""
    told = safe.lines(
        safe.content("▲ A changed key is what an impostor would show, too. Compare it with the "
                     "other operator by phone.", "bold $warning"),
        safe.assemble(("until now ", "$bank-dim"), safe.line(row.fingerprint, 60)),
        safe.assemble(("offered   ", "$bank-dim"),
                      (safe.line(row.offered_fingerprint or "", 60), "bold")),
        protocol(accept_line(row)),
    )  # fmt: skip
    title = f"Accept the new key of {safe.line(row.bank, 20)}?"
    return Confirm(title, told, button="Accept", danger=True)


def accept_line(row: PinnedKey) -> str:
    """`OY accept` as it is sent: the very key that was looked at."""
    return f"OY accept={row.bank} key={row.offered}"


def forget_question(row: PinnedKey) -> Confirm:
    """Whether to unpin a bank."""
    told = safe.lines(
        safe.content("Until it shows a key again, no transfer with it goes on. The next key that "
                     "it shows is taken for the right one."),
        protocol(f"OY forget={row.bank}"),
    )  # fmt: skip
    title = f"Forget the key of {safe.line(row.bank, 20)}?"
    return Confirm(title, told, button="Forget", danger=True)
