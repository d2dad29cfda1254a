"""What is signed: values as bytes that can be read in one way only.

A domain goes first, so that a signature given for one purpose is worth nothing for another; every
value carries its type and its length, so that no two lists of values give the same bytes.
"""

from struct import Struct

_PART = Struct(">cI")
_NUMBER = Struct(">Q")
_EDITION = b"p2p-bank-node 1"


def canonical(domain: str, *values: bytes | str | int) -> bytes:
    """The bytes to sign for a purpose. Numbers are 0..2**64-1, else OverflowError."""
    parts = [_part(b"d", _EDITION), _part(b"d", domain.encode())]
    parts += [_encoded(value) for value in values]
    return b"".join(parts)


def _encoded(value: bytes | str | int) -> bytes:
    if isinstance(value, bytes):
        return _part(b"b", value)
    if isinstance(value, str):
        return _part(b"s", value.encode())
    if not 0 <= value < 2**64:
        raise OverflowError("the number does not fit into 64 bits")
    return _part(b"n", _NUMBER.pack(value))


def _part(kind: bytes, data: bytes) -> bytes:
    return _PART.pack(kind, len(data)) + data
