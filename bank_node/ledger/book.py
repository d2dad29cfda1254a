"""The pure rules of money: operations decided against a state, entries applied to a state.

Knows neither wire nor disk nor clock. `decide` is the only place where money is allowed to
move; `apply` replays what was decided, for recovery, verification and copies of the ledger.
Every entry moves money from a debit to a credit account, so the sum over all accounts is 0.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger import moves, noting
from bank_node.ledger.entries import CASH, ENTRY, Account, Entry, Kind
from bank_node.ledger.notes import ReadNote, ReadNotes
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    Operation,
    Procedure,
    ReadBalance,
    ReadClients,
    ReadLastEntry,
    ReadTotal,
    Result,
    Withdraw,
)
from bank_node.ledger.state import FreeNumbers, State
from bank_node.ledger.transfer_operations import Hold, Move, Promise, ReadTransfer, Tell
from bank_node.values import ACCOUNT_MAX, ACCOUNT_MIN, AMOUNT_MAX

__all__ = ["CASH", "ENTRY", "Account", "Entry", "FreeNumbers", "Kind", "State", "apply", "decide",
           "decide_all", "open_account", "withdraw"]  # fmt: skip

_pack = ENTRY.pack


def decide(state: State, operation: Operation) -> Result:
    """Carries one operation out on a state, or says why not and changes nothing."""
    return _RULES.get(type(operation), _decide_itself)(state, operation)


def decide_all(state: State, operations: Sequence[Operation]) -> list[Result]:
    """Carries operations out one after the other; each sees what those before it did."""
    rules = _RULES
    results: list[Result] = []
    for kind, run in groupby(operations, type):
        if kind is Deposit:
            results += _deposits(state, cast("Iterator[Deposit]", run))
        else:
            rule = rules.get(kind, _decide_itself)
            results += [rule(state, operation) for operation in run]
    return results


def open_account(state: State, operation: OpenAccount) -> int | Reason:
    """Opens an account; see the operation."""
    number = state.free.take(operation.draw)
    if number is None:
        return Reason.NO_FREE_ACCOUNT
    state.sequence += 1
    state.clients += 1
    state.accounts[number] = Account(number, 0, state.sequence)
    state.entries.append(_pack(Kind.OPENED, CASH, number, 0, 0, 0))
    return number


def _close(state: State, operation: CloseAccount) -> Result:
    account = state.accounts.get(operation.account)
    if account is None:
        return Reason.NO_SUCH_ACCOUNT
    if operation.account in state.guarded:
        return Reason.ACCOUNT_GUARDED
    if account.balance:
        return Reason.ACCOUNT_NOT_EMPTY
    if state.pins.get(operation.account):
        return Reason.ACCOUNT_IN_TRANSFER
    state.sequence += 1
    state.clients -= 1
    state.accounts[account.number] = None
    state.closed.append(account.number)
    state.free.give_back(account.number)
    state.entries.append(_pack(Kind.CLOSED, account.number, CASH, 0, account.last_entry, 0))
    return 0


def _deposit(state: State, operation: Deposit) -> Result:
    return _deposits(state, (operation,))[0]


def _deposits(state: State, deposits: Iterable[Deposit]) -> list[Result]:
    """Deposits, one after the other.

    Most of what a bank is asked for, so what a rule does for its batch is done once for many.
    """
    accounts, book, ceiling = state.accounts, state.entries.append, state.ceiling
    cash, sequence = state.cash, state.sequence
    results: list[Result] = []
    for deposit in deposits:
        number, amount = deposit.account, deposit.amount
        account = accounts.get(number)
        if account is None:
            results.append(Reason.NO_SUCH_ACCOUNT)
            continue
        balance = account.balance + amount
        if balance > AMOUNT_MAX:
            results.append(Reason.ACCOUNT_LIMIT)
        elif amount - cash > ceiling:
            results.append(Reason.BANK_LIMIT)
        else:
            sequence += 1
            cash -= amount
            accounts[number] = Account(number, balance, sequence)
            book(_pack(_DEPOSITED, CASH, number, amount, 0, account.last_entry))
            results.append(0)
    state.cash, state.sequence = cash, sequence
    return results


def _withdraw(state: State, operation: Withdraw) -> Result:
    if operation.account in state.guarded:
        return Reason.ACCOUNT_GUARDED
    return withdraw(state, operation)


def withdraw(state: State, operation: Withdraw) -> Result:
    """A withdrawal from an account whether it is guarded or not."""
    number, amount = operation.account, operation.amount
    account = state.accounts.get(number)
    if account is None:
        return Reason.NO_SUCH_ACCOUNT
    if account.balance < amount:
        return Reason.INSUFFICIENT_FUNDS
    state.sequence += 1
    state.cash += amount
    state.accounts[number] = Account(number, account.balance - amount, state.sequence)
    state.entries.append(_pack(_WITHDRAWN, number, CASH, amount, account.last_entry, 0))
    return 0


def _read_balance(state: State, operation: ReadBalance) -> Result:
    account = state.accounts.get(operation.account)
    return Reason.NO_SUCH_ACCOUNT if account is None else account.balance


def _read_last_entry(state: State, operation: ReadLastEntry) -> Result:
    account = state.accounts.get(operation.account)
    return Reason.NO_SUCH_ACCOUNT if account is None else account.last_entry


def _read_total(state: State, _operation: ReadTotal) -> Result:
    return state.total


def _read_clients(state: State, _operation: ReadClients) -> Result:
    return state.clients


# Looking a member of an IntEnum up costs as much as packing an entry does.
_DEPOSITED = int(Kind.DEPOSITED)
_WITHDRAWN = int(Kind.WITHDRAWN)


def _decide_itself(state: State, operation: Procedure) -> Result:
    return operation.decide(state)


# A procedure brings its own rule and enters when it is met for the first time: the table is a plain
# dictionary, whose look-up the interpreter makes quicker than that of any other kind.
_RULES: dict[type, Callable[[State, Any], Result]] = {
    OpenAccount: open_account,
    CloseAccount: _close,
    Deposit: _deposit,
    Withdraw: _withdraw,
    ReadBalance: _read_balance,
    ReadLastEntry: _read_last_entry,
    ReadTotal: _read_total,
    ReadClients: _read_clients,
    Move: moves.move,
    Hold: moves.hold,
    Promise: moves.promise,
    Tell: moves.tell,
    ReadTransfer: moves.read_transfer,
    ReadNotes: noting.read_notes,
    ReadNote: noting.read_note,
}


def apply(accounts: dict[int, Account], entry: Entry, sequence: int) -> None:
    """Replays one entry on the client accounts. Raises CorruptLedger if no rule allows it.

    Entries about transfers are replayed by `moves.replay`.
    """
    kind, debit, credit, amount, debit_previous, credit_previous = entry
    if kind == _DEPOSITED:
        balance = _replayed(accounts, credit, credit_previous, sequence).balance + amount
        fits = debit == debit_previous == CASH and balance <= AMOUNT_MAX
        accounts[credit] = Account(credit, balance, sequence)
    elif kind == _WITHDRAWN:
        balance = _replayed(accounts, debit, debit_previous, sequence).balance - amount
        fits = credit == credit_previous == CASH and balance >= 0
        accounts[debit] = Account(debit, balance, sequence)
    elif kind == Kind.OPENED:
        fits = credit not in accounts and ACCOUNT_MIN <= credit <= ACCOUNT_MAX
        fits = fits and not (debit or amount or debit_previous or credit_previous)
        accounts[credit] = Account(credit, 0, sequence)
    elif kind == Kind.CLOSED:
        account = _replayed(accounts, debit, debit_previous, sequence)
        fits = not (account.balance or credit or amount or credit_previous)
        del accounts[debit]
    else:
        raise CorruptLedger(f"entry {sequence} is of unknown kind {kind}")
    if not fits:
        raise CorruptLedger(f"entry {sequence} breaks a rule of the ledger: {entry}")


def _replayed(accounts: dict[int, Account], number: int, previous: int, sequence: int) -> Account:
    account = accounts.get(number)
    if account is None:
        raise CorruptLedger(f"entry {sequence} names account {number}, which is not open")
    if account.last_entry != previous:
        raise CorruptLedger(
            f"entry {sequence} follows entry {previous} of account {number}, "
            f"whose latest is {account.last_entry}"
        )
    return account
