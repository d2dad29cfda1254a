"""The questions of the screen Payments, each with what it would do and the line that does it."""

from textual.content import Content

from tui import safe
from tui.model import formats
from tui.model.payments import Client, ClientChanged, Paper
from tui.screens import payments_tables as tables
from tui.screens.transfers_forms import protocol
from tui.widgets.dialogs import Confirm, TextDialog


def _about(client: Client) -> Content:
    kind = f"merchant {client.category}" if client.is_merchant else "user"
    return safe.assemble(
        ("client    ", "$bank-dim"), (safe.line(client.name, 40), "bold"),
        (f"  {kind}, account {client.account}, balance {formats.amount(client.balance)}",
         "$bank-dim"),
    )  # fmt: skip


def client_line(do: str, client: Client) -> str:
    """`OQ do=...` as it is sent."""
    return f"OQ do={do} account={client.account}"


def freeze_question(client: Client) -> Confirm:
    """Whether nothing may be paid from or to a client any more."""
    told = safe.lines(
        _about(client),
        safe.content("Nothing is paid by it or to it from now on. Only the bank lets it go on."),
        protocol(client_line("freeze", client)),
    )
    title = f"Freeze {safe.line(client.address, 40)}?"
    return Confirm(title, told, button="Freeze", danger=True)


def release_question(client: Client) -> Confirm:
    """Whether a client may pay and be paid again."""
    told = safe.lines(
        _about(client),
        safe.content("It can pay and be paid again."),
        protocol(client_line("release", client)),
    )
    return Confirm(f"Unfreeze {safe.line(client.address, 40)}?", told, button="Unfreeze")


def reset_question(client: Client) -> Confirm:
    """Whether a client gets a new PIN."""
    told = safe.lines(
        _about(client),
        safe.content("Its PIN is worth nothing any more, and wrong tries are forgotten. The new "
                     "one is shown once, to you: be sure whom you tell it."),
        protocol(client_line("reset", client)),
    )  # fmt: skip
    title = f"Give {safe.line(client.address, 40)} a new PIN?"
    return Confirm(title, told, button="New PIN", danger=True)


def new_pin(changed: ClientChanged) -> TextDialog:
    """The new PIN, this once."""
    told = safe.lines(
        _about(changed.client),
        "",
        safe.assemble("The new PIN is  ", (safe.line(changed.pin, 12), "bold $accent")),
        "",
        safe.content("It is shown this once and stands in no log. The client should change it: "
                     "PN, or `bank user pin`.", "$bank-dim"),
    )  # fmt: skip
    return TextDialog("New PIN", told)


def decide_line(do: str, dispute: Paper) -> str:
    """`OQ do=charge` or `do=reject` as it is sent."""
    return f"OQ do={do} find={dispute.id}"


def decide_question(do: str, dispute: Paper) -> Confirm:
    """Whether a dispute is decided for the payer, or for the payee."""
    amount = formats.amount(dispute.amount)
    effect = {
        "charge": f"{amount} are taken from {dispute.payee} and given back to {dispute.payer}.",
        "reject": f"{dispute.payee} keeps the {amount}.",
    }[do]
    said = dispute.said[0].text if dispute.said else ""
    told = safe.lines(
        safe.assemble(("disputed  ", "$bank-dim"), safe.line(said, 200)),
        safe.content(effect),
        safe.content("The dispute is over then, for good.", "$warning"),
        protocol(decide_line(do, dispute)),
    )
    button = {"charge": "Give back", "reject": "Reject"}[do]
    title = f"Decide for the {'payer' if do == 'charge' else 'payee'}?"
    return Confirm(title, told, button=button, danger=True)


def revoke_line(paper: Paper) -> str:
    """`OQ do=revoke` as it is sent."""
    return f"OQ do=revoke find={paper.id}"


def revoke_question(paper: Paper) -> Confirm:
    """Whether a mandate is to end."""
    told = safe.lines(
        safe.assemble(
            (safe.line(paper.payer, 40), "bold"), ("  pays  ", "$bank-dim"),
            (safe.line(paper.payee, 40), "bold"),
        ),
        safe.content(f"{tables.rule_of(paper)} {formats.amount(paper.amount)}, "
                     f"paid {formats.plural(paper.paid, 'time')} so far"),
        safe.content("It pays nothing any more, and cannot be taken up again."),
        protocol(revoke_line(paper)),
    )  # fmt: skip
    return Confirm("Revoke the mandate?", told, button="Revoke", danger=True)
