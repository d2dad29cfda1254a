"""What waits for a client: a bounded list of keys beside its account. Pure.

It is bounded twice, so that nobody's list is filled by one who asks again and again.
"""

from zlib import crc32

from bank_node.banking.payments.papers import (
    DISPUTES,
    PAYEE,
    Agenda,
    Dispute,
    Paper,
    Request,
    agenda_key,
)
from bank_node.banking.payments.records import body_of, read
from bank_node.errors import Reason
from bank_node.ledger import noting
from bank_node.ledger.notes import Note
from bank_node.ledger.state import State

ITEMS_MAX = 50
"""What one client's list holds."""
ITEMS_OF_ONE_MAX = 10
"""How many of them one other client may have begun."""
ITEMS_OF_BANK_MAX = 25
"""How many of them the clients of one other bank may have begun together."""
DISPUTES_MAX = 30
"""How many disputes a list holds beside them; all together fit into one note."""
_ACCOUNTS = 100_000
# Few enough that a full list fits into a note; banks that share a number share their room.
_BANKS = 999


def stranger(bank: str, account: int) -> int:
    """Who has begun something, if it is a client of another bank: a number below 0."""
    return -(crc32(bank.encode()) % _BANKS * _ACCOUNTS + account)


def _is_of_bank(by: int, other: int) -> bool:
    return by < 0 and -by // _ACCOUNTS == -other // _ACCOUNTS


def agenda_of(state: State, account: int) -> Agenda:
    note = state.notes.get(agenda_key(account))
    return read(Agenda, note) if note else Agenda(account)


def refusal(state: State, account: int, by: int) -> Reason | None:
    """Why `by` may not put one more thing on a client's list."""
    items = [item for item in agenda_of(state, account).items if item[0][:2] != DISPUTES]
    of_one = sum(began == by for _, began in items)
    of_bank = sum(_is_of_bank(began, by) for _, began in items) if by < 0 else 0
    is_full = len(items) >= ITEMS_MAX or of_bank >= ITEMS_OF_BANK_MAX
    if is_full or of_one >= ITEMS_OF_ONE_MAX:
        return Reason.TOO_MANY_REQUESTS
    return None


def is_full_of_disputes(state: State, account: int) -> bool:
    """Whether a client's list has no room for one more dispute."""
    items = agenda_of(state, account).items
    return sum(key[:2] == DISPUTES for key, _ in items) >= DISPUTES_MAX


def file(state: State, account: int, by: int, paper: Paper) -> Note:
    """Notes a paper down and keeps the client's list in step with it; the note of the paper."""
    _enlist(state, account, by, paper)
    return _write(state, paper)


def file_between(state: State, paper: Request) -> Note:
    """Notes a paper between banks down. It is on the list of the payer, where that is a client."""
    there = paper.there
    assert there is not None, "it is between banks"
    if there.side == PAYEE:
        by = stranger(there.bank, paper.payee_account)
        _enlist(state, paper.payer_account, by, paper)
    return _write(state, paper)


def file_dispute(state: State, dispute: Dispute) -> Note:
    """Notes a dispute down, and keeps the lists of those in step whom it concerns here.

    What has no room on a list is not there: nobody is to escape disputes by having many of them.
    """
    for account in dispute.here:
        is_listed = any(key == dispute.key for key, _ in agenda_of(state, account).items)
        if is_listed or (dispute.is_open and not is_full_of_disputes(state, account)):
            _enlist(state, account, dispute.payer_account, dispute)
    return _write(state, dispute)


def _enlist(state: State, account: int, by: int, paper: Paper) -> None:
    agenda = agenda_of(state, account)
    others = tuple(item for item in agenda.items if item[0] != paper.key)
    is_open = getattr(paper, "is_open", True)
    items = (*others, (paper.key, by)) if is_open else others
    if is_open and len(others) < len(agenda.items):
        items = agenda.items
    if items != agenda.items:
        noting.write(state, agenda.key, body_of(Agenda(account, items)))


def _write(state: State, paper: Paper) -> Note:
    is_open = getattr(paper, "is_open", True) or getattr(paper, "is_owed", False)
    return noting.write(state, paper.key, body_of(paper), is_open=is_open)
