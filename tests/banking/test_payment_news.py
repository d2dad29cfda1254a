"""News of payments: told once to each who waits, bounded, and never skipped in silence."""

from bank_node.banking.payments.news import WAITING_AT_ONE_MAX, Board
from bank_node.banking.payments.records import Payment, body_of
from bank_node.ledger.notes import Note


def note(entry, payer=10_001, payee=10_002, **changes):
    payment = Payment("BRN" + f"{entry:032x}", "pay", "a@b", payer, "c@b", payee, "1.2.3.4", "c",
                      5, "r", "", 0, **changes)  # fmt: skip
    bank = payment.payer_bank
    key = f"i:{bank}/{payment.id}" if bank else f"p:{payment.id}"
    return Note(key, body_of(payment), False, entry=entry)


def entries(page):
    return [news.entry for news in page.news]


def test_both_clients_of_a_bank_are_told_and_nobody_else():
    board, told = Board(0), []
    for account in (10_001, 10_002, 10_003):
        assert board.wait(account, 0, 9.0, lambda page, a=account: told.append(a)) == []
    for done, page in board.heard(note(7)):
        assert entries(page) == [7]
        done(page)
    assert sorted(told) == [10_001, 10_002]


def test_of_a_payment_between_banks_each_bank_tells_its_own_client():
    board = Board(0)
    board.heard(note(7, day=5))
    board.heard(note(8, payer_bank="9.9.9.9"))
    assert (entries(board.page(10_001, 0)), entries(board.page(10_002, 0))) == ([7], [8])


def test_what_was_heard_before_is_there_at_once_and_a_cursor_skips_nothing():
    board = Board(0)
    for entry in range(1, 101):
        board.heard(note(entry))
    found, cursor = [], 0
    while page := board.page(10_001, cursor).news:
        found += [news.entry for news in page]
        cursor = page[-1].entry
    assert found == list(range(1, 101))
    ((_, page),) = board.wait(10_001, 99, 9.0, print)
    assert entries(page) == [100]


def test_memory_is_bounded_and_what_it_lost_is_known():
    board = Board(0, news_max=10)
    for entry in range(1, 21):
        board.heard(note(entry))
    assert board.floor == 15
    assert entries(board.page(10_001, 0)) == [16, 17, 18, 19, 20]


def test_nobody_waits_longer_than_wanted_and_only_so_many_for_one_account():
    board = Board(0)
    waiting = [board.wait(10_001, n, n, print) for n in range(WAITING_AT_ONE_MAX + 1)]
    assert [len(told) for told in waiting] == [0] * WAITING_AT_ONE_MAX + [1]
    assert waiting[-1][0][1].cursor == 0
    assert [page.cursor for _, page in board.overdue(3.0)] == [1, 2, 3]
    assert len(board.end()) == WAITING_AT_ONE_MAX - 3
    assert len(board.wait(10_001, 0, 9.0, print)) == 1
