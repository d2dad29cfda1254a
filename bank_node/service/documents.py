"""What operators are shown, as plain data: rows of accounts, entries, blocks and log lines."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bank_node.errors import Reason, Refused
from bank_node.ledger.entries import Kind, bank_of
from bank_node.ledger.journal import Block
from bank_node.ledger.lookback import Line, Step
from bank_node.ledger.transfers import Transfer
from bank_node.telemetry.events import Event
from bank_node.telemetry.logs import LogLine
from bank_node.telemetry.traffic_lines import OUTGOING, Record
from bank_node.values import BankCode, one_line

REPLY_BYTES_MAX = 4 * 2**20
# Of a long reply, such as a plan of a thousand banks, an operator sees the beginning.
_TEXT_MAX = 2000

Row = dict[str, Any]


def told(code: str, document: Mapping[str, Any]) -> str:
    """A reply that carries a document. Raises Refused(REPLY_TOO_LONG)."""
    text = msgspec.json.encode(document)
    if len(text) > REPLY_BYTES_MAX:
        raise Refused(Reason.REPLY_TOO_LONG)
    return f"{code} {text.decode()}"


def entry_row(line: Line) -> Row:
    """One entry of the journal."""
    entry = line.entry
    return {
        "entry": line.number,
        "height": line.block.height,
        "time_us": line.block.time_us,
        "kind": Kind(entry.kind).name.lower(),
        "debit": entry.debit,
        "credit": entry.credit,
        "amount": entry.amount,
        "transfer": _transfer_row(line.transfer),
    }


def _transfer_row(transfer: Transfer | None) -> Row | None:
    """What an entry tells of the transfer that it is about."""
    if transfer is None:
        return None
    return {
        "id": transfer.id,
        "role": transfer.role.name.lower(),
        "state": transfer.state,
        "other": transfer.other,
        "bank": bank_of(transfer.bank) if transfer.bank else None,
    }


def step_row(step: Step) -> Row:
    """One entry of an account's history."""
    return {**entry_row(step.line), "balance": step.balance}


def block_row(block: Block) -> Row:
    """One block without its entries."""
    return {
        "height": block.height,
        "time_us": block.time_us,
        "entries": block.entry_count,
        "first_entry": block.first_entry,
        "last_entry": block.last_entry,
        "hash": block.hash.hex(),
        "previous_hash": block.previous_hash.hex(),
        "root": block.root.hex(),
    }


def event_row(_own: BankCode, number: int, event: Event) -> Row:
    """One event."""
    return {"seq": number, **event._asdict()}


def log_row(_own: BankCode, number: int, line: LogLine) -> Row:
    """One line of the log."""
    return {
        "seq": number,
        "time_us": line.time_us,
        "level": line.level,
        "logger": line.room,
        "text": line.text,
    }


def traffic_row(_own: BankCode, number: int, record: Record) -> Row:
    """One request and its reply."""
    when, peer, request, reply, us, trace = record
    return {
        "seq": number,
        "time_us": int(when * 1e6),
        "peer": peer.removeprefix(OUTGOING),
        "us": us,
        "request": _shown(request),
        "reply": _shown(reply),
        "dir": "out" if peer.startswith(OUTGOING) else "in",
        "id": trace,
    }


def _shown(line: bytes) -> str:
    return one_line(line.strip().decode("utf-8", "replace"))[:_TEXT_MAX]
