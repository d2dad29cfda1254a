"""`bank mandate`: standing permission to be paid. PINs are asked for."""

import json
import secrets
from datetime import date
from typing import Any

import click

from bank_node.banking.payments.uri import to_decimal
from bank_node.cli.groups import Group
from bank_node.cli.payments import MONEY, At, at_bank
from bank_node.protocol.payment_values import ANSWERS, to_word

_DATE = click.DateTime(formats=["%Y-%m-%d"])
_DATE_FORM = "YYYY-MM-DD"
_AMOUNTS = ("amount", "next_amount")


@click.group(cls=Group)
def mandate() -> None:
    """Standing permission to be paid: ask for one, answer, pause, change, revoke."""


@mandate.command()
@click.argument("payer")
@click.option("--by", "payee", required=True, help="The address that is to be paid.")
@click.option("--amount", type=MONEY, required=True, help="How much each time.")
@click.option("--max", "is_max", is_flag=True, help="At most so much; said each time with present.")
@click.option(
    "--every", required=True,
    help="onetime, daily, aspresented, or one with a day such as monthly:on:15, weekly:before:5.",
)  # fmt: skip
@click.option("--start", type=_DATE, metavar=_DATE_FORM, help="The first day; today unless given.")
@click.option("--end", type=_DATE, metavar=_DATE_FORM, required=True, help="The last day.")
@click.option("--reference", help="Your name for it; the same one asks once only.")
@click.option("--note", help="What it is for.")
@at_bank
def ask(
    payer: str,
    payee: str,
    amount: int,
    is_max: bool,
    every: str,
    start: Any,
    end: Any,
    reference: str | None,
    note: str | None,
    **bank: Any,
) -> None:
    """Ask PAYER for a mandate; prints its id."""
    at = At(**bank)
    rule = "max" if is_max else "exact"
    first = start.date() if start else date.today()
    reference = reference or f"mandate-{secrets.token_hex(8)}"
    words = [to_word(note)] if note else []
    click.echo(
        at.ask("PH", payee, payer, rule, amount, every, first, end.date(), reference, at.pin(),
               *words)
    )  # fmt: skip


@mandate.command()
@click.argument("mandate_id", metavar="MANDATE")
@at_bank
def show(mandate_id: str, **bank: Any) -> None:
    """How MANDATE stands."""
    for name, value in json.loads(At(**bank).ask("PS", mandate_id)).items():
        click.echo(f"{name:14}{to_decimal(value) if name in _AMOUNTS else value}")


@mandate.command()
@click.argument("mandate_id", metavar="MANDATE")
@click.argument("answer", type=click.Choice(ANSWERS), metavar="ANSWER")
@click.option("--by", "vpa", required=True, help="The address that answers.")
@at_bank
def answer(mandate_id: str, answer: str, vpa: str, **bank: Any) -> None:
    """Approve, decline, pause, resume or revoke MANDATE: ANSWER is one of these words.

    Before the PIN is asked for, `approve` shows the terms that wait, and it agrees to those only.
    """
    at = At(**bank)
    agreed = _shown_terms(at, mandate_id) if answer == "approve" else ()
    click.echo(at.ask("PO", vpa, mandate_id, answer, at.pin(), *agreed))


def _shown_terms(at: At, mandate_id: str) -> tuple[int, str]:
    """Tells on stderr to what an approval agrees; the amount in minor units, and the last day."""
    known = json.loads(at.ask("PS", mandate_id))
    # If nothing waits, nothing but what is agreed to already may be agreed to.
    waits = known.get("waits") or {"about": "", "amount": known["amount"], "end": known["end"]}
    amount = to_decimal(waits["amount"])
    whole = f"{known['amount_rule']} {amount} {known['recurrence']}, until {waits['end']}"
    what = {
        "payment": f"the next payment, {amount}",
        "": f"nothing waits for an answer, agreed is {whole}",
    }.get(waits["about"], whole)
    click.echo(f"{known['payee_name']}: {what}", err=True)
    return waits["amount"], waits["end"]


@mandate.command()
@click.argument("mandate_id", metavar="MANDATE")
@click.option("--by", "payee", required=True, help="The address that is paid.")
@click.option("--amount", type=MONEY, required=True, help="How much the next payment is of.")
@at_bank
def present(mandate_id: str, payee: str, amount: int, **bank: Any) -> None:
    """Say how much the next payment of MANDATE is of."""
    at = At(**bank)
    click.echo(at.ask("PJ", payee, mandate_id, amount, at.pin()))


@mandate.command()
@click.argument("mandate_id", metavar="MANDATE")
@click.option("--by", "payee", required=True, help="The address that is paid.")
@click.option("--amount", type=MONEY, required=True, help="How much each time from then on.")
@click.option("--end", type=_DATE, metavar=_DATE_FORM, required=True, help="The last day.")
@at_bank
def change(mandate_id: str, payee: str, amount: int, end: Any, **bank: Any) -> None:
    """Ask for another amount or end of MANDATE."""
    at = At(**bank)
    click.echo(at.ask("PT", payee, mandate_id, amount, end.date(), at.pin()))
