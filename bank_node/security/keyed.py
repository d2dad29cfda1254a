"""Keyed hashes (HMAC-SHA-256, RFC 2104) of short messages, many of them with few secrets."""

from functools import lru_cache
from hashlib import sha256
from typing import Any

# Each use in a bank has a secret of its own, and there are few uses.
_SECRETS_MAX = 32
_BLOCK_BYTES = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def keyed_hash(secret: bytes, message: bytes) -> bytes:
    """The 32 bytes that only who knows the secret can make of a message."""
    # `hmac.digest` lets go of the interpreter for each message, and a busy node has other threads
    # that take it: getting it back costs several times as much as the hash. An object of `hmac`
    # that is copied costs four times as much as the two hashes which it stands for.
    begun, ended = _begun(secret)
    inner, outer = begun.copy(), ended.copy()
    inner.update(message)
    outer.update(inner.digest())
    digest: bytes = outer.digest()
    return digest


@lru_cache(_SECRETS_MAX)
def _begun(secret: bytes) -> tuple[Any, Any]:
    """The two hashes of a secret, as far as every message has them in common."""
    key = (secret if len(secret) <= _BLOCK_BYTES else sha256(secret).digest()).ljust(
        _BLOCK_BYTES, b"\0"
    )
    return sha256(key.translate(_INNER)), sha256(key.translate(_OUTER))
