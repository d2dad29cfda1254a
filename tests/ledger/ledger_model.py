"""A bank as a child would write it, one dict of balances, and helpers to work on a store.

The plain bank shares no code with the rules of the ledger except the names of operations and
refusals.
"""

from collections.abc import Callable, Iterable

from bank_node.errors import Conflict, Reason, StoreError
from bank_node.ledger.book import Account, apply, decide
from bank_node.ledger.journal import EMPTY_HEAD, Block, check, head_of, seal
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    Operation,
    ReadClients,
    ReadTotal,
    Result,
    Withdraw,
)
from bank_node.ledger.store import Store

LIMIT = 9_223_372_036_854_775_807
FIRST_NUMBER = 10_000
LAST_NUMBER = 99_999


class PlainBank:
    """What the ledger must come to, kept in the plainest way."""

    def __init__(self, numbers: range = range(FIRST_NUMBER, LAST_NUMBER + 1)) -> None:
        self.numbers = numbers
        self.balances: dict[int, int] = {}

    def copy(self) -> "PlainBank":
        other = PlainBank(self.numbers)
        other.balances = dict(self.balances)
        return other

    @property
    def total(self) -> int:
        return sum(self.balances.values())

    def expect(self, operation: Operation, result: int | Reason) -> None:
        """Carries an operation out and fails if the ledger came to something else."""
        if isinstance(operation, OpenAccount):
            self._expect_open(result)
        else:
            assert result == self._outcome(operation), operation

    def _expect_open(self, result: int | Reason) -> None:
        if len(self.balances) == len(self.numbers):
            assert result is Reason.NO_FREE_ACCOUNT
            return
        assert result in self.numbers
        assert result not in self.balances
        assert isinstance(result, int)
        self.balances[result] = 0

    def _outcome(self, operation: Operation) -> int | Reason:
        kind = type(operation).__name__
        if kind == "ReadTotal":
            return self.total
        if kind == "ReadClients":
            return len(self.balances)
        assert not isinstance(operation, OpenAccount)
        number = operation.account
        if number not in self.balances:
            return Reason.NO_SUCH_ACCOUNT
        if isinstance(operation, CloseAccount):
            return self._close(number)
        if isinstance(operation, Deposit):
            return self._deposit(number, operation.amount)
        if isinstance(operation, Withdraw):
            return self._withdraw(number, operation.amount)
        return self.balances[number]

    def _close(self, number: int) -> int | Reason:
        if self.balances[number] != 0:
            return Reason.ACCOUNT_NOT_EMPTY
        del self.balances[number]
        return 0

    def _deposit(self, number: int, amount: int) -> int | Reason:
        if self.balances[number] + amount > LIMIT:
            return Reason.ACCOUNT_LIMIT
        if self.total + amount > LIMIT:
            return Reason.BANK_LIMIT
        self.balances[number] += amount
        return 0

    def _withdraw(self, number: int, amount: int) -> int | Reason:
        if amount > self.balances[number]:
            return Reason.INSUFFICIENT_FUNDS
        self.balances[number] -= amount
        return 0


class Room:
    """A store that can be closed and opened again."""

    def __init__(self, open_store: Callable[[], Store], is_durable: bool) -> None:
        self._open = open_store
        self.is_durable = is_durable
        self.store = open_store()

    def reopen(self) -> Store:
        self.store.close()
        self.store = self._open()
        return self.store


def book(store: Store, *operations: Operation) -> list[Result]:
    """One batch as the writer books it; what fails is discarded."""
    state = store.fork(operations)
    results = [decide(state, operation) for operation in operations]
    try:
        if state.entries:
            store.commit(state, seal(store.head, state.entries, store.head.height + 1))
        else:
            store.confirm()
    except (StoreError, Conflict):
        store.discard()
        raise
    return results


def opened(store: Store, *balances: int) -> list[int]:
    """Opens accounts with these balances, in one batch and another."""
    numbers = book(store, *[OpenAccount(draw) for draw in range(len(balances))])
    deposits = zip(numbers, balances, strict=True)
    assert set(book(store, *[Deposit(n, b) for n, b in deposits])) <= {0}
    return numbers


def replayed(blocks: Iterable[Block]) -> list[Account]:
    """What the blocks alone come to, each of them checked."""
    accounts: dict[int, Account] = {}
    head = EMPTY_HEAD
    for block in blocks:
        check(block, head)
        for sequence, entry in block.entries():
            apply(accounts, entry, sequence)
        head = head_of(block)
    return sorted(accounts.values())


def assert_state_is_that_of_the_journal(store: Store) -> None:
    """Accounts, totals, head and free numbers are those of a full replay."""
    blocks = list(store.blocks())
    accounts = replayed(blocks)
    assert store.accounts() == accounts
    assert store.head == (head_of(blocks[-1]) if blocks else EMPTY_HEAD)
    assert store.read(ReadTotal()) == sum(account.balance for account in accounts)
    assert store.read(ReadClients()) == len(accounts)
    state = store.fork(())
    assert (state.sequence, state.clients) == (store.head.sequence, len(accounts))
