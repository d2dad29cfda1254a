"""`bank dispute`: a payer wants a payment back, a payee answers. PINs are asked for."""

import json
from typing import Any

import click

from bank_node.banking.payments.uri import to_decimal
from bank_node.cli.groups import Group
from bank_node.cli.payments import At, at_bank
from bank_node.protocol.payment_values import to_word


@click.group(cls=Group)
def dispute() -> None:
    """Payments that somebody wants back: dispute one, look, give evidence, answer."""


def _say(vpa: str, paper: str, word: str, text: str, bank: dict[str, Any]) -> None:
    """Says a word about a dispute; prints its id and state."""
    at = At(**bank)
    words = [to_word(text)] if text else []
    told, state = at.ask("PZ", vpa, paper, word, at.pin(), *words).split()
    click.echo(f"{told}  {state}")


@dispute.command("raise")
@click.argument("payment")
@click.option("--by", "payer", required=True, help="The address that paid.")
@click.option("--why", required=True, help="What is wrong with it.")
@at_bank
def raise_dispute(payment: str, payer: str, why: str, **bank: Any) -> None:
    """Dispute PAYMENT, to get it back; prints the id of the dispute."""
    _say(payer, payment, "raise", why, bank)


@dispute.command()
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--by", "vpa", required=True, help="The address that paid, or was paid.")
@click.option("--text", required=True, help="What there is to say.")
@at_bank
def evidence(dispute_id: str, vpa: str, text: str, **bank: Any) -> None:
    """Say something to DISPUTE, for either side."""
    _say(vpa, dispute_id, "evidence", text, bank)


@dispute.command()
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--by", "payee", required=True, help="The address that was paid.")
@click.option("--why", required=True, help="Why the payer is wrong.")
@at_bank
def contest(dispute_id: str, payee: str, why: str, **bank: Any) -> None:
    """Contest DISPUTE, which the bank has to decide then."""
    _say(payee, dispute_id, "contest", why, bank)


@dispute.command()
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--by", "payee", required=True, help="The address that was paid.")
@at_bank
def accept(dispute_id: str, payee: str, **bank: Any) -> None:
    """Give back what DISPUTE is about."""
    _say(payee, dispute_id, "accept", "", bank)


@dispute.command()
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--by", "payer", required=True, help="The address that paid.")
@at_bank
def withdraw(dispute_id: str, payer: str, **bank: Any) -> None:
    """Let DISPUTE go."""
    _say(payer, dispute_id, "withdraw", "", bank)


@dispute.command()
@click.argument("dispute_id", metavar="DISPUTE")
@at_bank
def show(dispute_id: str, **bank: Any) -> None:
    """How DISPUTE stands, and what was said."""
    told = json.loads(At(**bank).ask("PS", dispute_id))
    said = told.pop("said", ())
    for name, value in told.items():
        click.echo(f"{name:12}{to_decimal(value) if name == 'amount' else value}")
    for each in said:
        click.echo(f"{each['by']:12}{each['text']}  ({each['time']})")
