"""Keyed hashes (HMAC-SHA-256) of short messages, many of them with few secrets."""

import hmac
from functools import lru_cache

# Each use in a bank has a secret of its own, and there are few uses.
_SECRETS_MAX = 32


def keyed_hash(secret: bytes, message: bytes) -> bytes:
    """The 32 bytes that only who knows the secret can make of a message."""
    # `hmac.digest` lets go of the interpreter for each message, and a busy node has other threads
    # that take it: getting it back costs several times as much as the hash.
    begun = _begun(secret).copy()
    begun.update(message)
    return begun.digest()


@lru_cache(_SECRETS_MAX)
def _begun(secret: bytes) -> hmac.HMAC:
    return hmac.new(secret, digestmod="sha256")
