"""The rules of money, compared step by step with a plain model; and the free account numbers."""

import copy
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ledger_model import FIRST_NUMBER, LAST_NUMBER, LIMIT, PlainBank

from bank_node.errors import CorruptLedger, Reason
from bank_node.ledger.book import (
    ENTRY,
    Account,
    Entry,
    FreeNumbers,
    Kind,
    State,
    apply,
    decide,
    decide_all,
)
from bank_node.ledger.operations import (
    CloseAccount,
    Deposit,
    OpenAccount,
    ReadBalance,
    ReadClients,
    ReadTotal,
    Withdraw,
    is_read,
    touched,
)

ALL_NUMBERS = range(FIRST_NUMBER, LAST_NUMBER + 1)
# So few numbers that accounts are met again, run out and are reopened within one example.
POOL = range(50_000, 50_006)
OUTSIDE_POOL = set(ALL_NUMBERS).difference(POOL)
FREE_POOL = FreeNumbers(OUTSIDE_POOL)

accounts = st.sampled_from([*POOL, FIRST_NUMBER])
amounts = st.one_of(
    st.integers(0, 9),
    st.sampled_from([0, 1, LIMIT // 2, LIMIT // 2 + 1, LIMIT - 1, LIMIT]),
    st.integers(0, LIMIT),
)
operations = st.one_of(
    st.builds(OpenAccount, st.integers(0, 2**64)),
    st.builds(CloseAccount, accounts),
    st.builds(Deposit, accounts, amounts),
    st.builds(Withdraw, accounts, amounts),
    st.builds(ReadBalance, accounts),
    st.just(ReadTotal()),
    st.just(ReadClients()),
)


def drain(free: FreeNumbers) -> list[int]:
    """The numbers that are still free, without taking them."""
    free, numbers = copy.deepcopy(free), []
    while (number := free.take(0)) is not None:
        numbers.append(number)
    return sorted(numbers)


def everything(state: State) -> tuple[Any, ...]:
    free = drain(state.free)
    entries = list(state.entries)
    return (dict(state.accounts), state.cash, state.clients, state.sequence, entries, free)


class Book(RuleBasedStateMachine):
    """Batches of operations on the ledger and on the plain model."""

    @initialize()
    def empty(self) -> None:
        self.state = State({}, copy.deepcopy(FREE_POOL))
        self.model = PlainBank(POOL)
        self.replayed: dict[int, Account] = {}
        self.sequence = 0

    def decided(self, batch: list[Any], model: PlainBank) -> State:
        child, together = self.state.fork(touched(batch)), self.state.fork(touched(batch))
        together.free = copy.deepcopy(self.state.free)
        results = decide_all(together, batch)
        for operation, in_batch in zip(batch, results, strict=True):
            before = everything(child)
            result = decide(child, operation)
            assert result == in_batch
            model.expect(operation, result)
            if isinstance(result, Reason) or is_read(operation):
                assert everything(child) == before
            else:
                assert child.sequence == before[3] + 1
                assert len(child.entries) == len(before[4]) + 1
        assert everything(child) == everything(together)
        return child

    @rule(batch=st.lists(operations, min_size=1, max_size=6))
    def a_durable_batch(self, batch: list[Any]) -> None:
        child = self.decided(batch, self.model)
        self.state.absorb(child)
        for entry in child.entries:
            self.sequence += 1
            apply(self.replayed, Entry._make(ENTRY.unpack(entry)), self.sequence)

    @rule(batch=st.lists(operations, min_size=1, max_size=6))
    def a_batch_that_is_never_committed(self, batch: list[Any]) -> None:
        free = copy.deepcopy(self.state.free)
        self.decided(batch, self.model.copy())
        self.state.free = free

    @invariant()
    def all_accounts_and_cash_sum_to_zero(self) -> None:
        balances = [account.balance for account in self.state.accounts.values() if account]
        assert sum(balances) + self.state.cash == 0
        assert self.state.total == sum(balances)

    @invariant()
    def nothing_is_negative_or_above_the_limit(self) -> None:
        assert 0 <= self.state.total <= LIMIT
        for account in self.state.accounts.values():
            assert account is not None
            assert 0 <= account.balance <= LIMIT

    @invariant()
    def the_ledger_holds_what_the_model_holds(self) -> None:
        found = {n: account.balance for n, account in self.state.accounts.items() if account}
        assert found == self.model.balances
        assert self.state.clients == len(found)
        assert drain(self.state.free) == sorted(set(POOL).difference(found))

    @invariant()
    def replaying_the_entries_gives_the_same_accounts(self) -> None:
        assert self.replayed == self.state.accounts
        assert self.sequence == self.state.sequence


TestBook = Book.TestCase
TestBook.settings = settings(max_examples=80, stateful_step_count=15)


def bank(**balances: int) -> State:
    """A state with accounts such as a10000=5."""
    opened = {int(name[1:]): balance for name, balance in balances.items()}
    state = State({n: Account(n, b, 1) for n, b in opened.items()}, FreeNumbers(opened))
    state.cash, state.clients = -sum(opened.values()), len(opened)
    return state


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (Deposit(10_000, LIMIT), Reason.ACCOUNT_LIMIT),  # and the bank's limit as well
        (Deposit(10_000, LIMIT - 4), Reason.ACCOUNT_LIMIT),
        (Deposit(10_000, LIMIT - 5), Reason.BANK_LIMIT),
        (Deposit(10_001, LIMIT - 11), Reason.BANK_LIMIT),
        (Deposit(10_001, LIMIT - 12), 0),
        (Deposit(10_002, LIMIT), Reason.NO_SUCH_ACCOUNT),
        (Withdraw(10_000, 6), Reason.INSUFFICIENT_FUNDS),
        (Withdraw(10_000, LIMIT), Reason.INSUFFICIENT_FUNDS),
        (Withdraw(10_000, 5), 0),
        (Withdraw(10_002, LIMIT), Reason.NO_SUCH_ACCOUNT),
        (CloseAccount(10_000), Reason.ACCOUNT_NOT_EMPTY),
        (CloseAccount(10_002), Reason.NO_SUCH_ACCOUNT),
        (ReadBalance(10_002), Reason.NO_SUCH_ACCOUNT),
    ],
)
def test_of_several_reasons_the_first_in_precedence_is_given(operation, result):
    # 5 and 7 units are in the bank, so LIMIT - 12 more fit.
    assert decide(bank(a10000=5, a10001=7), operation) == result


def test_the_greatest_balance_can_be_paid_in_and_out_again():
    state = bank(a10000=0)
    assert decide(state, Deposit(10_000, LIMIT)) == 0
    assert decide(state, Deposit(10_000, 1)) is Reason.ACCOUNT_LIMIT
    assert state.total == LIMIT
    assert decide(state, Withdraw(10_000, LIMIT)) == 0
    assert (state.total, decide(state, CloseAccount(10_000))) == (0, 0)


valid_entries = st.sampled_from(
    [
        Entry(Kind.OPENED, 0, 10_001, 0, 0, 0),
        Entry(Kind.CLOSED, 10_002, 0, 0, 6, 0),
        Entry(Kind.DEPOSITED, 0, 10_000, 1, 0, 5),
        Entry(Kind.WITHDRAWN, 10_000, 0, 1, 5, 0),
    ]
)


@settings(max_examples=200)
@given(valid_entries, st.data())
def test_replay_refuses_every_entry_that_no_decision_produces(entry, data):
    """An entry with a wrong kind, account or predecessor breaks a rule, whichever field it is."""
    opened = {10_000: Account(10_000, 5, 5), 10_002: Account(10_002, 0, 6)}
    apply(dict(opened), entry, 7)
    field = data.draw(st.sampled_from([f for f in Entry._fields if f != "amount"]))
    near = st.sampled_from([0, 5, 6, 9_999, 10_000, 10_001, 10_002, 100_000, LIMIT])
    value = data.draw(near | st.integers(0, 2**64 - 1), label=field)
    wrong = entry._replace(**{field: value})
    if wrong == entry or _is_allowed(wrong):
        return
    with pytest.raises(CorruptLedger):
        apply(dict(opened), wrong, 7)


def _is_allowed(entry: Entry) -> bool:
    """Another number may be opened just as well, and nothing may be paid out at any time."""
    if entry == Entry(Kind.WITHDRAWN, 10_002, 0, 0, 6, 0):
        return True
    free = entry.credit in ALL_NUMBERS and entry.credit not in (10_000, 10_002)
    return free and entry == Entry(Kind.OPENED, 0, entry.credit, 0, 0, 0)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Kind.OPENED, 0, 10_001, 1, 0, 0),
        Entry(Kind.CLOSED, 10_002, 0, 1, 6, 0),
        Entry(Kind.CLOSED, 10_000, 0, 0, 5, 0),
        Entry(Kind.DEPOSITED, 0, 10_000, LIMIT - 4, 0, 5),
        Entry(Kind.WITHDRAWN, 10_000, 0, 6, 5, 0),
    ],
)
def test_replay_refuses_amounts_that_the_rules_refuse(entry):
    opened = {10_000: Account(10_000, 5, 5), 10_002: Account(10_002, 0, 6)}
    with pytest.raises(CorruptLedger):
        apply(opened, entry, 7)


def test_all_numbers_can_be_drawn_each_once():
    free, draws = FreeNumbers(()), random.Random(1)
    drawn = [free.take(draws.getrandbits(64)) for _ in ALL_NUMBERS]
    assert len(drawn) == 90_000
    assert sorted(drawn) == list(ALL_NUMBERS)
    assert free.take(0) is None


@pytest.mark.parametrize("last", [FIRST_NUMBER, 54_321, LAST_NUMBER])
def test_with_all_but_one_taken_the_last_one_comes_whatever_is_drawn(last):
    taken = set(ALL_NUMBERS).difference([last])
    for draw in (0, 1, 2**64 - 1):
        free = FreeNumbers(taken)
        assert (free.take(draw), free.take(draw)) == (last, None)


def test_the_draws_spread_over_all_free_numbers_evenly():
    free = copy.deepcopy(FREE_POOL)
    hits = Counter(copy.deepcopy(free).take(draw) for draw in range(len(POOL) * 3))
    assert hits == dict.fromkeys(POOL, 3)
    free.take(2)
    hits = Counter(copy.deepcopy(free).take(draw) for draw in range(len(POOL) - 1))
    assert hits == dict.fromkeys(drain(free), 1)


def test_a_number_given_back_is_drawn_again():
    free = FreeNumbers(ALL_NUMBERS)
    assert free.take(7) is None
    free.give_back(77_777)
    free.give_back(11_111)
    assert {free.take(7), free.take(7)} == {77_777, 11_111}
    assert free.take(7) is None


class CountedList(list[int]):
    """A list that counts its constant steps and has no others."""

    steps = 0

    def __getitem__(self, index: Any) -> Any:
        assert isinstance(index, int)
        self.steps += 1
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        assert isinstance(index, int)
        self.steps += 1
        super().__setitem__(index, value)

    def append(self, value: int) -> None:
        self.steps += 1
        super().append(value)

    def pop(self, *index: Any) -> int:
        assert not index
        self.steps += 1
        return super().pop()

    def _linear(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a step that grows with the list")

    insert = remove = index = sort = reverse = copy = count = extend = _linear
    __contains__ = __iter__ = __delitem__ = __add__ = __reversed__ = _linear


@pytest.mark.parametrize("free_count", [1, 2, 1000, 90_000])
def test_drawing_and_giving_back_cost_the_same_however_many_are_free(free_count):
    free = FreeNumbers(ALL_NUMBERS[free_count:])
    free._numbers = counted = CountedList(free._numbers)
    number = free.take(12_345_678_901)
    assert number is not None
    assert counted.steps <= 5
    free.give_back(number)
    assert counted.steps <= 6
