"""Pages of accounts: sorted, filtered and counted over a copy that is renewed in good time."""

import pytest
from ledger_model import book, opened

from bank_node.ledger.listing import COLUMNS, Listing
from bank_node.ledger.memory_store import MemoryStore
from bank_node.ledger.operations import Deposit
from bank_node.protocol.filters import EVERYTHING, AccountFilter, parse_account_filter


class Clock:
    """Moves by what a test adds."""

    def __init__(self):
        self.now_ns = 0

    def __call__(self):
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    store = MemoryStore()
    opened(store, *[(n * 7919) % 1000 for n in range(50)])
    return store


def key_of(column):
    return lambda account: (getattr(account, column), account)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("wanted", ["", "7", "1", ">500", "<=500", "100..200", "=0", ">2000"])
def test_the_pages_together_are_the_matching_accounts_in_order(
    store, clock, column, descending, wanted
):
    listing = Listing(store, clock)
    looked_for = parse_account_filter(wanted) if wanted else EVERYTHING
    digits, lowest, highest = looked_for
    expected = [
        account
        for account in store.accounts()
        if digits in str(account.number) and lowest <= account.balance <= highest
    ]
    rows = []
    while True:
        page = listing.page(len(rows), 7, column, descending=descending, wanted=looked_for)
        assert (page.total, page.matching) == (50, len(expected))
        assert page.sum_matching == sum(account.balance for account in expected)
        if not page.rows:
            break
        rows += page.rows
    assert [getattr(account, column) for account in rows] == sorted(
        (getattr(account, column) for account in expected), reverse=descending
    )
    assert sorted(rows) == sorted(expected)


def test_an_account_is_found_by_its_number(store, clock):
    listing = Listing(store, clock)
    for account in store.accounts():
        assert listing.find(account.number) == account
    missing = set(range(10_000, 10_200)) - {account.number for account in store.accounts()}
    assert all(listing.find(number) is None for number in [*missing, 0, 99_999])


def test_a_page_shows_the_latest_block_at_once_when_copies_are_cheap(store, clock):
    listing = Listing(store, clock)
    number = listing.page().rows[0].number
    for amount in range(1, 4):
        book(store, Deposit(number, 1000 * amount))
        page = listing.page(wanted=AccountFilter(str(number)))
        assert page.head == store.head
        assert page.rows[0] == store.account(number)


def test_copying_takes_a_fiftieth_of_the_time_and_what_was_saved_up(store, clock, monkeypatch):
    listing, accounts = Listing(store, clock), store.accounts
    number = accounts()[0].number
    copies = []

    def slowly():
        copies.append(1)
        clock.now_ns += 10_000_000
        return accounts()

    monkeypatch.setattr(store, "accounts", slowly)
    while clock.now_ns < 60 * 10**9:
        book(store, Deposit(number, 1))
        listing.page()
        clock.now_ns += 5_000_000
    assert 1.15 < len(copies) * 0.010 < 1.6


def test_nothing_is_copied_again_while_nothing_happens(store, clock, monkeypatch):
    listing = Listing(store, clock)
    listing.page()
    monkeypatch.setattr(store, "accounts", lambda: pytest.fail("copied again"))
    clock.now_ns += 10**15
    assert listing.page(wanted=AccountFilter("7")).total == 50


def test_an_empty_bank_has_an_empty_page(clock):
    page = Listing(MemoryStore(), clock).page(5, 10, "balance", descending=True)
    assert (page.rows, page.matching, page.total, page.sum_matching) == ([], 0, 0, 0)
