"""Taking over blocks that somebody else decided: another node of the same bank."""

from typing import cast

from bank_node.ledger import moves, noting
from bank_node.ledger.book import apply
from bank_node.ledger.entries import CASH, Account, Kind, is_client
from bank_node.ledger.journal import Block
from bank_node.ledger.notes import Note
from bank_node.ledger.records import decode
from bank_node.ledger.state import State
from bank_node.ledger.transfers import Transfer

# Looking a member of an IntEnum up costs as much as applying an entry does.
_WITHDRAWN = int(Kind.WITHDRAWN)


def follow(state: State, block: Block) -> set[int | str]:
    """Takes over a durable block that somebody else decided; returns what it touched.

    Raises CorruptLedger if a rule is broken, and changes nothing then.
    """
    entries, payloads = list(block.entries()), block.payloads()
    numbers = {entry[1] for _, entry in entries}
    numbers.update([entry[2] for _, entry in entries])
    clients = set(filter(is_client, numbers))
    records = [decode(payload, entry) for entry, payload in payloads.items()]
    moves.check_evidence(record for record in records if isinstance(record, Transfer))
    touched: set[int | str] = set(clients)
    for record in records:
        if isinstance(record, Note):
            touched |= {record.key, record.guards} if record.guards else {record.key}
            continue
        touched |= {record.key, record.account}
        touched |= {record.bank} if record.bank else set()
    child = state.fork(touched)
    accounts = cast(dict[int, Account], child.accounts)
    before = set(accounts)
    for sequence, entry in entries:
        kind, debit, credit, amount, _, _ = entry
        if kind <= _WITHDRAWN:
            apply(accounts, entry, sequence)
            child.sequence = sequence
            if debit == CASH:
                child.cash -= amount
            elif credit == CASH:
                child.cash += amount
        elif kind == Kind.NOTED:
            note = noting.replay(child, entry, payloads.get(sequence, b""), sequence)
            child.notes[note.key] = note
        else:
            transfer = moves.replay(child, entry, payloads.get(sequence, b""), sequence)
            child.transfers[transfer.key] = transfer
    _count_clients(state, child, before, clients)
    state.absorb(child)
    return touched


def _count_clients(state: State, child: State, before: set[int], clients: set[int]) -> None:
    """Counts which of the client accounts a followed block opened and closed."""
    for number in clients:
        is_open = number in child.accounts
        if not is_open:
            child.accounts[number] = None
            child.closed.append(number)
        if number in before and not is_open:
            child.clients -= 1
            state.free.give_back(number)
        elif is_open and number not in before:
            child.clients += 1
            state.free.remove(number)
