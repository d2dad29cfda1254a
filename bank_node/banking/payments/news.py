"""What lately became of payments and requests, by account, and who waits to hear of it. Pure.

Takes no locks. Memory holds the latest news of all accounts together, a bounded number of them.
Whoever asks from a point that is older than that is told to look into the journal.
"""

from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple

from bank_node.banking.payments.papers import REQUESTS, Mandate, Request
from bank_node.banking.payments.records import INCOMING, PAY_IN, WITHDRAW, Payment, read, request_of
from bank_node.ledger.notes import Note

NEWS_MAX = 20_000
"""Pieces of news in memory; the record of a payment has some 600 bytes."""
PAGE_MAX = 64
"""Pieces of news in one answer."""
WAITING_AT_ONE_MAX = 8
"""Who waits for news of one account; the one who has waited longest makes room."""
WAITING_MAX = 20_000


class News(NamedTuple):
    """A payment or a request that an account had a part in, as of an entry of the journal."""

    entry: int
    record: Payment | Request


class Page(NamedTuple):
    """News in their order, and from where to ask for more."""

    news: tuple[News, ...]
    cursor: int
    lost: bool = False
    """Whether there was more before these, too long ago."""


Done = Callable[[Page], object]


class _Waiting(NamedTuple):
    cursor: int
    due_s: float
    done: Done


class Board:
    """See the module."""

    def __init__(self, floor: int, *, news_max: int = NEWS_MAX) -> None:
        """All news after the entry `floor` will be heard."""
        self.floor = floor
        """News of this entry and older ones may be missing here."""
        self._news_max = news_max
        self._order: deque[tuple[int, int]] = deque()
        self._news: dict[int, deque[News]] = {}
        self._states: dict[str, str] = {}
        self._waiting: dict[int, list[_Waiting]] = {}
        self._waiting_count = 0
        self._is_over = False

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for news."""
        return self._waiting_count > 0

    def begin(self, floor: int) -> list[tuple[Done, Page]]:
        """Of entries up to this one some may not have been heard of; nobody is told anything."""
        self.floor = max(self.floor, floor)
        return []

    def heard(self, note: Note) -> list[tuple[Done, Page]]:
        """Takes in the record of a payment or a request; who is to be told of it, and what."""
        record: Payment | Request
        accounts: Iterable[int]
        if note.key.startswith(REQUESTS):
            record = request = request_of(note)
            accounts = request.here if self._is_news(request) else ()
        else:
            record = read(Payment, note)
            accounts = parties(record, is_incoming=note.key.startswith(INCOMING))
        news = News(note.entry, record)
        told = []
        for account in accounts:
            self._keep(account, news)
            for waiting in self._let_go(account):
                page = self.page(account, waiting.cursor)
                told.append((waiting.done, page))
        return told

    def _is_news(self, paper: Request) -> bool:
        """Whether a paper has come to another state, and not only its bank to know of that."""
        known = str(paper.state)
        if isinstance(paper, Mandate):
            known = f"{known} {paper.occurrence} {paper.noticed_us} {paper.tries} {paper.proposed}"
        if self._states.get(paper.id) == known:
            return False
        if len(self._states) >= self._news_max:
            self._states = {}
        self._states[paper.id] = known
        return True

    def _keep(self, account: int, news: News) -> None:
        self._order.append((news.entry, account))
        self._news.setdefault(account, deque()).append(news)
        while len(self._order) > self._news_max:
            self.floor, oldest = self._order.popleft()
            kept = self._news[oldest]
            kept.popleft()
            if not kept:
                del self._news[oldest]

    def _let_go(self, account: int) -> list[_Waiting]:
        waiting = self._waiting.pop(account, [])
        self._waiting_count -= len(waiting)
        return waiting

    def page(self, account: int, cursor: int) -> Page:
        """The news of an account after an entry, as far as they are in memory."""
        known = self._news.get(account, ())
        found = tuple(news for news in known if news.entry > cursor)[:PAGE_MAX]
        return Page(found, found[-1].entry if found else cursor)

    def wait(self, account: int, cursor: int, due_s: float, done: Done) -> list[tuple[Done, Page]]:
        """Has somebody wait for news after an entry; who is to be told, and what, meanwhile."""
        page = self.page(account, cursor)
        if page.news or self._is_over or self._waiting_count >= WAITING_MAX:
            return [(done, page)]
        waiting = self._waiting.setdefault(account, [])
        waiting.append(_Waiting(cursor, due_s, done))
        self._waiting_count += 1
        if len(waiting) <= WAITING_AT_ONE_MAX:
            return []
        self._waiting_count -= 1
        oldest = waiting.pop(0)
        return [(oldest.done, Page((), oldest.cursor))]

    def end(self) -> list[tuple[Done, Page]]:
        """Nobody waits any more; all who do are to be told so."""
        self._is_over = True
        return self.overdue(inf)

    def overdue(self, now_s: float) -> list[tuple[Done, Page]]:
        """Those who have waited long enough for nothing."""
        told = []
        for account, waiting in list(self._waiting.items()):
            left = [each for each in waiting if each.due_s > now_s]
            if len(left) < len(waiting):
                told += [(w.done, Page((), w.cursor)) for w in waiting if w.due_s <= now_s]
                self._waiting_count -= len(waiting) - len(left)
                if left:
                    self._waiting[account] = left
                else:
                    del self._waiting[account]
        return told


def parties(payment: Payment, *, is_incoming: bool) -> set[int]:
    """The accounts of this bank that a payment is news for."""
    if payment.kind in (WITHDRAW, PAY_IN):
        # Whoever stands at the machine is told there.
        return set()
    if is_incoming:
        return {payment.payee_account}
    here = {payment.payer_account}
    return here | {payment.payee_account} if payment.is_local else here
