"""The operator's commands about money between banks: transfers, positions, keys, followers.

What reads the journal or changes something waits on a worker of the operator's port.
"""

import logging
from itertools import islice
from typing import Any

from bank_node.banking.transfers.flights import Flight, Order
from bank_node.errors import Reason, Refused
from bank_node.ledger import tracing
from bank_node.ledger.store import Store
from bank_node.ledger.transfers import Transfer
from bank_node.security.identity import fingerprint
from bank_node.service.calls import Bank, Call, Handler
from bank_node.service.documents import Row, told
from bank_node.service.operator import fields_of, must_be_allowed, news, office_of
from bank_node.service.transfer_rows import (
    order_row,
    pin_row,
    position_row,
    progress_row,
    stage_row,
    step_row,
    transfer_row,
)

_log = logging.getLogger(__name__)

# A look for the moment at which a transfer was received goes through all stages that are kept.
_STAGES_MAX = 100_000


def _transfers(call: Call) -> str:
    fields = fields_of(call)
    if fields["transfer"] is not None:
        return told("OF", _detail(call, fields["transfer"]))
    if fields["show"] == "done":
        return told("OF", _done(call))
    return told("OF", _open(call, in_doubt_only=fields["show"] == "doubt"))


def _open(call: Call, *, in_doubt_only: bool) -> Row:
    """The transfers under way, the oldest first."""
    bank, store, fields = call.bank, office_of(call).store, fields_of(call)
    flights = {flight.key: flight for flight in bank.transfers.flights()}
    records = {record.key: record for record in store.open_transfers()}
    in_doubt = {key for key, flight in flights.items() if flight.is_in_doubt}
    shown = in_doubt if in_doubt_only else flights.keys() | records.keys()
    # What has no record yet is the youngest.
    order = sorted(shown, key=lambda key: (records[key].entry if key in records else 1 << 63, key))
    first, count = fields["first"], fields["count"]
    rows = [
        _open_row(bank, store, flights.get(key), records.get(key))
        for key in islice(order, first, first + count)
    ]
    last = first + len(rows)
    return {
        "show": fields["show"],
        "open": len(flights.keys() | records.keys()),
        "in_doubt": len(in_doubt),
        "first": first,
        "rows": rows,
        "next": last if last < len(order) else None,
        # Positions cost a look at all accounts, so who watches the reminders is told here too.
        "reminders": office_of(call).reminders.progress._asdict(),
    }


def _open_row(bank: Bank, store: Store, flight: Flight | None, record: Transfer | None) -> Row:
    record = record or (flight.record if flight else None)
    progress = progress_row(flight, record, bank.transfers.now())
    if record is None:
        assert flight is not None
        assert flight.order is not None
        return {**order_row(bank.code, flight.order), "since_us": None, **progress}
    block = store.block_of(record.entry)
    since_us = block.time_us if block else None
    return {**transfer_row(bank.code, record), "since_us": since_us, **progress}


def _done(call: Call) -> Row:
    """The transfers that have ended, the newest first."""
    bank, store, fields = call.bank, office_of(call).store, fields_of(call)
    found = tracing.ended(store, fields["before"], fields["count"])
    flights = bank.transfers.flights()
    rows = []
    for line in found.lines:
        record = line.transfer
        assert record is not None
        rows.append({
            **transfer_row(bank.code, record),
            "since_us": line.block.time_us,
            **progress_row(None, None, 0.0),
        })  # fmt: skip
    return {
        "show": "done",
        "open": len(flights),
        "in_doubt": sum(flight.is_in_doubt for flight in flights),
        "first": 0,
        "rows": rows,
        "next": found.next,
    }


def _detail(call: Call, key: str) -> Row:
    """One transfer with its way. Raises Refused(NO_SUCH_TRANSFER)."""
    bank, office = call.bank, office_of(call)
    key = key.removeprefix(bank.code + "/")
    flight = bank.transfers.flight(key)
    if flight is not None and flight.record is None:
        row = _open_row(bank, office.store, flight, None)
        return {"transfer": row, "received_us": _received_us(call, key), "steps": [],
                "complete": True}  # fmt: skip
    record = bank.transfers.find(key)
    if not isinstance(record, Transfer):
        assert isinstance(record, Reason)
        raise Refused(record)
    way = tracing.way_of(office.store, record)
    steps = [step_row(line, each) for line in way.lines if (each := line.transfer)]
    row = _open_row(bank, office.store, flight, record)
    return {
        "transfer": row,
        "received_us": _received_us(call, key),
        "steps": steps,
        "complete": way.complete,
    }


def _received_us(call: Call, key: str) -> int | None:
    """When a client has asked for a transfer; None if that is long ago or was elsewhere."""
    page = office_of(call).stages.read(None, _STAGES_MAX)
    for _, stage in page.items:
        if isinstance(stage.what, Order) and stage.what.id == key:
            return stage.time_us
    return None


def _decide(call: Call) -> str:
    """Raises Refused as `Transfers.settle` tells, and READ_ONLY."""
    fields, bank = fields_of(call), call.bank
    key = fields["transfer"].removeprefix(bank.code + "/")
    is_commit = fields["do"] == "commit"
    result = bank.transfers.settle(key, fields["note"], commit=is_commit)
    if not isinstance(result, Transfer):
        assert isinstance(result, Reason)
        raise Refused(result, **bank.following.details(result))
    _log.warning("operator %s decided transfer %s", call.session.peer, key)
    return told("OW", {"transfer": transfer_row(bank.code, result)})


def _positions(call: Call) -> str:
    """Raises Refused with READ_ONLY and NOT_HERE."""
    office, fields = office_of(call), fields_of(call)
    reminders, bank = office.reminders, fields["remind"]
    if bank or fields["stop"]:
        must_be_allowed(call)
    if bank:
        if not reminders.leads():
            raise Refused(Reason.NOT_HERE, why="it does not lead its bank")
        reminders.start(bank)
        _log.warning("operator %s has %s reminded of what it was paid", call.session.peer, bank)
    elif fields["stop"]:
        reminders.cancel()
    everything = tracing.positions(office.store)
    first, count = fields["first"], fields["count"]
    return told("OU", {
        "total": len(everything),
        "nostro": sum(max(0, -each.owed) for each in everything),
        "vostro": sum(max(0, each.owed) for each in everything),
        "first": first,
        "rows": [
            position_row(each, office.cap_of(each.bank))
            for each in everything[first : first + count]
        ],
        "reminders": reminders.progress._asdict(),
    })  # fmt: skip


def _keys(call: Call) -> str:
    """Raises Refused with NO_SUCH_KEY and READ_ONLY."""
    office, fields = office_of(call), fields_of(call)
    keyring, accepted, forgotten = office.keyring, fields["accept"], fields["forget"]
    if accepted or forgotten:
        must_be_allowed(call)
    if accepted and not keyring.accept(accepted, fields["key"] or "", call.bank.clock.now_us()):
        raise Refused(Reason.NO_SUCH_KEY, bank=accepted)
    if forgotten and not keyring.forget(forgotten):
        raise Refused(Reason.NO_SUCH_KEY, bank=forgotten)
    for bank, kind, what in (
        (accepted, "KeyAccepted", "the new key of the bank {} counts from now on"),
        (forgotten, "KeyForgotten", "the key of the bank {} is forgotten, the next one is taken"),
    ):
        if bank:
            _log.warning("operator %s: %s", call.session.peer, what.format(bank))
            office.events.tell(kind, what.format(bank), "warning", address=bank)
    # What waits for a decision comes first.
    pins = sorted(keyring.pins(), key=lambda pin: not pin.offered)
    own = call.bank.identity.key
    return told("OY", {
        "own": {"bank": call.bank.code, "key": own, "fingerprint": fingerprint(own)},
        "total": len(pins),
        "changed": sum(bool(pin.offered) for pin in pins),
        "first": fields["first"],
        "rows": [pin_row(pin) for pin in islice(pins, fields["first"],
                                                fields["first"] + fields["count"])],
    })  # fmt: skip


def _replicas(call: Call) -> str:
    """Raises Refused with NO_FOLLOWER, FOLLOWER_FAILED and READ_ONLY."""
    following = call.bank.following
    if fields_of(call)["promote"]:
        must_be_allowed(call)
        following.take_office()
        _log.warning("operator %s promoted this node", call.session.peer)
    status: dict[str, Any] = following.status()
    settings = office_of(call).settings.settings
    return told("OR", {**status, "wait_for": settings.replication.wait_for})


TRANSFER_HANDLERS: dict[str, Handler] = {
    "OF": Handler(work=_transfers),
    "OO": news("OO", "stages", lambda office: office.stages, stage_row),
    "OW": Handler(work=_decide),
    "OU": Handler(work=_positions),
    "OY": Handler(work=_keys),
    "OR": Handler(work=_replicas),
}
