"""Transfers, positions and keys as operators are shown them: plain data."""

from bank_node.banking.transfers.chronicle import Stage
from bank_node.banking.transfers.flights import Flight, Order, Wait
from bank_node.errors import Reason
from bank_node.ledger.entries import Kind, bank_of
from bank_node.ledger.lookback import Line
from bank_node.ledger.tracing import Position
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.security.identity import fingerprint
from bank_node.security.keyring import Pin
from bank_node.service.documents import Row
from bank_node.values import BankCode

_DIRECTIONS = {
    Role.LOCAL: "within",
    Role.PAYER: "out",
    Role.CLASSIC: "out",
    Role.PAYEE: "in",
}

_UNHEARD = {
    Reason.MESSAGES_REFUSED: "{} refuses what this bank says: does it know the right key of it?",
    Reason.ANSWER_NOT_SIGNED: "{} answers without the signature of the key that is pinned for it",
}


def transfer_row(own: BankCode, record: Transfer) -> Row:
    """A transfer as its record tells it. `own` is the code of this bank."""
    bank = bank_of(record.bank) if record.bank else None
    here = f"{record.account}/{own}" if record.account else None
    there = f"{record.other}/{bank or own}" if record.other else None
    is_payee = record.role is Role.PAYEE
    return {
        "transfer": record.key,
        "bank": bank,
        "direction": _DIRECTIONS[record.role],
        "role": record.role.name.lower(),
        "state": record.state,
        "phase": record.phase.name.lower(),
        "payer": there if is_payee else here,
        "payee": here if is_payee else there,
        "amount": record.amount,
        "entry": record.entry,
        "reason": record.reason,
        "note": record.note,
    }


def order_row(own: BankCode, order: Order) -> Row:
    """A transfer that nothing has been set aside for yet."""
    return {
        "transfer": order.id,
        "bank": order.payee.bank,
        "direction": "out",
        "role": "payer",
        "state": "received",
        "phase": "received",
        "payer": f"{order.payer}/{own}",
        "payee": str(order.payee),
        "amount": order.amount,
        "entry": 0,
        "reason": "",
        "note": "",
    }


def _unheard(flight: Flight) -> str:
    """Why what the other bank has said last does not count, if so."""
    return _UNHEARD[flight.unheard].format(flight.bank) if flight.unheard else ""


def progress_row(flight: Flight | None, record: Transfer | None, now: float) -> Row:
    """What a transfer waits for. `now` is on the clock of the flights."""
    if flight is None:
        is_open = record is not None and record.is_open
        # On a node that only follows, open transfers are its leader's business.
        return {"waits_for": "leader" if is_open else "nothing", "next_in_s": None, "attempts": 0,
                "in_doubt": False, "trouble": ""}  # fmt: skip
    waits_for, next_in_s = flight.wait.value, None
    if flight.wait is Wait.NOTHING:
        if flight.record is not None and flight.record.phase is Phase.SENT:
            waits_for = "operator"
        else:
            waits_for, next_in_s = "retry", round(max(0.0, flight.next_at - now), 2)
    return {
        "waits_for": waits_for,
        "next_in_s": next_in_s,
        "attempts": flight.attempts,
        "in_doubt": flight.is_in_doubt,
        "trouble": flight.trouble or _unheard(flight),
    }


def stage_row(own: BankCode, number: int, stage: Stage) -> Row:
    """A state that a transfer has come to."""
    what = stage.what
    row = order_row(own, what) if isinstance(what, Order) else transfer_row(own, what)
    return {"seq": number, "time_us": stage.time_us, **row, "in_doubt": stage.is_doubtful}


def step_row(line: Line, record: Transfer) -> Row:
    """An entry on the way of a transfer; `record` is what the entry carries."""
    return {
        "time_us": line.block.time_us,
        "state": record.state,
        "phase": record.phase.name.lower(),
        "kind": Kind(line.entry.kind).name.lower(),
        "entry": line.number,
        "height": line.block.height,
        "signed": bool(record.evidence or record.evidence_entry),
        "reason": record.reason,
        "note": record.note,
    }


def position_row(position: Position, cap: int) -> Row:
    """How this bank stands with another one; the rooms are what may still be sent each way."""
    bank, owed, leaving, coming = position
    return {
        "bank": bank,
        "nostro": max(0, -owed),
        "vostro": max(0, owed),
        "net": -owed,
        "leaving": leaving,
        "coming": coming,
        "cap": cap,
        "room_out": max(0, cap - owed - leaving),
        "room_in": max(0, cap + owed - coming),
    }


def pin_row(pin: Pin) -> Row:
    """The key of another bank, and the one that it offers instead."""
    return {
        "bank": pin.bank,
        "key": pin.key,
        "fingerprint": fingerprint(pin.key),
        "since_us": pin.since_us,
        "offered": pin.offered or None,
        "offered_fingerprint": fingerprint(pin.offered) if pin.offered else None,
        "offered_us": pin.offered_us or None,
    }
