"""`bank op peers`, `scan`, `add`, `remove`, `ask`, `knock`, `plan`: the banks around the node."""

from typing import Any

import click

from bank_node.cli.op.act import watched
from bank_node.cli.op.entrance import Operator, operator_options
from bank_node.cli.op.shown import as_document, as_pairs, as_table, shown

_EXIT_UNREACHABLE = 1


@click.command()
@operator_options
def peers(operator: Operator, as_json: bool) -> None:
    """List the banks that the node knows, itself first."""
    document = operator.document("OP")
    if as_json:
        as_document(document)
        return
    _print_peers(document["peers"])
    click.echo(f"May be dialled: {shown(document['reach'])}")


@click.command()
@operator_options
def scan(operator: Operator, as_json: bool) -> None:
    """Have the node look for banks now."""
    before = operator.document("ON")["started_us"]
    operator.document("ON", start=1)

    def look() -> dict[str, Any]:
        document = operator.document("ON")
        # Between the command and the beginning of the scan there is a moment.
        has_begun = document["running"] or document["started_us"] != before
        return document if has_begun else {**document, "running": True, "done": 0}

    document = watched(look, "scanning", "done", "total", quiet=as_json)
    if as_json:
        as_document(document)
        return
    _print_peers(operator.document("OP")["peers"])
    click.echo(f"{document['total']:,} addresses in {document['seconds']:.1f} s")


@click.command()
@operator_options
@click.argument("bank", metavar="ADDRESS[:PORT]")
@click.option("--save", is_flag=True, help="Write it into the settings file as well.")
def add(operator: Operator, as_json: bool, bank: str, save: bool) -> None:
    """Add a bank to those that are known in advance."""
    _introduce(operator, as_json, add=bank, save=int(save))


@click.command()
@operator_options
@click.argument("bank", metavar="ADDRESS")
@click.option("--save", is_flag=True, help="Write it into the settings file as well.")
def remove(operator: Operator, as_json: bool, bank: str, save: bool) -> None:
    """Forget a bank; one that still answers in the own subnets is found again."""
    _introduce(operator, as_json, remove=bank, save=int(save))


@click.command()
@operator_options
@click.argument("bank", metavar="ADDRESS")
def ask(operator: Operator, as_json: bool, bank: str) -> None:
    """Ask a bank afresh who it is and what it holds."""
    _introduce(operator, as_json, ask=bank)


def _introduce(operator: Operator, as_json: bool, **fields: object) -> None:
    document = operator.document("OI", **fields)
    if as_json:
        as_document(document)
    elif document["peer"]:
        _print_peers([document["peer"]])


@click.command()
@operator_options
@click.argument("bank", metavar="ADDRESS[:PORT]")
@click.argument("command", nargs=-1, required=True)
def knock(operator: Operator, as_json: bool, bank: str, command: tuple[str, ...]) -> None:
    """Send a COMMAND of the public port to another bank, from the node.

    Exit code 0 if it did what the command promises.
    """
    # The command takes the rest of the line, so it comes last.
    document = operator.document("OK", to=bank, line=" ".join(command))
    if as_json:
        as_document(document)
    else:
        click.echo(shown(document["reply"]))
    if document["kind"] != "done":
        raise SystemExit(_EXIT_UNREACHABLE)


@click.command()
@operator_options
@click.argument("amount", type=click.IntRange(0))
@click.option("--objective", type=click.Choice(["fewest", "closest"]),
              help="Harm the fewest clients, or come closest to the amount.")  # fmt: skip
@click.option("--frontier", is_flag=True, help="Also the fewest clients for each amount.")
@click.option("--points", type=int, help="How many points of it at most.")
def plan(
    operator: Operator,
    as_json: bool,
    amount: int,
    objective: str | None,
    frontier: bool,
    points: int | None,
) -> None:
    """Plan which of the banks around to rob for AMOUNT. Nobody is robbed.

    Exit code 1 if they hold less than that.
    """
    document = operator.document(
        "OB", number=amount, objective=objective, frontier=int(frontier), points=points
    )
    if as_json:
        as_document(document)
    else:
        _print_plan(document)
    if document["plan"] is None:
        raise SystemExit(_EXIT_UNREACHABLE)


def _print_plan(document: dict[str, Any]) -> None:
    for each in document["left_out"]:
        click.echo(f"left out: {shown(each['address'])}: {shown(each['why'])}")
    found = document["plan"]
    if found is None:
        click.echo(f"The banks hold only {document['unreachable']['holds']:,} in all.")
    else:
        as_table(
            ("bank", ">amount", ">clients"),
            ((bank["address"], bank["amount"], bank["clients"]) for bank in found["banks"]),
        )
        greedy = document["greedy"]
        as_pairs([
            ("amount", found["amount"]),
            ("clients harmed", found["clients"]),
            ("proven to be the best", found["proven"]),
            ("the greedy plan would harm", greedy["clients"] if greedy else None),
        ])  # fmt: skip
    if document["frontier"]:
        as_table(
            (">amount", ">fewest clients"),
            ((point["amount"], point["clients"]) for point in document["frontier"]),
        )


def _print_peers(rows: list[dict[str, Any]]) -> None:
    as_table(
        ("bank", "port", "state", ">amount", ">clients", ">ms", "speaks", "remarks"),
        (
            (
                row["code"],
                str(row["port"] or ""),
                "this one" if row["own"] else row["state"],
                row["amount"],
                row["clients"],
                "" if row["latency_ms"] is None else f"{row['latency_ms']:.1f}",
                f"{row['name']} {row['version']}".strip(),
                [*filter(None, (row["absurd"], row["error"])), *row["oddities"]],
            )
            for row in rows
        ),
    )
