"""The schedule of rows that lag: a round misses no row, and no block has to wait for it."""

import random
from collections.abc import Iterator, Mapping

import pytest

from bank_node.ledger import lagging_rows
from bank_node.ledger.entries import CASH, Account, settlement_account
from bank_node.ledger.journal import Head
from bank_node.ledger.lagging_rows import Snapshot
from bank_node.values import ACCOUNT_MAX, ACCOUNT_MIN, BankCode

BANKS = [settlement_account(BankCode(f"10.0.0.{n}")) for n in range(3)]
KEYS = [f"key {n}" for n in range(40)]
ROWS = 3


@pytest.fixture(autouse=True)
def small_rounds(monkeypatch):
    """A round is due every 30 entries, and looks at the numbers in six stretches."""
    monkeypatch.setattr(lagging_rows, "SNAPSHOT_ENTRIES", 30)
    monkeypatch.setattr(lagging_rows, "_LOOK_NUMBERS", 15_000)
    monkeypatch.setattr(lagging_rows, "_RUN_KEYS", 5)


class Rows:
    """A ledger of names and entries alone, and up to which entry each stored row is."""

    def __init__(self, seed: int) -> None:
        self.draws = random.Random(seed)
        self.snapshot = Snapshot(0)
        self.accounts: dict[int, Account | None] = {}
        self.entry = 0
        self.changes: dict[int | str, list[int]] = {}
        self.stored: dict[int | str, int] = {}

    @property
    def head(self) -> Head:
        return Head(self.entry, b"", 0, self.entry)

    def block(self) -> set[int | str]:
        """Changes some rows; returns those that an open client does not tell of."""
        beside: set[int | str] = set()
        for _ in range(self.draws.randint(1, 4)):
            self.entry += 1
            draws = self.draws.random()
            if draws < 0.2:
                name: int | str = self.draws.choice(KEYS)
                beside.add(name)
            elif draws < 0.3:
                name = self.draws.choice(BANKS)
                self.accounts[name] = Account(name, 0, self.entry)
                beside.add(name)
            elif draws < 0.5 and self.clients():
                name = self.draws.choice(self.clients())
                del self.accounts[name]
                beside.add(name)
            else:
                drawn = ACCOUNT_MIN + self.draws.randrange(20) * 4_000 + 7
                name = self.draws.choice([ACCOUNT_MIN, ACCOUNT_MAX, drawn])
                self.accounts[name] = Account(name, 0, self.entry)
            self.changes.setdefault(name, []).append(self.entry)
        return beside

    def clients(self) -> list[int]:
        return [number for number in self.accounts if number <= ACCOUNT_MAX]

    def write(self, portion: list[int | str]) -> None:
        self.stored.update(dict.fromkeys(portion, self.entry))
        if portion:
            self.snapshot.done()

    def carry_on(self) -> None:
        if self.snapshot.is_due(self.head):
            self.snapshot.start_round(self.head, self.accounts, ROWS)

    def assert_rows_are_complete(self) -> None:
        for name, entries in self.changes.items():
            due = max((entry for entry in entries if entry <= self.snapshot.sequence), default=0)
            assert self.stored.get(name, 0) >= due, name


def decided_here(rows: Rows) -> None:
    """A portion is chosen before the batch is taken in, and written as the batch leaves it."""
    portion = rows.snapshot.next_portion()
    if rows.draws.random() < 0.2:
        # The disk was full: the batch has never been, and the same rows are due with the next.
        assert not portion or rows.snapshot.next_portion() == portion
        return
    beside = rows.block()
    rows.write(portion)
    rows.snapshot.note(beside, rows.entry)
    rows.carry_on()


def taken_from_a_leader(rows: Rows) -> None:
    """The blocks are taken in first, and all that they touched is noted."""
    before = rows.entry
    rows.block()
    touched = {name for name, entries in rows.changes.items() if entries[-1] > before}
    rows.snapshot.note(touched, rows.entry)
    rows.write(rows.snapshot.next_portion())
    rows.carry_on()


@pytest.mark.parametrize("step", [decided_here, taken_from_a_leader])
@pytest.mark.parametrize("seed", range(8))
def test_all_that_changed_before_a_round_is_written_when_it_ends(seed, step):
    rows, ends = Rows(seed), set()
    for _ in range(600):
        step(rows)
        rows.assert_rows_are_complete()
        ends.add(rows.snapshot.sequence)
    assert len(ends) > 10, "rounds come to their end"


@pytest.mark.parametrize("seed", range(8))
def test_a_round_given_up_for_another_loses_no_row(seed):
    rows = Rows(seed)
    for _ in range(rows.draws.randint(1, 200)):
        decided_here(rows)
    rows.snapshot.start_round(rows.head, rows.accounts, ROWS)
    turns = 0
    while rows.snapshot.is_under_way:
        rows.write(rows.snapshot.next_portion())
        turns += 1
        assert turns < 100, "a round that never ends"
    assert rows.snapshot.sequence == rows.entry
    rows.assert_rows_are_complete()


class Watched(Mapping[int, Account]):
    """Accounts that count how often they are looked at."""

    def __init__(self, accounts: dict[int, Account]) -> None:
        self._accounts = accounts
        self.looks = 0

    def get(self, number, default=None):
        self.looks += 1
        return self._accounts.get(number, default)

    def __getitem__(self, number: int) -> Account:
        raise AssertionError("looked at in a way that is not counted")

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("a walk over all accounts at once")

    def __len__(self) -> int:
        return len(self._accounts)


@pytest.mark.parametrize("apart", [1, 9, 1_000])
def test_no_block_waits_for_more_than_a_portion_and_no_portion_is_needlessly_small(apart):
    numbers = range(ACCOUNT_MIN, ACCOUNT_MAX + 1, apart)
    accounts = Watched({number: Account(number, 0, number) for number in numbers})
    snapshot, rows, look = Snapshot(0), 256, 15_000
    snapshot.note(KEYS, 1)
    snapshot.start_round(Head(1, b"", 0, 200_000), accounts, rows)
    assert accounts.looks == 0
    written: list[int | str] = []
    small = 0
    while snapshot.is_under_way:
        before = accounts.looks
        portion = snapshot.next_portion()
        assert accounts.looks - before <= look
        assert len(portion) <= rows
        small += 0 < len(portion) < rows
        written += portion
        if portion:
            snapshot.done()
    assert written == [*sorted(KEYS), *numbers, CASH]
    assert small <= 2, "only the last of the keys and the last of the numbers"


def test_the_keys_of_a_round_come_in_order_and_once():
    snapshot, draws = Snapshot(0), random.Random(1)
    for _ in range(50):
        snapshot.note(draws.sample(KEYS, 4), 100)
    snapshot.start_round(Head(1, b"", 0, 100), {}, ROWS)
    written: list[int | str] = []
    while snapshot.is_under_way:
        portion = snapshot.next_portion()
        if portion:
            written += portion
            snapshot.done()
    assert written == [*sorted(KEYS), CASH]


@pytest.mark.parametrize("records", [1, 2, 50])
def test_blocks_of_many_records_leave_no_more_to_write_after_each_round(records):
    snapshot, entry = Snapshot(0), 0
    behind = []
    for _ in range(400):
        portion = snapshot.next_portion(records)
        entry += records
        if portion:
            snapshot.done()
        snapshot.note((f"key {entry - n}" for n in range(records)), entry)
        head = Head(entry, b"", 0, entry)
        if snapshot.is_due(head):
            behind.append(entry - snapshot.sequence)
            snapshot.start_round(head, {}, ROWS)
    assert len(behind) > 10
    assert max(behind) < 20 * (records + ROWS), "a round ends before many blocks have come"


@pytest.mark.parametrize("seed", range(8))
def test_of_what_another_node_has_written_nothing_later_is_left_out(seed):
    rows = Rows(seed)
    for _ in range(600):
        decided_here(rows)
        if rows.draws.random() < 0.05 and not rows.snapshot.is_under_way:
            up_to = rows.draws.randint(rows.snapshot.sequence, rows.entry)
            for name, entries in rows.changes.items():
                theirs = max((entry for entry in entries if entry <= up_to), default=0)
                rows.stored[name] = max(rows.stored.get(name, 0), theirs)
            rows.snapshot.written_elsewhere(up_to)
        rows.assert_rows_are_complete()


def test_keys_that_another_node_has_written_are_written_by_nobody_else():
    snapshot = Snapshot(0)
    snapshot.note(KEYS[:20], 10)
    snapshot.note(KEYS[20:], 20)
    snapshot.written_elsewhere(10)
    snapshot.start_round(Head(1, b"", 0, 40), {}, 100)
    assert snapshot.next_portion() == sorted(KEYS[20:])


def test_a_block_of_many_records_takes_a_round_further_than_others_do():
    def blocks(records: int) -> int:
        snapshot, count = Snapshot(0), 0
        snapshot.start_round(Head(1, b"", 0, 100), {}, 256)
        while snapshot.is_under_way:
            count += 1
            if snapshot.next_portion(records):
                snapshot.done()
        return count

    assert blocks(0) == 7, "six stretches of numbers, and cash"
    assert blocks(2_000) <= 2
