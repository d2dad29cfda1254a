"""The forms and questions that move money: what is typed, what it would do, how it is said."""

from collections.abc import Callable
from functools import partial

from textual.content import Content

from bank_node.values import AMOUNT_MAX
from tui import safe
from tui.model import formats
from tui.model.replies import AccountDetail, Status
from tui.widgets.dialogs import Confirm, Field, Form, Values
from tui.widgets.inputs import amount_of, amount_problem

_TITLES = {"AD": "Deposit to", "AW": "Withdraw from"}
_VERBS = {"AD": "Deposit", "AW": "Withdraw"}


def line(code: str, account: AccountDetail, bank: str, values: Values) -> str:
    """The protocol line that moves the money."""
    return f"{code} {account.number}/{bank} {amount_of(values['amount'])}"


def done(code: str, account: AccountDetail, values: Values) -> str:
    """What to say when it has been done."""
    amount = formats.amount(amount_of(values["amount"]))
    how = "deposited to" if code == "AD" else "withdrawn from"
    return f"{amount} {how} {account.number}; it is on disk."


def _after(code: str, account: AccountDetail, values: Values) -> int:
    amount = amount_of(values["amount"])
    return account.balance + (amount if code == "AD" else -amount)


def _effect(code: str, account: AccountDetail, bank: str, values: Values) -> Content:
    return safe.lines(
        safe.assemble(
            ("balance   ", "$bank-dim"),
            formats.amount(account.balance),
            ("  →  ", "$bank-dim"),
            (formats.amount(_after(code, account, values)), "bold"),
        ),
        safe.assemble(("protocol  ", "$bank-dim"), (line(code, account, bank, values), "$accent")),
    )


def forms(code: str, account: AccountDetail, bank: str) -> tuple[Form, Callable[[Values], Confirm]]:
    """The form for AD or AW, and the question that follows it."""
    most = AMOUNT_MAX - account.balance if code == "AD" else account.balance
    effect = partial(_effect, code, account, bank)
    form = Form(
        f"{_TITLES[code]} {account.number}/{bank}",
        [
            Field(
                "amount",
                f"Amount, at most {formats.amount(most)}",
                placeholder="500",
                problem=lambda text: amount_problem(text, most=most),
            )
        ],
        button=_VERBS[code],
        effect=effect,
    )

    def question(values: Values) -> Confirm:
        amount = formats.amount(amount_of(values["amount"]))
        title = f"{_VERBS[code]} {amount}?"
        return Confirm(title, effect(values), button=_VERBS[code], danger=code == "AW")

    return form, question


def open_question(status: Status) -> Confirm:
    """Whether to open an account."""
    told = safe.lines(
        safe.assemble(
            ("accounts  ", "$bank-dim"),
            formats.amount(status.clients),
            ("  →  ", "$bank-dim"),
            (formats.amount(status.clients + 1), "bold"),
        ),
        safe.assemble(("protocol  ", "$bank-dim"), ("AC", "$accent")),
    )
    return Confirm("Open an account with balance 0?", told, button="Open")


def remove_question(account: AccountDetail, bank: str) -> Confirm:
    """Whether to remove an account."""
    told = safe.lines(
        safe.content("The number is free again afterwards; the history stays in the journal."),
        safe.assemble(("protocol  ", "$bank-dim"), (f"AR {account.number}/{bank}", "$accent")),
    )
    return Confirm(f"Remove account {account.number}?", told, button="Remove", danger=True)
