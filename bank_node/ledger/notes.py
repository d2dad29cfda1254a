"""Notes: durable facts about clients that are no money, kept in the journal beside the entries.

A note is a key and a body; a later note of a key replaces the earlier one. What a body means is
the business of the room that writes it. A note may guard an account: from then on money leaves
that account only by operations that say they may. The rules are in `noting.py`. Pure.
"""

from struct import Struct, error
from typing import NamedTuple

import msgspec

from bank_node.errors import CorruptLedger

KEY_BYTES_MAX = 64
BODY_BYTES_MAX = 4096


class Note(NamedTuple):
    """What is known under a key."""

    key: str
    """Has a colon in it, which no key of a transfer has."""
    body: bytes
    is_open: bool
    """Whether it is needed at hand; what is over is found in the journal."""
    guards: int = 0
    """The client account that it guards, for good; 0 for none."""
    previous: int = 0
    """The entry of the note that this one replaces; 0 for none."""
    entry: int = 0
    """The sequence number of the entry that carries it."""


VERSION = b"\x02"
"""The first byte of a note; the record of a transfer begins with another one."""
# Whether it is open, the account, the entry before, and the lengths of key and body.
_NOTE = Struct(">BQQBH")


class ReadNotes(msgspec.Struct, frozen=True):
    """Its result is a tuple: the open note of each key, or None."""

    keys: tuple[str, ...]

    @property
    def touched(self) -> tuple[str, ...]:
        return self.keys


class ReadNote(msgspec.Struct, frozen=True):
    """Its result is the note of a key, open or not."""

    key: str

    @property
    def touched(self) -> tuple[str, ...]:
        return (self.key,)


def encode(note: Note) -> bytes:
    """The canonical form of a note, the payload of the entry that carries it."""
    key, body, is_open, guards, previous, _ = note
    name = key.encode()
    return VERSION + _NOTE.pack(is_open, guards, previous, len(name), len(body)) + name + body


def decode(payload: bytes, entry: int) -> Note:
    """The note that an entry carries. Raises CorruptLedger unless it is in canonical form."""
    try:
        is_open, guards, previous, key_length, _ = _NOTE.unpack_from(payload, 1)
        start = 1 + _NOTE.size
        key = payload[start : start + key_length].decode()
        note = Note(key, payload[start + key_length :], is_open == 1, guards, previous, entry)
        is_canonical = encode(note) == payload
    except (error, UnicodeDecodeError):
        is_canonical = False
    if not is_canonical:
        raise CorruptLedger(f"the note of entry {entry} cannot be read")
    return note
