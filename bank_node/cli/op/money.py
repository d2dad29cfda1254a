"""`bank op transfers`, `transfer`, `states`, `decide`, `positions`, `remind`, `keys`, `replicas`:
money between banks, and the nodes that keep this one."""

from typing import Any

import click

from bank_node.cli.op.act import watched
from bank_node.cli.op.entrance import Operator, Refusal, operator_options
from bank_node.cli.op.follow import stream_options, tell
from bank_node.cli.op.shown import as_document, as_pairs, as_table, moment, shown, stamped

_WAITS = {
    "ledger": "this bank's ledger",
    "bank": "an answer of the other bank",
    "retry": "the next try",
    "operator": "somebody who finds out",
    "leader": "the node that leads",
    "nothing": "",
}


@click.command()
@operator_options
@click.option("--show", type=click.Choice(["open", "doubt", "done"]), default="open",
              show_default=True, help="Those under way, in doubt, or done.")  # fmt: skip
@click.option("--first", type=int, help="The first row, counted from 0; not for those done.")
@click.option("--before", type=int, help="Of those done, those below this entry.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def transfers(operator: Operator, as_json: bool, show: str, **page: int | None) -> None:
    """List transfers between this bank and others."""
    document = operator.document("OF", show=show, **page)
    if as_json:
        as_document(document)
        return
    as_table(
        ("transfer", "state", ">amount", "payer", "payee", "since", "waits for", "trouble"),
        (
            (row["transfer"], row["state"], row["amount"], row["payer"], row["payee"],
             moment(row["since_us"]), _WAITS.get(row["waits_for"], row["waits_for"]),
             row["trouble"] or row["reason"])
            for row in document["rows"]
        ),
    )  # fmt: skip
    click.echo(f"{document['open']:,} under way, {document['in_doubt']:,} in doubt")
    if document["next"] is not None:
        option = "--before" if show == "done" else "--first"
        click.echo(f"More: {option} {document['next']}")


@click.command()
@operator_options
@click.argument("key", metavar="ID")
def transfer(operator: Operator, as_json: bool, key: str) -> None:
    """Show the transfer ID, or ADDRESS/ID of another bank, and how it came to where it is."""
    document = operator.document("OF", transfer=key)
    if as_json:
        as_document(document)
        return
    row = document["transfer"]
    as_pairs([
        ("transfer", row["transfer"]),
        ("state", row["state"]),
        ("amount", row["amount"]),
        ("payer", row["payer"]),
        ("payee", row["payee"]),
        ("waits for", _WAITS.get(row["waits_for"], row["waits_for"])),
        ("trouble", row["trouble"]),
        ("given up because", row["reason"]),
        ("decided by hand", row["note"]),
    ])  # fmt: skip
    if document["received_us"]:
        click.echo(f"received {moment(document['received_us'])}")
    if not document["complete"]:
        click.echo("Its beginning is too far back in the journal to look for it.")
    as_table(
        ("time", "state", "entry made", ">entry", ">block", "signed"),
        (
            (stamped(step), step["state"], step["kind"], step["entry"], step["height"],
             "by the other bank" if step["signed"] else "")
            for step in document["steps"]
        ),
    )  # fmt: skip


@click.command()
@operator_options
@stream_options
def states(operator: Operator, as_json: bool, count: int, follow: bool) -> None:
    """Tell the states that transfers to and from other banks come to."""
    tell(operator, "OO", "stages", _stage, as_json, follow, count=count)


def _stage(row: dict[str, Any]) -> str:
    state = "in doubt" if row["in_doubt"] else row["state"]
    return (
        f"{stamped(row)} {shown(state):<9} {shown(row['transfer'])} {shown(row['amount'])} "
        f"{shown(row['payer'])} -> {shown(row['payee'])} {shown(row['reason'])}".rstrip()
    )


@click.command()
@operator_options
@click.argument("key", metavar="ID")
@click.argument("outcome", type=click.Choice(["commit", "abort"]))
@click.option("--note", required=True, help="Who decides and why; the ledger keeps it for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def decide(operator: Operator, as_json: bool, key: str, outcome: str, note: str, yes: bool) -> None:
    """Decide the transfer ID, which is in doubt, by hand.

    Ask the other bank first what it has done: deciding otherwise makes the two ledgers differ.
    """
    if not yes:
        row = operator.document("OF", transfer=key)["transfer"]
        click.echo(
            f"{shown(row['transfer'])}: {shown(row['amount'])} from {shown(row['payer'])} to "
            f"{shown(row['payee'])}, {shown(row['state'])}",
            err=True,
        )
        click.echo("If the other bank decides otherwise, money is lost or paid twice.", err=True)
        click.confirm(f"{outcome.title()} it by hand?", abort=True, err=True)
    # The note takes the rest of the line, so it comes last.
    document = operator.document("OW", transfer=key, do=outcome, note=note)
    if as_json:
        as_document(document)
    else:
        told = document["transfer"]
        click.echo(f"{shown(told['transfer'])} {shown(told['state'])}")


@click.command()
@operator_options
@click.option("--first", type=int, help="The first row, counted from 0.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def positions(operator: Operator, as_json: bool, **page: int | None) -> None:
    """Tell what this bank and each other one owe each other, and what is on its way."""
    document = operator.document("OU", **page)
    if as_json:
        as_document(document)
        return
    as_table(
        ("bank", ">they owe", ">we owe", ">net", ">leaving", ">coming", ">cap", ">room out",
         ">room in"),
        (
            (row["bank"], *(row[name] for name in ("nostro", "vostro", "net", "leaving", "coming",
                                                   "cap", "room_out", "room_in")))
            for row in document["rows"]
        ),
    )  # fmt: skip
    click.echo(
        f"{document['total']:,} banks; they owe {document['nostro']:,}, "
        f"this one owes {document['vostro']:,}"
    )


@click.command()
@operator_options
@click.argument("bank", metavar="[ADDRESS]", required=False)
@click.option("--stop", is_flag=True, help="Without ADDRESS: end what is under way, and what "
              "waits for it.")  # fmt: skip
def remind(operator: Operator, as_json: bool, bank: str | None, stop: bool) -> None:
    """Have the bank at ADDRESS say that it still knows of all that it was paid and has paid.

    It takes again what it has lost, for example with an old backup; nothing is ever paid twice.
    What it has paid and knows nothing of is told only: the log has every one.
    """
    if stop and bank:
        raise click.UsageError(
            "--stop ends all reminders, whichever bank they are for, and takes no ADDRESS."
        )
    if not stop and not bank:
        raise click.UsageError("Missing argument 'ADDRESS'.")
    operator.document("OU", count=1, **({"stop": 1} if stop else {"remind": bank}))

    def look() -> dict[str, Any]:
        reminders: dict[str, Any] = operator.document("OU", count=1)["reminders"]
        return reminders

    # Its end takes a moment, and only then is known how far it came.
    document = watched(look, "asking", "asked", None, quiet=as_json)
    if as_json:
        as_document(document)
        return
    if document["bank"] is None:
        click.echo("No bank was reminded since this node started.")
        return
    click.echo(
        f"{shown(document['bank'])} was asked about {document['asked']:,} transfers: "
        f"{document['kept']:,} are there, {document['renewed']:,} are there again, "
        f"{document['denied']:,} that it has paid are not, {document['failed']:,} are not"
    )
    if document["trouble"]:
        click.echo(shown(document["trouble"]))


@click.command()
@operator_options
@click.option("--accept", metavar="ADDRESS", help="The changed key of this bank counts from now.")
@click.option("--forget", metavar="ADDRESS", help="Take the next key of this bank as its first.")
@click.option("--fingerprint", help="That of the key to accept; without it, you are asked.")
@click.option("--first", type=int, help="The first row, counted from 0.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
def keys(
    operator: Operator,
    as_json: bool,
    accept: str | None,
    forget: str | None,
    fingerprint: str | None,
    **page: int | None,
) -> None:
    """List the pinned keys of other banks, those that have changed first; accept or forget one.

    Compare fingerprints with the other operator by other means before you accept a key.
    """
    fields: dict[str, object] = {**page, "forget": forget}
    if accept:
        fields |= {"accept": accept, "key": _offered(operator, accept, fingerprint)}
    document = operator.document("OY", **fields)
    if as_json:
        as_document(document)
        return
    as_table(
        ("bank", "fingerprint", "since", "offers instead", "since"),
        (
            (row["bank"], row["fingerprint"], moment(row["since_us"]), row["offered_fingerprint"],
             moment(row["offered_us"]))
            for row in document["rows"]
        ),
    )  # fmt: skip
    own = document["own"]
    click.echo(f"this bank, {shown(own['bank'])}: {shown(own['fingerprint'])}")


def _offered(operator: Operator, bank: str, fingerprint: str | None) -> str:
    """The key that a bank offers, once somebody has looked at its fingerprint."""
    rows = operator.document("OY", count=1000)["rows"]
    row = next((row for row in rows if row["bank"] == bank and row["offered"]), None)
    if row is None:
        raise Refusal(f"The bank {shown(bank)} offers no other key.")
    if fingerprint is None:
        click.echo(f"pinned   {shown(row['fingerprint'])}", err=True)
        click.echo(f"offered  {shown(row['offered_fingerprint'])}", err=True)
        click.confirm(f"Is that the key of the bank {shown(bank)}?", abort=True, err=True)
    elif fingerprint != row["offered_fingerprint"]:
        raise Refusal(f"The bank {shown(bank)} offers {shown(row['offered_fingerprint'])}.")
    return str(row["offered"])


@click.command()
@operator_options
@click.option("--promote", is_flag=True, help="Make this node, a follower, the leader.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replicas(operator: Operator, as_json: bool, promote: bool, yes: bool) -> None:
    """Tell who leads this bank, who follows, and how far behind; promote this node."""
    if promote and not yes:
        click.echo("Changes that the leader did not hand over yet are lost.", err=True)
        click.confirm("Make this node the leader of its bank?", abort=True, err=True)
    document = operator.document("OR", promote=int(promote))
    if as_json:
        as_document(document)
        return
    as_pairs((name, value) for name, value in document.items() if name != "followers")
    as_table(
        ("follower", "serves at", ">height", ">behind", ">seen ms ago"),
        (
            (row["node"], row["serving"], row["height"], row["behind"], row["seen_ms"])
            for row in document["followers"]
        ),
    )
