"""The accounts and the journal as rows for other programs, and the two forms of writing them."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from msgspec.structs import asdict

from bank_node.ledger.entries import TRANSFER_KINDS, Account, Kind
from bank_node.ledger.journal import Block
from bank_node.ledger.transfers import decode

Rows = Iterator[dict[str, Any]]


def account_rows(accounts: Iterable[Account]) -> Rows:
    """One row for each account."""
    return (asdict(account) for account in accounts)


def journal_rows(blocks: Iterable[Block]) -> Rows:
    """One row for each entry."""
    for block in blocks:
        payloads = block.payloads()
        time = datetime.fromtimestamp(block.time_us / 1_000_000, UTC).isoformat()
        for sequence, entry in block.entries():
            yield {
                "entry": sequence,
                "block": block.height,
                "time": time,
                "kind": Kind(entry.kind).name.lower(),
                "debit": entry.debit,
                "credit": entry.credit,
                "amount": entry.amount,
                "transfer": _transfer(entry.kind, payloads.get(sequence, b""), sequence),
            }


def of_account(rows: Rows, account: int) -> Rows:
    """The rows of the journal that are about one account, each with its balance afterwards."""
    balance = 0
    for row in rows:
        if account in (row["debit"], row["credit"]):
            balance += row["amount"] if row["credit"] == account else -row["amount"]
            yield {**row, "balance": balance}


def _transfer(kind: int, payload: bytes, entry: int) -> str:
    """The key of the transfer that an entry is about; empty if it is about none."""
    return decode(payload, entry).key if kind in TRANSFER_KINDS else ""


def write_csv(rows: Rows, file: TextIO) -> None:
    """A heading and a line for each row; nothing at all without rows."""
    first = next(rows, None)
    if first is None:
        return
    writer = csv.DictWriter(file, list(first), lineterminator="\n")
    writer.writeheader()
    writer.writerow(first)
    writer.writerows(rows)


def write_json(rows: Rows, file: TextIO) -> None:
    """A JSON array with an object on each line."""
    separator = "[\n"
    for row in rows:
        file.write(separator + json.dumps(row))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


WRITERS: dict[str, Callable[[Rows, TextIO], None]] = {"csv": write_csv, "json": write_json}
