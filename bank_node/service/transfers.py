"""TR, TS and TH: money from account to account, what became of it, an account's history."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bank_node.banking.transfers.flights import Order
from bank_node.errors import Reason, Refused
from bank_node.ledger.entries import Kind, bank_of, is_client
from bank_node.ledger.lookback import Cursor, Step, steps
from bank_node.ledger.operations import Operation
from bank_node.ledger.transfer_operations import Move, ReadTransfer
from bank_node.ledger.transfers import Phase, Role, Transfer
from bank_node.service.calls import Answer, Arguments, Bank, Call
from bank_node.values import BankCode, TransferId

# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__
_LINES_DEFAULT = 10
_LINES_MAX = 100
# An account may have millions of entries; whoever wants older ones than these reads the export.
_STEPS_MAX = 2_000


def transfer(bank: Bank, arguments: Arguments) -> Operation | None:
    """The operation of `TR`, None if the payee is elsewhere."""
    payer, payee, amount, *name = arguments
    if payee.bank != bank.code:
        return None
    key = name[0] if name else bank.new_transfer_id()
    return _new(Move, (key, payer[0], payee[0], amount, not name))


def transferred(bank: Bank, _arguments: Arguments, result: Transfer) -> str:
    """The reply to `TR`. Raises Refused for a transfer that was given up, with the old reason."""
    if result.phase is Phase.ABORTED:
        raise Refused(Reason(result.reason or Reason.TRANSFER_ABORTED.value),
                      bank=bank_code(bank, result), own=bank.code)  # fmt: skip
    # The id of one that this bank decides is its key.
    return f"TR {result.key} {result.state}"


def transfer_state(bank: Bank, arguments: Arguments) -> Operation | None:
    """The operation of `TS`, None if there can be no record yet.

    The bank's own transfers may be named in full, too.
    """
    key = arguments[0].removeprefix(bank.code + "/")
    return None if bank.transfers.has_received(key) else ReadTransfer(key)


def told_state(bank: Bank, arguments: Arguments, result: Transfer) -> str:
    """The reply to `TS`."""
    here = f"{result.account}/{bank.code}"
    there = f"{result.other}/{bank_code(bank, result)}"
    payer, payee = (there, here) if result.role is Role.PAYEE else (here, there)
    return f"TS {arguments[0]} {result.state} {payer} {payee} {result.amount}"


def bank_code(bank: Bank, record: Transfer) -> BankCode:
    """The bank on the other side of a transfer."""
    return bank_of(record.bank) if record.bank else bank.code


def tell_history(call: Call) -> str:
    """The reply to `TH`. Raises Refused(NO_SUCH_ACCOUNT)."""
    address, *page = call.arguments
    count = min(page[0], _LINES_MAX) if page else _LINES_DEFAULT
    before = page[1] if len(page) > 1 else None
    journal = call.bank.journal
    account = journal.account(address.number)
    if account is None or not is_client(account.number):
        raise Refused(Reason.NO_SUCH_ACCOUNT)
    start = Cursor(account.last_entry, account.balance)
    reached = islice(steps(journal, account.number, start), _STEPS_MAX)
    older = (step for step in reached if before is None or step.line.number < before)
    page = list(islice(older, count + 1))
    told: dict[str, Any] = {
        "account": str(address),
        "entries": [_entry(call.bank, account.number, step) for step in page[:count]],
    }
    if len(page) > count > 0:
        told["before"] = page[count - 1].line.number
    return "TH " + json.dumps(told, separators=(",", ":"))


def _entry(bank: Bank, number: int, step: Step) -> dict[str, Any]:
    entry, record = step.line.entry, step.line.transfer
    amount = entry.amount if entry.credit == number else -entry.amount
    told: dict[str, Any] = {
        "entry": step.line.number,
        "time": datetime.fromtimestamp(step.line.block.time_us / 1e6, UTC).isoformat(),
        "kind": Kind(entry.kind).name.lower(),
        "amount": amount,
        "balance": step.balance,
    }
    if record:
        is_payee = record.role is Role.LOCAL and amount >= 0
        other = record.account if is_payee else record.other
        told |= {"transfer": record.key, "other": f"{other}/{bank_code(bank, record)}"}
    return told


def transfer_elsewhere(call: Call, done: Callable[[Answer], None]) -> None:
    """`TR` to an account of another bank. Raises Refused(OUT_OF_REACH)."""
    payer, payee, amount, *name = call.arguments
    wanted = TransferId(name[0] if name else call.bank.new_transfer_id())
    call.bank.transfers.begin(call, Order(wanted, payer.number, payee, amount), done)


def tell_received(call: Call, done: Callable[[Answer], None]) -> None:
    """The reply to `TS` for a transfer that has no record yet."""
    done(f"TS {call.arguments[0]} received")


def take_messages(call: Call, done: Callable[[Answer], None]) -> None:
    """`TM`: hands the messages over; the reply comes when the ledger has decided about all."""
    sender, messages, signature = call.arguments
    call.bank.transfers.receive(sender, messages, signature, done)
