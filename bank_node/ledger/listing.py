"""The accounts page by page: sorted and filtered over a copy of the state, never over the state.

A copy of 90,000 accounts and its order take some 50 ms of the interpreter, which the bank's own
threads lack meanwhile. So a copy is used again while it is the latest; and beyond that, while the
copies have taken more than a fiftieth of the time, some of which can be saved up.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import attrgetter
from threading import Lock
from typing import Literal, NamedTuple

from bank_node.ledger.entries import Account
from bank_node.ledger.journal import Head
from bank_node.ledger.store import Store
from bank_node.protocol.filters import EVERYTHING, AccountFilter

Column = Literal["number", "balance", "last_entry"]
COLUMNS: tuple[Column, ...] = ("number", "balance", "last_entry")

_TIME_PER_COPYING = 50
# How much copying can be saved up: enough for an operator who does a few things one by one.
_SAVED_MAX_NS = 300_000_000
# One for each column and a few filters that are being typed.
_VIEWS_KEPT = 16

_number = attrgetter("number")
_balance = attrgetter("balance")


class AccountPage(NamedTuple):
    """Some of the accounts that match, out of how many, as of `head` or a little later."""

    rows: Sequence[Account]
    matching: int
    sum_matching: int
    total: int
    head: Head


class _View(NamedTuple):
    rows: Sequence[Account]
    sum: int


class _Copy:
    """The accounts as of one moment, and the views of them that somebody has asked for."""

    def __init__(self, head: Head, accounts: list[Account]) -> None:
        self.head = head
        self.accounts = accounts
        self._views: dict[tuple[str, AccountFilter], _View] = {}

    def view(self, column: Column, wanted: AccountFilter) -> _View:
        """The matching accounts in ascending order of a column."""
        found = self._views.get((column, wanted))
        if found is None:
            if wanted != EVERYTHING:
                rows = _matching(self.view(column, EVERYTHING).rows, wanted)
                found = _View(rows, sum(map(_balance, rows)))
            elif column != "number":
                rows = sorted(self.accounts, key=attrgetter(column))
                found = _View(rows, self.view("number", EVERYTHING).sum)
            else:
                found = _View(self.accounts, sum(map(_balance, self.accounts)))
            if len(self._views) >= _VIEWS_KEPT:
                del self._views[next(iter(self._views))]
            self._views[column, wanted] = found
        return found


class Listing:
    """Pages of a store's accounts, for several threads."""

    def __init__(self, store: Store, now_ns: Callable[[], int]) -> None:
        self._store = store
        self._now_ns = now_ns
        # Held while a copy is made or sorted: whoever else wants a page wants the same one.
        self._lock = Lock()
        self._copy: _Copy | None = None
        self._saved_ns = _SAVED_MAX_NS
        self._looked_ns = now_ns()

    def page(
        self,
        first: int = 0,
        count: int = 100,
        column: Column = "number",
        *,
        descending: bool = False,
        wanted: AccountFilter = EVERYTHING,
    ) -> AccountPage:
        """Rows `first` to `first + count` of the matching accounts, counted from 0."""
        with self._lock:
            copy = self._fresh()
            started_ns = self._now_ns()
            view = copy.view(column, wanted)
            self._saved_ns -= self._now_ns() - started_ns
        if descending:
            end = max(0, len(view.rows) - first)
            rows = view.rows[max(0, end - count) : end][::-1]
        else:
            rows = view.rows[first : first + count]
        return AccountPage(rows, len(view.rows), view.sum, len(copy.accounts), copy.head)

    def find(self, number: int) -> Account | None:
        """One open account."""
        with self._lock:
            accounts = self._fresh().accounts
        index = bisect_left(accounts, number, key=_number)
        found = accounts[index] if index < len(accounts) else None
        return found if found and found.number == number else None

    def _fresh(self) -> _Copy:
        copy, now_ns = self._copy, self._now_ns()
        self._saved_ns += (now_ns - self._looked_ns) // _TIME_PER_COPYING
        self._saved_ns = min(self._saved_ns, _SAVED_MAX_NS)
        self._looked_ns = now_ns
        # The head first: a copy is then never older than the head that it claims.
        head = self._store.head
        if copy and (copy.head == head or self._saved_ns <= 0):
            return copy
        self._copy = copy = _Copy(head, self._store.accounts())
        self._saved_ns -= self._now_ns() - now_ns
        return copy


def _matching(rows: Sequence[Account], wanted: AccountFilter) -> list[Account]:
    digits, lowest, highest = wanted
    if digits:
        rows = [account for account in rows if digits in str(account.number)]
    return [account for account in rows if lowest <= account.balance <= highest]
