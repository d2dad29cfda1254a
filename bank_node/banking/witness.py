"""A bank as witness: the signed heads of others, and whether a bank keeps to one history.

Pure: says what to ask a bank, and judges what it answers. Heads are also told of by other
witnesses, so that a bank which shows each of two banks a history of its own is caught when these
two compare. What is worth keeping comes out as documents that anyone can check.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from bank_node.ledger.proofs import (
    Consistency,
    ProofRefused,
    SignedHead,
    TwoHistories,
    check_document,
    parse_document,
)
from bank_node.values import BankCode

BANKS_MAX = 65_536


class Fault(Enum):
    """What a bank has done wrong."""

    TWO_HISTORIES = "two histories"
    """It signed two ledgers of one size; there is evidence."""
    SHRUNK = "shrunk"
    """It has fewer blocks than it once signed."""
    NOT_PROVEN = "not proven"
    """What it answered does not prove what it was asked for."""


class Finding(NamedTuple):
    """Something that a witness has found out, for the log and for the operator."""

    bank: BankCode
    fault: Fault
    text: str
    evidence: TwoHistories | None = None


class Record(Struct, frozen=True):
    """What is kept of one bank."""

    kept: SignedHead | None = None
    """The latest head that is proven to continue the ones before it."""
    heard: SignedHead | None = None
    """A head that another witness told of, to be proven at the next visit."""


class Witness:
    """The heads of other banks. Belongs to one thread; what is read is replaced, never changed."""

    def __init__(self, records: Iterable[tuple[BankCode, Record]] = ()) -> None:
        self._records = dict(records)

    def head_of(self, bank: BankCode) -> SignedHead | None:
        """The latest head of a bank that was proven."""
        record = self._records.get(bank)
        return record.kept if record else None

    def records(self) -> dict[BankCode, Record]:
        """Everything that is kept."""
        return self._records

    def question(self, bank: BankCode) -> str:
        """What to ask a bank: its head, or the proof that it continues what it signed before."""
        sizes = sorted(_sizes(self._records.get(bank, Record())))
        return " ".join(("LC", *map(str, sizes))) if sizes else "LH"

    def answered(self, bank: BankCode, key: str, reply: str) -> Finding | None:
        """Judges a bank's reply to the question, or to `LH`; `key` is the pinned one.

        A refusal alone is no fault, the bank may be busy: then it should be asked for `LH`.
        """
        record = self._records.get(bank, Record())
        code, _, text = reply.partition(" ")
        if code.upper() not in ("LH", "LC"):
            return None
        try:
            document = parse_document(text)
            check_document(document, key)
        except ProofRefused as error:
            # The heads in it may be true all the same, and then they convict.
            found = self._compared(bank, record, _heads(text, key))
            return found or Finding(bank, Fault.NOT_PROVEN, f"{bank}: {error}")
        heads = _heads_of(document)
        if any(head.bank != bank for head in heads) or not heads:
            return Finding(bank, Fault.NOT_PROVEN, f"{bank} tells of another bank")
        found = self._compared(bank, record, heads) or _shrunk(bank, record, heads)
        # A head alone does not continue anything, unless nothing is known before it.
        if found is None and (len(heads) == 2 or not _sizes(record)):
            self._take(bank, record, heads)
        return found

    def told(self, bank: BankCode, key: str, text: str) -> Finding | None:
        """Another witness tells of a head of `bank`; `key` is the pinned one of that bank.

        What is not signed with that key is ignored: anybody can tell lies about others.
        """
        heads = [head for head in _heads(text, key) if head.bank == bank]
        if not heads or (bank not in self._records and len(self._records) >= BANKS_MAX):
            return None
        record = self._records.get(bank, Record())
        found = self._compared(bank, record, heads)
        if found is None and (record.kept is None or record.kept.size != heads[0].size):
            self._put(bank, replace(record, heard=heads[0]))
        return found

    def _compared(
        self, bank: BankCode, record: Record, heads: Iterable[SignedHead]
    ) -> Finding | None:
        """The evidence, if one of these signed heads contradicts one that is known."""
        for known in (record.kept, record.heard):
            for head in heads:
                same = known is not None and (head.bank, head.key) == (known.bank, known.key)
                if known is None or not same:
                    continue
                if head.size == known.size and head.root != known.root:
                    text = f"{bank} has signed two different ledgers of {head.size} blocks"
                    return Finding(bank, Fault.TWO_HISTORIES, text, TwoHistories(known, head))
        return None

    def _take(self, bank: BankCode, record: Record, heads: list[SignedHead]) -> None:
        """Keeps the latest of heads that were proven together."""
        latest = max((*heads, *filter(None, (record.kept,))), key=lambda head: head.size)
        heard = record.heard
        sizes = {head.size for head in heads}
        if heard is not None and heard.size in sizes:
            heard = None
        if bank in self._records or len(self._records) < BANKS_MAX:
            self._put(bank, Record(latest, heard))

    def _put(self, bank: BankCode, record: Record) -> None:
        self._records = {**self._records, bank: record}


def _sizes(record: Record) -> set[int]:
    """How many blocks the ledgers had that are known; an empty one has nothing to be proven."""
    return {head.size for head in (record.kept, record.heard) if head and head.size}


def _shrunk(bank: BankCode, record: Record, heads: list[SignedHead]) -> Finding | None:
    shown, signed = max(head.size for head in heads), max(_sizes(record), default=0)
    if shown >= signed:
        return None
    text = f"{bank} has signed a ledger of {signed} blocks and now shows one of {shown}"
    return Finding(bank, Fault.SHRUNK, text)


def _heads_of(document: object) -> list[SignedHead]:
    if isinstance(document, SignedHead):
        return [document]
    return [document.first, document.second] if isinstance(document, Consistency) else []


def _heads(text: str, key: str) -> list[SignedHead]:
    """The heads in a document that are signed with a key, whatever the document as a whole is."""
    try:
        heads = _heads_of(parse_document(text))
    except ProofRefused:
        return []
    return [head for head in heads if _is_signed(head, key)]


def _is_signed(head: SignedHead, key: str) -> bool:
    try:
        check_document(head, key)
    except ProofRefused:
        return False
    return True
