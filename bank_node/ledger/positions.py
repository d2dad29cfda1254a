"""What a journal says of the money between banks, counted from its blocks alone. Pure."""

from collections.abc import Iterable

from bank_node.ledger.entries import bank_of, is_settlement
from bank_node.ledger.journal import Block
from bank_node.ledger.records import decode
from bank_node.ledger.transfers import Transfer
from bank_node.values import BankCode


def positions(blocks: Iterable[Block]) -> dict[BankCode, int]:
    """By bank, what this one owes it; negative when it is owed. Banks at 0 are left out."""
    owed: dict[BankCode, int] = {}
    for block in blocks:
        for _, entry in block.entries():
            for account, amount in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
                if is_settlement(account):
                    bank = bank_of(account)
                    owed[bank] = owed.get(bank, 0) + amount
    return {bank: amount for bank, amount in owed.items() if amount}


def outcomes(blocks: Iterable[Block]) -> dict[str, Transfer]:
    """By key, the last record of every transfer. Raises CorruptLedger."""
    return {
        record.key: record
        for block in blocks
        for entry, payload in block.payloads().items()
        for record in (decode(payload, entry),)
        if isinstance(record, Transfer)
    }
