"""`bank op status`, `metrics`, `accounts`, `account`, `journal`, `settings`: how things are."""

from typing import Any

import click

from bank_node.cli.op.entrance import Operator, operator_options
from bank_node.cli.op.shown import as_document, as_pairs, as_table, moment, shown, stamped


@click.command()
@operator_options
def status(operator: Operator, as_json: bool) -> None:
    """Tell what the node is and how it is doing."""
    document = operator.document("OS")
    if as_json:
        as_document(document)
        return
    moments = ("started_us", "now_us")
    as_pairs(
        (name.removesuffix("_us"), moment(value) if name in moments else _plain(name, value))
        for name, value in document.items()
        if name != "warnings"
    )
    for warning in document["warnings"]:
        click.echo(f"warning: {shown(warning['kind'])}: {shown(warning['text'])}")


def _plain(name: str, value: object) -> object:
    """Ports and process numbers are names, not amounts."""
    return str(value) if name in ("port", "pid") else value


@click.command()
@operator_options
def metrics(operator: Operator, as_json: bool) -> None:
    """Tell all counters and latencies since the start of the node."""
    document = operator.document("OM")
    if as_json:
        as_document(document)
        return
    skipped = ("commands", "commit", "now_us")
    as_pairs((name, value) for name, value in document.items() if name not in skipped)
    rows = [("commit", document["commit"]), *document["commands"].items()]
    as_table(
        ("command", ">count", ">errors", ">p50 us", ">p99 us", ">max us"),
        (
            (code, *(row.get(name) for name in ("count", "errors", "p50_us", "p99_us", "max_us")))
            for code, row in rows
        ),
    )


@click.command()
@operator_options
@click.option("--first", type=int, help="The first row, counted from 0.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
@click.option("--sort", help="number, balance or last_entry; with - in front descending.")
@click.option("--filter", "wanted", help="Digits of the number, or >5 <5 >=5 <=5 =5 5..9.")
def accounts(
    operator: Operator,
    as_json: bool,
    first: int | None,
    count: int | None,
    sort: str | None,
    wanted: str | None,
) -> None:
    """List accounts, sorted and filtered by the node."""
    document = operator.document("OC", first=first, count=count, sort=sort, filter=wanted)
    if as_json:
        as_document(document)
        return
    rows = document["rows"]
    as_table(
        (">account", ">balance", ">last entry"),
        ((str(row["number"]), row["balance"], row["last_entry"]) for row in rows),
    )
    click.echo(
        f"{len(rows):,} of {document['matching']:,} matching ({document['total']:,} in all), "
        f"matching sum {document['sum_matching']:,}"
    )


@click.command()
@operator_options
@click.argument("number", type=int)
@click.option("--count", type=int, help="How many entries, at most 1000.")
@click.option("--before", help="Where to go on, as the page before told it.")
def account(
    operator: Operator, as_json: bool, number: int, count: int | None, before: str | None
) -> None:
    """Show the account NUMBER and its history, the newest entry first."""
    document = operator.document("OD", account=number, count=count, before=before)
    if as_json:
        as_document(document)
    elif not document["open"]:
        click.echo(
            f"The account {number} is not open; its past: bank op journal --account {number}"
        )
    else:
        as_pairs([("balance", document["balance"]), ("opened", moment(document["opened_us"]))])
        _print_entries(document["history"], ">balance")
        if document["next"]:
            click.echo(f"More: --before {shown(document['next'])}")


@click.command()
@operator_options
@click.option("--before", type=int, help="Below this block, or entry of a search.")
@click.option("--count", type=int, help="How many rows, at most 1000.")
@click.option("--height", type=int, help="The entries of this block.")
@click.option("--account", type=int, help="The entries of this account.")
@click.option("--since", "since_us", type=int, help="Not before this moment, us since 1970.")
@click.option("--until", "until_us", type=int, help="Not after this moment, us since 1970.")
def journal(operator: Operator, as_json: bool, **wanted: int | None) -> None:
    """Show blocks, the entries of a block, or entries by account and time; the newest first."""
    document = operator.document("OJ", **wanted)
    if as_json:
        as_document(document)
    elif "entries" in document:
        _print_entries(document["entries"])
    else:
        as_table(
            (">height", "time", ">entries", ">first", ">last", "hash"),
            (
                (b["height"], stamped(b), b["entries"], b["first_entry"], b["last_entry"],
                 b["hash"])
                for b in document["blocks"]
            ),
        )  # fmt: skip
    if not as_json and document["more"]:
        click.echo(f"More: --before {shown(str(document['next']))}")


def _print_entries(rows: list[dict[str, Any]], *more: str) -> None:
    as_table(
        (">entry", "time", "kind", ">debit", ">credit", ">amount", *more),
        (
            (row["entry"], stamped(row), row["kind"], str(row["debit"]), str(row["credit"]),
             row["amount"], *(row[name[1:]] for name in more))
            for row in rows
        ),
    )  # fmt: skip


@click.command()
@operator_options
def settings(operator: Operator, as_json: bool) -> None:
    """List the settings of the running node; those marked live can be changed with `set`."""
    document = operator.document("OG")
    if as_json:
        as_document(document)
        return
    as_table(
        ("key", "value", "from", "live", "meaning"),
        (
            (row["key"], _as_json(row["value"]), row["origin"], "live" if row["live"] else "",
             row["doc"])
            for row in document["settings"]
        ),
    )  # fmt: skip


def _as_json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
