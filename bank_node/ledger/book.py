"""The pure rules of money: operations decided against a state, entries applied to a state.

Knows neither wire nor disk nor clock. `decide` is the only place where money is allowed to
move; `apply` replays what was decided, for recovery, verification and copies of the ledger.
Every entry moves money from a debit to a credit account, so the sum over all accounts is 0.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    Operation,
    ReadBalance,
    ReadClients,
    ReadLastEntry,
    ReadTotal,
    Result,
    Withdraw,
)
from bank_node.values import ACCOUNT_MAX, ACCOUNT_MIN, AMOUNT_MAX

CASH = 0
"""The bank's own account: what clients deposit comes from it, what they withdraw returns to it."""


class Kind(IntEnum):
    """What an entry records."""

    OPENED = 1
    CLOSED = 2
    DEPOSITED = 3
    WITHDRAWN = 4


class Entry(NamedTuple):
    """One line of the journal: `amount` units moved from `debit` to `credit`.

    `debit_previous` and `credit_previous` are the sequence numbers of the entry before this one
    on either account (0 for none, and always for CASH), which makes an account's history a chain.
    """

    kind: int
    debit: int
    credit: int
    amount: int
    debit_previous: int
    credit_previous: int


# The canonical form of an entry, which is also what is hashed: fixed width, so unambiguous.
ENTRY = Struct(">BQQQQQ")
_pack = ENTRY.pack
# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__


class Account(NamedTuple):
    """A client account: its balance and the sequence number of its latest entry."""

    number: int
    balance: int
    last_entry: int


class FreeNumbers:
    """The account numbers that are not taken; every change of one takes constant time.

    Numbers lie in no order. Where each of them lies is only noted once somebody asks for one by
    its name, which a ledger with a single writer never does.
    """

    __slots__ = ("_numbers", "_places")

    def __init__(self, taken: Iterable[int]) -> None:
        self._numbers = sorted(set(range(ACCOUNT_MIN, ACCOUNT_MAX + 1)).difference(taken))
        self._places: dict[int, int] | None = None

    def take(self, draw: int) -> int | None:
        """Removes and returns the number that `draw` picks; None if all are taken."""
        if not self._numbers:
            return None
        place = draw % len(self._numbers)
        number = self._numbers[place]
        self._fill(place)
        if self._places is not None:
            del self._places[number]
        return number

    def remove(self, number: int) -> None:
        """Takes this number out; one that is not free stays so."""
        if self._places is None:
            self._places = {free: place for place, free in enumerate(self._numbers)}
        place = self._places.pop(number, None)
        if place is not None:
            self._fill(place)

    def give_back(self, number: int) -> None:
        """Makes a number free that is not."""
        if self._places is not None:
            self._places[number] = len(self._numbers)
        self._numbers.append(number)

    def _fill(self, place: int) -> None:
        """Moves the last number into a gap."""
        last = self._numbers.pop()
        if place < len(self._numbers):
            self._numbers[place] = last
            if self._places is not None:
                self._places[last] = place


class State:
    """Accounts and totals as of one entry, plus the entries decided on top of it.

    `fork` gives the working state of a batch, which sees only the accounts loaded into it;
    `absorb` takes a batch over once it is durable.
    """

    __slots__ = ("accounts", "cash", "clients", "closed", "entries", "free", "sequence")

    def __init__(self, accounts: dict[int, Account | None], free: FreeNumbers) -> None:
        self.accounts = accounts
        self.free = free
        self.cash = 0
        self.clients = 0
        self.sequence = 0
        self.entries: list[bytes] = []
        self.closed: list[int] = []

    @property
    def total(self) -> int:
        """The sum of the client accounts: what cash has paid out, as all accounts sum to 0."""
        return -self.cash

    def fork(self, touched: Iterable[int]) -> "State":
        """A working copy that holds just the accounts named."""
        accounts = self.accounts
        child = State({n: accounts[n] for n in touched if n in accounts}, self.free)
        child.cash = self.cash
        child.clients = self.clients
        child.sequence = self.sequence
        return child

    def absorb(self, child: "State") -> None:
        """Takes over what a durable batch changed. Readers never see a closed account."""
        self.accounts.update(child.accounts)
        for number in child.closed:
            # The same batch may have given the number to somebody else already.
            if self.accounts.get(number) is None:
                self.accounts.pop(number, None)
        self.cash = child.cash
        self.clients = child.clients
        self.sequence = child.sequence

    def follow(self, entries: Iterable[tuple[int, Entry]]) -> set[int]:
        """Takes over a durable block that somebody else decided; returns the accounts it touched.

        Takes its entries with their sequence numbers. Raises CorruptLedger if a rule is broken,
        and changes nothing then.
        """
        entries = list(entries)
        touched = {n for _, entry in entries for n in (entry.debit, entry.credit) if n != CASH}
        child = self.fork(touched)
        accounts = {n: account for n, account in child.accounts.items() if account is not None}
        for sequence, entry in entries:
            apply(accounts, entry, sequence)
            child.sequence = sequence
            if entry.debit == CASH:
                child.cash -= entry.amount
            elif entry.credit == CASH:
                child.cash += entry.amount
        for number in touched:
            was_open, account = number in child.accounts, accounts.get(number)
            child.accounts[number] = account
            if account is None:
                child.closed.append(number)
            if was_open and account is None:
                child.clients -= 1
                self.free.give_back(number)
            elif account is not None and not was_open:
                child.clients += 1
                self.free.remove(number)
        self.absorb(child)
        return touched

    def release(self, child: "State") -> None:
        """Takes back the numbers that a batch drew or freed which will not become durable."""
        for number, account in child.accounts.items():
            is_open = self.accounts.get(number) is not None
            if is_open and account is None:
                self.free.remove(number)
            elif account is not None and not is_open:
                self.free.give_back(number)


def decide(state: State, operation: Operation) -> Result:
    """Carries one operation out on a state, or says why not and changes nothing."""
    return _RULES[type(operation)](state, operation)


def decide_all(state: State, operations: Sequence[Operation]) -> list[Result]:
    """Carries operations out one after the other; each sees what those before it did."""
    rules = _RULES
    return [rules[type(operation)](state, operation) for operation in operations]


def _open(state: State, operation: OpenAccount) -> Result:
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
    if account.balance:
        return Reason.ACCOUNT_NOT_EMPTY
    state.sequence += 1
    state.clients -= 1
    state.accounts[account.number] = None
    state.closed.append(account.number)
    state.free.give_back(account.number)
    state.entries.append(_pack(Kind.CLOSED, account.number, CASH, 0, account.last_entry, 0))
    return 0


def _deposit(state: State, operation: Deposit) -> Result:
    number, amount = operation
    account = state.accounts.get(number)
    if account is None:
        return Reason.NO_SUCH_ACCOUNT
    _, balance, last_entry = account
    if balance + amount > AMOUNT_MAX:
        return Reason.ACCOUNT_LIMIT
    if amount - state.cash > AMOUNT_MAX:
        return Reason.BANK_LIMIT
    state.sequence += 1
    state.cash -= amount
    state.accounts[number] = _new(Account, (number, balance + amount, state.sequence))
    state.entries.append(_pack(_DEPOSITED, CASH, number, amount, 0, last_entry))
    return 0


def _withdraw(state: State, operation: Withdraw) -> Result:
    number, amount = operation
    account = state.accounts.get(number)
    if account is None:
        return Reason.NO_SUCH_ACCOUNT
    _, balance, last_entry = account
    if balance < amount:
        return Reason.INSUFFICIENT_FUNDS
    state.sequence += 1
    state.cash += amount
    state.accounts[number] = _new(Account, (number, balance - amount, state.sequence))
    state.entries.append(_pack(_WITHDRAWN, number, CASH, amount, last_entry, 0))
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

_RULES: dict[type, Callable[[State, Any], Result]] = {
    OpenAccount: _open,
    CloseAccount: _close,
    Deposit: _deposit,
    Withdraw: _withdraw,
    ReadBalance: _read_balance,
    ReadLastEntry: _read_last_entry,
    ReadTotal: _read_total,
    ReadClients: _read_clients,
}


def apply(accounts: dict[int, Account], entry: Entry, sequence: int) -> None:
    """Replays one entry on the client accounts. Raises CorruptLedger if no rule allows it."""
    kind, debit, credit, amount, debit_previous, credit_previous = entry
    if kind == _DEPOSITED:
        account = _replayed(accounts, credit, credit_previous, sequence)
        fits = debit == debit_previous == CASH and account.balance + amount <= AMOUNT_MAX
        accounts[credit] = Account(credit, account.balance + amount, sequence)
    elif kind == _WITHDRAWN:
        account = _replayed(accounts, debit, debit_previous, sequence)
        fits = credit == credit_previous == CASH and account.balance >= amount
        accounts[debit] = Account(debit, account.balance - amount, sequence)
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
