"""A bank as a child would write it: one dict of balances. The ledger is compared against it.

It shares no code with the rules of the ledger except the names of operations and refusals.
"""

from bank_node.errors import Reason
from bank_node.ledger.operations import CloseAccount, Deposit, OpenAccount, Operation, Withdraw

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
        number = operation[0]
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
