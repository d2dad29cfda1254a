"""What happened to an account, newest first: its chain of entries, read back from the journal."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bank_node.errors import CorruptLedger
from bank_node.ledger.entries import Account, Kind
from bank_node.ledger.journal import Block
from bank_node.ledger.transfers import Transfer, decode

# An account may have millions of entries; whoever wants older ones than these reads the export.
STEPS_MAX = 2_000


class Line(NamedTuple):
    """One entry as its account sees it. `amount` is negative when money left."""

    entry: int
    time_us: int
    kind: Kind
    amount: int
    balance: int
    """What the account held after it."""
    transfer: Transfer | None


def history(
    account: Account, block_of: Callable[[int], Block | None], count: int, before: int | None
) -> Iterator[Line]:
    """At most `count` entries of a client account, newest first, those before entry `before`.

    Entries that lie more than STEPS_MAX back are not reached.
    """
    number, balance, sequence = account
    block: Block | None = None
    payloads: dict[int, bytes] = {}
    for _ in range(STEPS_MAX):
        if not sequence or not count:
            return
        if block is None or not block.first_entry <= sequence <= block.last_entry:
            block = block_of(sequence)
            if block is None:
                raise CorruptLedger(f"entry {sequence} of account {number} is missing")
            payloads = block.payloads()
        entry = block.entry(sequence)
        amount = entry.amount if entry.credit == number else -entry.amount
        if before is None or sequence < before:
            payload = payloads.get(sequence)
            transfer = decode(payload, sequence) if payload else None
            yield Line(sequence, block.time_us, Kind(entry.kind), amount, balance, transfer)
            count -= 1
        balance -= amount
        sequence = entry.credit_previous if entry.credit == number else entry.debit_previous
