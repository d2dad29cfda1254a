"""The operator's commands, family O: one short function each over the office.

What touches the store runs on the workers of the operator's port, because a disk or a database
may take its time; everything else is answered at once.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import asdict

from bank_node.errors import Reason, Refused
from bank_node.ledger import lookback
from bank_node.ledger.listing import Column
from bank_node.ledger.lookback import Cursor
from bank_node.ledger.operations import ReadClients, ReadTotal
from bank_node.security.tokens import is_token
from bank_node.service.calls import Answer, Call, Handler
from bank_node.service.documents import (
    Row,
    block_row,
    entry_row,
    event_row,
    log_row,
    step_row,
    told,
    traffic_row,
)
from bank_node.service.office import Office, Standing
from bank_node.service.waiting import Wait
from bank_node.telemetry.ring import Ring
from bank_node.values import ACCOUNTS_MAX, BankCode

_log = logging.getLogger(__name__)

# So many wrong tokens end a connection.
_FAILURES_MAX = 3
_LEVELS = ("debug", "info", "warning", "error", "critical")


def office_of(call: Call) -> Office:
    """The office of the bank; every bank that serves operators has one."""
    assert call.bank.office is not None
    return call.bank.office


def fields_of(call: Call) -> Any:
    """What the fields of the request came to."""
    return call.arguments[0]


def must_be_allowed(call: Call) -> None:
    """Raises Refused(READ_ONLY) where operators may only look."""
    if office_of(call).settings.settings.operator.read_only:
        raise Refused(Reason.READ_ONLY)


def _authenticate(call: Call) -> str:
    office, session = office_of(call), call.session
    address, _, _ = session.peer.rpartition(":")
    session.standing = standing = session.standing or Standing()
    now_ns = call.bank.clock.monotonic_ns()
    if office.attempts.is_locked_out(address, now_ns):
        session.closing = True
        raise Refused(Reason.LOCKED_OUT)
    if is_token(office.token, call.arguments[0]):
        standing.is_operator = True
        office.attempts.succeeded(address)
        return "OA"
    standing.failures += 1
    session.closing = standing.failures >= _FAILURES_MAX
    _log.warning("wrong operator's token from %s", session.peer)
    if office.attempts.failed(address, now_ns):
        office.events.tell("OperatorLockedOut", f"{address} is locked out after too many wrong "
                           "tokens", "warning", address=address)  # fmt: skip
    raise Refused(Reason.TOKEN_WRONG)


def _status(call: Call) -> str:
    office, bank = office_of(call), call.bank
    head, settings = office.store.head, office.settings.settings
    total, clients = _figures(office)
    return told("OS", {
        "code": bank.code,
        "host": office.address[0],
        "port": office.address[1],
        "name": bank.name,
        "version": bank.version,
        "state": office.control.state,
        "started_us": office.started_us,
        "now_us": bank.clock.now_us(),
        "total": total,
        "clients": clients,
        "free_numbers": ACCOUNTS_MAX - clients,
        "height": head.height,
        "entries": head.sequence,
        "head_hash": head.hash.hex(),
        "language": bank.catalogue.language,
        "extensions": settings.protocol.extensions,
        "store": settings.store.url.partition(":")[0] or "sqlite",
        "data": office.data,
        "pid": office.pid,
        "read_only_console": settings.operator.read_only,
        "warnings": [warning._asdict() for warning in office.control.warnings()],
    })  # fmt: skip


def _figures(office: Office) -> tuple[int, int]:
    """The bank's total and its number of clients, without asking a database that may be away."""
    if office.store.reads_are_instant:
        total, clients = office.store.read(ReadTotal()), office.store.read(ReadClients())
        if isinstance(total, int) and isinstance(clients, int):
            return total, clients
    page = office.listing.page(count=0)
    return page.sum_matching, page.total


def _metrics(call: Call) -> str:
    office = office_of(call)
    return told("OM", {
        "now_us": call.bank.clock.now_us(),
        **office.metrics.snapshot(),
        **office.usage()._asdict(),
        "peers": dict(office.around.counts()),
    })  # fmt: skip


def _accounts(call: Call) -> str:
    fields = fields_of(call)
    column: Column = fields["sort"].removeprefix("-")
    page = office_of(call).listing.page(
        fields["first"],
        fields["count"],
        column,
        descending=fields["sort"].startswith("-"),
        wanted=fields["filter"],
    )
    return told("OC", {
        "total": page.total,
        "matching": page.matching,
        "sum_matching": page.sum_matching,
        "first": fields["first"],
        "height": page.head.height,
        "rows": [asdict(account) for account in page.rows],
    })  # fmt: skip


def _account(call: Call) -> str:
    office, fields = office_of(call), fields_of(call)
    number, before = fields["account"], fields["before"]
    account = office.listing.find(number)
    if account is None:
        return told("OD", {"number": number, "open": False, "history": [], "next": None,
                           "more": False})  # fmt: skip
    start = Cursor(*before) if before else Cursor(account.last_entry, account.balance)
    steps, further = lookback.history(office.store, number, start, fields["count"])
    return told("OD", {
        "number": number,
        "open": True,
        "balance": account.balance,
        "last_entry": account.last_entry,
        "opened_us": steps[-1].line.block.time_us if steps and not further else None,
        "history": [step_row(step) for step in steps],
        "next": f"{further.entry}-{further.balance}" if further else None,
        "more": further is not None,
    })  # fmt: skip


def _journal(call: Call) -> str:
    office, fields = office_of(call), fields_of(call)
    if fields["height"] is not None:
        return told("OJ", _block(office, fields))
    if any(fields[name] is not None for name in ("account", "since_us", "until_us")):
        return told("OJ", _found(office, fields))
    head, count = office.store.head, fields["count"]
    blocks = lookback.newest_blocks(office.store, fields["before"], count)
    return told("OJ", {
        "blocks": [block_row(block) for block in blocks],
        "head": {"height": head.height, "hash": head.hash.hex(), "sequence": head.sequence},
        "next": blocks[-1].height if blocks and blocks[-1].height > 1 else None,
        "more": bool(blocks) and blocks[-1].height > 1,
    })  # fmt: skip


def _block(office: Office, fields: Any) -> Row:
    block = lookback.entries_of_block(office.store, fields["height"])
    if block is None:
        raise Refused(Reason.NO_SUCH_BLOCK)
    lines, further = lookback.newest_entries(block, fields["before"], fields["count"])
    return {
        "block": block_row(block),
        "entries": [entry_row(line) for line in lines],
        "next": further,
        "more": further is not None,
    }


def _found(office: Office, fields: Any) -> Row:
    number = fields["account"]
    found = lookback.search(
        office.store,
        account=number and (office.listing.find(number) or number),
        since_us=fields["since_us"] or 0,
        until_us=fields["until_us"],
        before=fields["before"],
        count=fields["count"],
    )
    return {
        "entries": [entry_row(line) for line in found.lines],
        "next": found.next,
        "more": found.next is not None,
    }


def news(
    code: str,
    name: str,
    ring_of: Callable[[Office], Ring[Any]],
    row: Callable[[BankCode, int, Any], Row],
    wanted: Callable[[Row, Any], bool] = lambda _row, _fields: True,
) -> Handler:
    """A handler that tells what is behind a cursor, or waits until something is.

    `row` makes a row of the code of this bank, the number of an item, and the item.
    """

    def answer(call: Call) -> str:
        fields = fields_of(call)
        page = ring_of(office_of(call)).read(fields["after"], fields["count"])
        rows = [row(call.bank.code, number, item) for number, item in page.items]
        shown = [each for each in rows if wanted(each, fields)]
        return told(code, {name: shown, "next": page.next, "lost": page.lost})

    def later(call: Call, done: Callable[[Answer], None]) -> None:
        when_news(call, ring_of(office_of(call)), partial(_tell, partial(answer, call), done))

    return Handler(later=later)


def when_news(call: Call, ring: Ring[Any], tell: Callable[[], None]) -> None:
    """Tells at once if there is something behind the cursor, and otherwise when there is."""
    fields = fields_of(call)
    after = fields["after"]
    if not fields["wait"] or after is None or ring.has_news(after):
        tell()
        return
    due_ns = call.started_ns + int(fields["wait"] * 1e9)
    office_of(call).waits.add(
        Wait(lambda: call.session.closing or ring.has_news(after), due_ns, tell)
    )


def _tell(answer: Callable[[], str], done: Callable[[Answer], None]) -> None:
    try:
        done(answer())
    except Refused as refused:
        done(refused)


def _is_serious(row: Row, fields: Any) -> bool:
    return _LEVELS.index(row["level"]) >= _LEVELS.index(fields["level"])


def _verification(call: Call) -> str:
    verification, fields = office_of(call).verification, fields_of(call)
    if fields["start"]:
        verification.start()
    elif fields["stop"]:
        verification.job.cancel()
    verdict = verification.verdict
    return told("OV", {
        "running": verification.job.is_running,
        "height": verdict.height,
        "of": verdict.of,
        "ok": verdict.fits,
        "problem": verdict.problem and verdict.problem._asdict(),
        "head_hash": verdict.head_hash,
        "seconds": round(verification.job.seconds, 3),
    })  # fmt: skip


def _export(call: Call) -> str:
    export, fields = office_of(call).export, fields_of(call)
    if fields["stop"]:
        export.job.cancel()
    elif fields["what"]:
        export.start(fields["what"], fields["format"], fields["account"])
    return told("OZ", {
        "running": export.job.is_running,
        **export.progress._asdict(),
        "seconds": round(export.job.seconds, 3),
    })  # fmt: skip


def _settings(call: Call) -> str:
    rows = office_of(call).settings.rows()
    return told("OG", {"settings": [row._asdict() for row in rows]})


def _change(call: Call) -> str:
    fields = fields_of(call)
    row = office_of(call).settings.change(fields["key"], fields["value"], and_save=fields["save"])
    _log.info("operator %s set %s to %r", call.session.peer, row.key, row.value)
    return told("OH", row._asdict())


def _control(call: Call) -> str:
    control, what = office_of(call).control, fields_of(call)["do"]
    _log.info("operator %s: %s", call.session.peer, what)
    {"drain": control.drain, "resume": control.resume, "stop": control.stop_node}[what]()
    return told("OX", {"state": control.state})


OPERATOR_HANDLERS: dict[str, Handler] = {
    "OA": Handler(now=_authenticate),
    "OS": Handler(work=_status),
    "OM": Handler(now=_metrics),
    "OC": Handler(work=_accounts),
    "OD": Handler(work=_account),
    "OE": news("OE", "events", lambda office: office.events.ring, event_row),
    "OL": news("OL", "lines", lambda office: office.log_lines, log_row, _is_serious),
    "OT": news("OT", "lines", lambda office: office.traffic, traffic_row),
    "OJ": Handler(work=_journal),
    "OV": Handler(now=_verification),
    "OZ": Handler(now=_export),
    "OG": Handler(now=_settings),
    "OH": Handler(now=_change),
    "OX": Handler(now=_control),
}
