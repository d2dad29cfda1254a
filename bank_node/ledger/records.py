"""What an entry may carry beyond itself: the record of a transfer, or a note."""

from bank_node.ledger import notes, transfers
from bank_node.ledger.notes import Note
from bank_node.ledger.transfers import Transfer

Record = Transfer | Note


def decode(payload: bytes, entry: int) -> Record:
    """The record that an entry carries. Raises CorruptLedger unless it is in canonical form."""
    read = notes.decode if payload[:1] == notes.VERSION else transfers.decode
    return read(payload, entry)


def encode(record: Record) -> bytes:
    """The canonical form of a record."""
    return notes.encode(record) if isinstance(record, Note) else transfers.encode(record)
