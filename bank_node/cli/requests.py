"""`bank refund` and `bank collect`: money back, and asking for money. PINs are asked for."""

import json
import secrets
from typing import Any

import click

from bank_node.banking.payments.uri import to_decimal
from bank_node.cli.groups import Group
from bank_node.cli.payments import MONEY, At, at_bank
from bank_node.protocol.payment_values import to_word

_SHOWN = ("payee_name", "payee", "note", "expires")


@click.command()
@click.argument("payment")
@click.option("--by", "payee", required=True, help="The address that was paid.")
@click.option("--amount", type=MONEY, required=True, help="How much of it to give back.")
@click.option("--reference", help="Your name for the refund; the same one gives back once only.")
@click.option("--note", help="What it is for.")
@at_bank
def refund(
    payment: str, payee: str, amount: int, reference: str | None, note: str | None, **bank: Any
) -> None:
    """Give PAYMENT back, whole or in part, to who paid it."""
    at = At(**bank)
    reference = reference or f"refund-{secrets.token_hex(8)}"
    click.echo(f"giving {to_decimal(amount)} back, reference {reference}")
    words = [to_word(note)] if note else []
    told = at.ask("PX", payee, payment, amount, reference, at.pin(), *words)
    refunded, rrn = told.split()
    click.echo(f"given back, payment {refunded}, rrn {rrn}")


@click.group(cls=Group)
def collect() -> None:
    """Requests for money: ask, look what was asked, approve, decline."""


@collect.command()
@click.argument("payer")
@click.option("--by", "payee", required=True, help="The address that asks.")
@click.option("--amount", type=MONEY, required=True, help="How much.")
@click.option("--reference", help="Your name for the request; the same one asks once only.")
@click.option("--seconds", type=int, help="How long it waits for an answer.")
@click.option("--note", help="What it is for.")
@at_bank
def ask(
    payer: str,
    payee: str,
    amount: int,
    reference: str | None,
    seconds: int | None,
    note: str | None,
    **bank: Any,
) -> None:
    """Ask PAYER for money; prints the request's id."""
    if note and seconds is None:
        raise click.UsageError("--note needs --seconds as well")
    at = At(**bank)
    words = [str(seconds)] if seconds is not None else []
    words += [to_word(note)] if note else []
    reference = reference or f"collect-{secrets.token_hex(8)}"
    click.echo(at.ask("PC", payee, payer, amount, reference, at.pin(), *words))


@collect.command("list")
@click.argument("vpa")
@at_bank
def list_requests(vpa: str, **bank: Any) -> None:
    """What waits for VPA."""
    at = At(**bank)
    rows = json.loads(at.ask("PQ", vpa, at.pin()))["requests"]
    for row in rows:
        what = "  ".join(str(row[name]) for name in _SHOWN if row.get(name))
        click.echo(f"{row['id']}  {row['kind']}  {row['state']}  {_amount(row)}  {what}")
    if not rows:
        click.echo("nothing waits")


def _amount(row: dict[str, Any]) -> str:
    return to_decimal(row["amount"])


@collect.command()
@click.argument("request")
@click.option("--by", "payer", required=True, help="The address that was asked.")
@at_bank
def approve(request: str, payer: str, **bank: Any) -> None:
    """Pay what REQUEST asks for."""
    at = At(**bank)
    shown = json.loads(at.ask("PS", request))
    click.echo(f"paying {_amount(shown)} to {shown['payee_name']} ({shown['payee']})")
    payment, rrn = at.ask("PA", payer, request, at.pin()).split()
    click.echo(f"paid, payment {payment}, rrn {rrn}")


@collect.command()
@click.argument("request")
@click.option("--by", "vpa", required=True, help="The address that was asked, or that asks.")
@at_bank
def decline(request: str, vpa: str, **bank: Any) -> None:
    """Decline REQUEST, or take one's own back."""
    at = At(**bank)
    click.echo(at.ask("PD", vpa, request, at.pin()))
