"""`bank op payments`, `clients`, `papers`, `qr`, and what operators decide about clients."""

import sys

import click

from bank_node.banking.payments import qr as codes
from bank_node.cli.op.entrance import Operator, operator_options
from bank_node.cli.op.shown import as_document, as_pairs, as_table, moment


@click.command()
@operator_options
@click.option("--find", help="An id, a retrieval number, an address, or ADDRESS/REFERENCE.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def payments(operator: Operator, as_json: bool, find: str | None, count: int | None) -> None:
    """Show the last payments and refusals, or look for some."""
    show = "find" if find else "flow"
    document = operator.document("OQ", show=show, count=count, find=find)
    if as_json:
        as_document(document)
        return
    as_table(
        ("time", "state", "code", ">amount", "payer", "payee", "reference", "rrn", "payment"),
        (
            (moment(row.get("time_us", row["asked_us"])), row["state"], row["code"],
             row.get("amount", ""), row["payer"], row.get("payee", ""), row.get("reference", ""),
             row.get("rrn", ""), row.get("payment", ""))
            for row in document["rows"]
        ),
    )  # fmt: skip
    if not find:
        click.echo(f"{document['paid']:,} paid and {document['refused']:,} refused since the start")
        for reason, times in document["reasons"].items():
            click.echo(f"  {times:,} {reason}")


@click.command()
@operator_options
@click.option("--find", help="A part of an address, a name, a mobile number or an account.")
@click.option("--first", type=int, help="The first row, counted from 0.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def clients(operator: Operator, as_json: bool, find: str | None, **page: int | None) -> None:
    """List the clients who have a payment address."""
    document = operator.document("OQ", show="clients", **page, find=find)
    if as_json:
        as_document(document)
        return
    as_table(
        ("account", "addresses", "name", "mobile", "category", "state", ">balance"),
        (
            (row["account"], " ".join(row["vpas"]), row["name"], row["mobile"], row["category"],
             row["state"], row["balance"])
            for row in document["rows"]
        ),
    )  # fmt: skip
    click.echo(f"{document['total']:,} clients")


@click.command()
@operator_options
@click.option("--find", help="A part of any column.")
@click.option("--first", type=int, help="The first row, counted from 0.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def papers(operator: Operator, as_json: bool, find: str | None, **page: int | None) -> None:
    """List requests for money, mandates and disputes that are not over."""
    document = operator.document("OQ", show="papers", **page, find=find)
    if as_json:
        as_document(document)
        return
    as_table(
        ("kind", "state", ">amount", "payer", "payee", "next", "id"),
        (
            (row["kind"], row["state"], row["amount"], row["payer"], row["payee"],
             row.get("next_from") or row.get("expires") or row.get("deadline", ""), row["id"])
            for row in document["rows"]
        ),
    )  # fmt: skip
    click.echo(f"{document['total']:,} open")


def _client(operator: Operator, do: str, account: int) -> dict[str, object]:
    told: dict[str, object] = operator.document("OQ", do=do, account=account)
    return told


@click.command()
@operator_options
@click.argument("account", type=int)
def freeze(operator: Operator, as_json: bool, account: int) -> None:
    """Stop all payments of ACCOUNT; its client cannot undo that."""
    told = _client(operator, "freeze", account)
    if as_json:
        as_document(told)
    else:
        click.echo(f"{account} is frozen")


@click.command()
@operator_options
@click.argument("account", type=int)
def release(operator: Operator, as_json: bool, account: int) -> None:
    """Let the payments of ACCOUNT go on."""
    told = _client(operator, "release", account)
    if as_json:
        as_document(told)
    else:
        click.echo(f"{account} is active")


@click.command("reset-pin")
@operator_options
@click.argument("account", type=int)
def reset_pin(operator: Operator, as_json: bool, account: int) -> None:
    """Give ACCOUNT a new PIN, which is shown once; wrong ones before are forgotten."""
    told = _client(operator, "reset", account)
    if as_json:
        as_document(told)
    else:
        as_pairs([("account", account), ("new PIN", told["pin"])])


@click.command()
@operator_options
@click.argument("mandate")
def revoke(operator: Operator, as_json: bool, mandate: str) -> None:
    """End MANDATE."""
    told = operator.document("OQ", do="revoke", find=mandate)
    if as_json:
        as_document(told)
    else:
        click.echo(f"{mandate} is revoked")


@click.command()
@operator_options
@click.argument("dispute")
@click.argument("decision", type=click.Choice(["charge", "reject"]))
def rule(operator: Operator, as_json: bool, dispute: str, decision: str) -> None:
    """Decide DISPUTE: the payer gets the money back (charge), or not (reject)."""
    told = operator.document("OQ", do=decision, find=dispute)
    if as_json:
        as_document(told)
    else:
        click.echo(f"{dispute} is {told['paper']['state']}")


@click.command()
@operator_options
@click.argument("account", type=int)
def qr(operator: Operator, as_json: bool, account: int) -> None:
    """Show the code to scan of the client of ACCOUNT."""
    told = _client(operator, "code", account)
    if as_json:
        as_document(told)
        return
    rows = codes.terminal(str(told["uri"]))
    click.echo(codes.coloured(rows) if sys.stdout.isatty() else "\n".join(rows))
    click.echo(told["uri"])
