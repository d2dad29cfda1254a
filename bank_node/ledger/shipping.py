"""Blocks on their way to a follower: as bytes, in signed deliveries, asked for by signed requests.

Pure. Both sides have the key of the bank. A request carries the number that the delivery before
it gave out, so that no recorded request brings anybody else newer blocks.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from struct import Struct
from struct import error as StructError
from typing import Annotated, NamedTuple

import msgspec

from bank_node.errors import CorruptLedger
from bank_node.ledger.journal import Block, Head
from bank_node.security.canonical import canonical
from bank_node.security.identity import Identity, is_signed

_REQUEST = "follower's request"
_DELIVERY = "leader's delivery"

DELIVERY_BYTES_MAX = 512 * 1024
"""So many bytes of blocks go into one delivery, unless the first block alone has more."""
DELIVERY_BLOCKS_MAX = 1024

# Height, hash before, root, time, first entry, hash; the lengths of entries and of attachments.
_BLOCK = Struct(">Q32s32sQQ32sII")
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Request(NamedTuple):
    """A follower asks for what comes after the blocks that it has on disk."""

    node: str
    """The name of the follower."""
    epoch: int
    height: int
    """Everything up to this block is on the follower's disk."""
    hash: str
    """Of the block at this height, in hexadecimal."""
    number: int
    """From the delivery before; 0 at first, which brings nothing but a number."""
    serving: str
    """Where the follower serves, `host:port`."""

    def signature(self, identity: Identity, bank: str) -> str:
        return identity.sign(canonical(_REQUEST, bank, *self))

    def is_signed(self, bank: str, key: str, signature: str) -> bool:
        return is_signed(canonical(_REQUEST, bank, *self), signature, key)


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to a request. All of it but the signature is signed, with the request's number."""

    epoch: _Number
    number: _Number
    """For the next request."""
    height: _Number
    """Of the leader's last block."""
    blocks: str = ""
    """Packed blocks in base64."""
    signature: str = ""

    def signed(self, identity: Identity, bank: str, request: Request) -> "Delivery":
        signature = identity.sign(self._bytes(bank, request))
        return msgspec.structs.replace(self, signature=signature)

    def is_signed(self, bank: str, key: str, request: Request) -> bool:
        return is_signed(self._bytes(bank, request), self.signature, key)

    def _bytes(self, bank: str, request: Request) -> bytes:
        answered = (request.node, request.number, request.height)
        told = (self.epoch, self.number, self.height, self.blocks)
        return canonical(_DELIVERY, bank, *answered, *told)


def parse_delivery(text: str | bytes) -> Delivery | None:
    """A delivery from its JSON; None if it is none."""
    try:
        return msgspec.json.decode(text, type=Delivery)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def pack(blocks: Iterable[Block]) -> str:
    """Blocks as one text, as many as fit into a delivery."""
    packed: list[bytes] = []
    size = 0
    for block in blocks:
        data = _packed(block)
        size += len(data)
        if packed and (size > DELIVERY_BYTES_MAX or len(packed) == DELIVERY_BLOCKS_MAX):
            break
        packed.append(data)
    return b64encode(b"".join(packed)).decode("ascii")


def unpack(text: str) -> Sequence[Block]:
    """The blocks in a text. Raises CorruptLedger if it is no such text."""
    try:
        data = b64decode(text, validate=True)
        blocks, at = [], 0
        while at < len(data):
            height, before, root, time, first, own, length, more = _BLOCK.unpack_from(data, at)
            start, middle = at + _BLOCK.size, at + _BLOCK.size + length
            at = middle + more
            if at > len(data):
                raise CorruptLedger("the delivered blocks are cut")
            body, attached = data[start:middle], data[middle:at]
            blocks.append(Block(height, before, root, time, first, body, own, attached))
    except (Base64Error, StructError, ValueError) as error:
        raise CorruptLedger(f"the delivered blocks cannot be read: {error}") from None
    return blocks


def continues(head: Head, request: Request) -> bool:
    """Whether a request's last block is this one."""
    return (head.height, head.hash.hex()) == (request.height, request.hash)


def _packed(block: Block) -> bytes:
    return (
        _BLOCK.pack(
            block.height,
            block.previous_hash,
            block.root,
            block.time_us,
            block.first_entry,
            block.hash,
            len(block.body),
            len(block.attached),
        )
        + block.body
        + block.attached
    )
