"""Proofs as documents: what a bank says of its ledger, in a form that anyone can check offline.

The log of a bank is the RFC 6962 tree over the headers of its blocks; the tree of a block's
entries has its root in the header. Pure. protocol.md, section 10, is the specification.
"""

from collections.abc import Sequence
from struct import error as StructError
from typing import Annotated, NamedTuple

from msgspec import DecodeError as MsgspecDecodeError
from msgspec import Meta, Struct, ValidationError
from msgspec import json as msgspec_json

from bank_node.errors import BankError, CorruptLedger, Refused
from bank_node.ledger.book import ENTRY, Entry
from bank_node.ledger.journal import Header
from bank_node.ledger.merkle import is_consistent, leaf_hash, root_by_inclusion
from bank_node.ledger.transfers import Transfer, decode
from bank_node.security.canonical import canonical
from bank_node.security.identity import Identity, is_signed
from bank_node.values import parse_bank_code

HEAD_DOMAIN = "signed head"
DOCUMENT_BYTES_MAX = 65_536
"""Longer than any honest proof: a path has at most 64 steps."""
_STEPS_MAX = 64

_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z")]
_Record = Annotated[str, Meta(pattern="^([0-9a-f]{2})+\\Z", max_length=4096)]
_Path = Annotated[list[_Hash], Meta(max_length=_STEPS_MAX)]
_Text = Annotated[str, Meta(max_length=86)]


class ProofRefused(BankError):
    """A document proves nothing; `str(error)` says why."""


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """A document: unknown fields are refused, because nobody would know what they claim."""


class SignedHead(_Strict, frozen=True, tag="signed head"):
    """A bank says: the first `size` blocks of my ledger have this root."""

    bank: _Text
    epoch: _Number
    """The term of office of the node that signs: 1, and one more at each take-over."""
    size: _Number
    root: _Hash
    time_us: _Number
    """When it was signed."""
    key: _Text
    signature: _Text


class BlockHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """The header of a block, as `journal.Header` has it."""

    height: _Number
    previous_hash: _Hash
    root: _Hash
    time_us: _Number
    first_entry: _Number
    entry_count: _Number


class Inclusion(_Strict, frozen=True, tag="inclusion"):
    """An entry is in the ledger that a signed head stands for."""

    head: SignedHead
    block: BlockHeader
    block_path: _Path
    """From the block to the root of the head."""
    entry: _Number
    record: _Record
    """The entry in canonical form."""
    entry_path: _Path
    """From the entry to the root of the block."""


class Consistency(_Strict, frozen=True, tag="consistency"):
    """The ledger of the second head begins with the ledger of the first one."""

    first: SignedHead
    second: SignedHead
    path: _Path


class TwoHistories(_Strict, frozen=True, tag="two histories"):
    """A bank has signed two different ledgers of the same size: it has lied to somebody."""

    first: SignedHead
    second: SignedHead


Document = SignedHead | Inclusion | Consistency | TwoHistories


class Proven(NamedTuple):
    """An entry that is proven to be in a ledger, and the time of its block."""

    sequence: int
    entry: Entry
    time_us: int
    transfer: Transfer | None
    """The record of the transfer that the entry is about."""


def sign_head(
    identity: Identity, bank: str, epoch: int, size: int, root: bytes, time_us: int
) -> SignedHead:
    """What a bank says of its ledger."""
    signature = identity.sign(_head_bytes(bank, epoch, size, root, time_us, identity.key))
    return SignedHead(bank, epoch, size, root.hex(), time_us, identity.key, signature)


def header_document(header: Header) -> BlockHeader:
    """A block's header as part of a document."""
    return BlockHeader(
        header.height,
        header.previous_hash.hex(),
        header.root.hex(),
        header.time_us,
        header.first_entry,
        header.entry_count,
    )


def path_document(path: Sequence[bytes]) -> list[str]:
    return [step.hex() for step in path]


def to_json(document: Document) -> str:
    """A document on one line."""
    return msgspec_json.encode(document).decode()


def parse_document(text: bytes | str) -> Document:
    """A document from JSON. Raises ProofRefused."""
    if len(text) > DOCUMENT_BYTES_MAX:
        raise ProofRefused("it is too long to be a proof")
    try:
        document: Document = msgspec_json.decode(text, type=Document)
        return document
    except (MsgspecDecodeError, ValidationError, UnicodeError, RecursionError) as error:
        raise ProofRefused(f"it is not a proof: {error}") from None


def check_document(document: Document, key: str | None = None) -> Proven | None:
    """Proves a document, and which entry it is about if it is about one. Raises ProofRefused.

    Without a `key` a bank's signature is only known to fit the key that the document itself
    names; with it, every signature must be of that key.
    """
    if isinstance(document, SignedHead):
        check_head(document, key)
        return None
    if isinstance(document, Inclusion):
        return check_inclusion(document, key)
    if isinstance(document, Consistency):
        check_consistency(document, key)
        return None
    check_two_histories(document, key)
    return None


def check_head(head: SignedHead, key: str | None = None) -> None:
    """Proves that a head is signed by its bank. Raises ProofRefused."""
    try:
        parse_bank_code(head.bank.encode())
    except Refused:
        raise ProofRefused(f"{head.bank!r} is no bank") from None
    if key is not None and head.key != key:
        raise ProofRefused(f"it is signed with the key {head.key}, which is not the right one")
    root = bytes.fromhex(head.root)
    message = _head_bytes(head.bank, head.epoch, head.size, root, head.time_us, head.key)
    if not is_signed(message, head.signature, head.key):
        raise ProofRefused(f"the signature of the bank {head.bank} does not fit")


def check_inclusion(proof: Inclusion, key: str | None = None) -> Proven:
    """Proves that an entry is in the ledger of a signed head. Raises ProofRefused."""
    check_head(proof.head, key)
    block = proof.block
    record = bytes.fromhex(proof.record)
    place = proof.entry - block.first_entry
    root = root_by_inclusion(
        leaf_hash(record), place, block.entry_count, [bytes.fromhex(s) for s in proof.entry_path]
    )
    if root is None or root.hex() != block.root:
        raise ProofRefused(f"entry {proof.entry} is not in block {block.height}")
    root = root_by_inclusion(
        leaf_hash(_packed(block)),
        block.height - 1,
        proof.head.size,
        [bytes.fromhex(step) for step in proof.block_path],
    )
    if root is None or root.hex() != proof.head.root:
        raise ProofRefused(f"block {block.height} is not in the ledger that was signed")
    if len(record) < ENTRY.size:
        raise ProofRefused(f"entry {proof.entry} is of a kind that this program does not know")
    entry, payload = Entry._make(ENTRY.unpack_from(record)), record[ENTRY.size :]
    try:
        transfer = decode(payload, proof.entry) if payload else None
    except CorruptLedger:
        raise ProofRefused(
            f"entry {proof.entry} is of a kind that this program does not know"
        ) from None
    return Proven(proof.entry, entry, block.time_us, transfer)


def check_consistency(proof: Consistency, key: str | None = None) -> None:
    """Proves that one signed ledger begins with another. Raises ProofRefused."""
    first, second = proof.first, proof.second
    _check_pair(first, second, key)
    if not is_consistent(
        first.size,
        bytes.fromhex(first.root),
        second.size,
        bytes.fromhex(second.root),
        [bytes.fromhex(step) for step in proof.path],
    ):
        raise ProofRefused(
            f"the ledger of {second.size} blocks does not begin with that of {first.size}"
        )


def check_two_histories(evidence: TwoHistories, key: str | None = None) -> None:
    """Proves that a bank has signed two ledgers of one size. Raises ProofRefused."""
    first, second = evidence.first, evidence.second
    _check_pair(first, second, key)
    if first.size != second.size:
        raise ProofRefused("the two heads are of different sizes, both may be true")
    if first.root == second.root:
        raise ProofRefused("the two heads are of the same ledger")


def _check_pair(first: SignedHead, second: SignedHead, key: str | None) -> None:
    if first.bank != second.bank or first.key != second.key:
        raise ProofRefused("the two heads are not of the same bank and key")
    check_head(first, key)
    check_head(second, key)


def _packed(block: BlockHeader) -> bytes:
    header = Header(
        block.height,
        bytes.fromhex(block.previous_hash),
        bytes.fromhex(block.root),
        block.time_us,
        block.first_entry,
        block.entry_count,
    )
    try:
        return header.packed()
    except StructError:
        raise ProofRefused(f"no block has the header of block {block.height}") from None


def _head_bytes(bank: str, epoch: int, size: int, root: bytes, time_us: int, key: str) -> bytes:
    return canonical(HEAD_DOMAIN, bank, epoch, size, root, time_us, key)
