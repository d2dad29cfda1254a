"""The key that a bank signs with, and the check of what others signed (Ed25519, RFC 8032).

Keys and signatures travel as base64url text without padding. The library behind them is loaded
at the first signature, because a start should not wait for it.
"""

import hmac
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from bank_node.errors import StartupError
from bank_node.security.files import others_may_read, write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SEED_BYTES = 32
"""Bytes of chance that a key is made of."""
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64

_FILE_BYTES_MAX = 1024
_KIND = "ed25519"
# Verifying costs a fifth more where the key has to be taken apart first.
_KEYS_AT_HAND = 1024


class Identity:
    """A bank's key pair."""

    def __init__(self, seed: bytes, key: str) -> None:
        """`seed` is the secret, `key` the public key as text that belongs to it."""
        self.key = key
        self._seed = seed
        self._private: Ed25519PrivateKey | None = None
        self._lock = Lock()

    def sign(self, message: bytes) -> str:
        """The signature of a message, as text. From any thread."""
        with self._lock:
            if self._private is None:
                self._private = _private_key(self._seed)
            return to_text(self._private.sign(message))

    def derive(self, use: str) -> bytes:
        """A secret of 32 bytes for one use, the same on every node that has this key.

        From it neither the key nor the secret of another use can be told.
        """
        return hmac.digest(self._seed, b"p2p-bank-node 1 " + use.encode(), "sha256")


def is_signed(message: bytes, signature: str, key: str) -> bool:
    """Whether the owner of a public key signed a message; False for texts that are neither."""
    from cryptography.exceptions import InvalidSignature

    signed = from_text(signature, _SIGNATURE_BYTES)
    public = _public_key(key)
    if signed is None or public is None:
        return False
    try:
        public.verify(signed, message)
    except InvalidSignature:
        return False
    return True


def fingerprint(key: str) -> str:
    """What people compare of a public key, as SSH writes it: `SHA256:` and 43 characters."""
    return "SHA256:" + b64encode(sha256(urlsafe_b64decode(key + "=")).digest()).decode().rstrip("=")


def is_key(text: str) -> bool:
    """Whether a text has the form of a public key."""
    return from_text(text, _KEY_BYTES) is not None


def new_identity(seed: bytes) -> Identity:
    """The key pair that belongs to SEED_BYTES of chance."""
    return Identity(seed, _public_text(seed))


def obtain_identity(path: Path, new_seed: Callable[[], bytes]) -> Identity:
    """The key pair in a file, which is made at the first start.

    Raises StartupError when it cannot be read or written, when others may read it, and when what
    it holds is no key: a bank that quietly changed its key would be refused by all others.
    """
    try:
        if path.exists():
            return read_identity(path)
        made = new_identity(new_seed())
        write_private(path, f"{_KIND} {to_text(made._seed)} {made.key}\n".encode("ascii"))
        return made
    except OSError as error:
        raise StartupError(f"the key of the bank, {path}: {error.strerror}") from None


def read_identity(path: Path) -> Identity:
    """The key pair in a file. Raises StartupError."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX).decode("ascii", "replace")
        exposed = others_may_read(path)
    except OSError as error:
        raise StartupError(f"the key of the bank, {path}: {error.strerror}") from None
    if exposed:
        raise StartupError(f"others may read the key of the bank, say: chmod 600 {path}")
    words = text.split()
    seed = from_text(words[1], SEED_BYTES) if len(words) == 3 and words[0] == _KIND else None
    if seed is None or not is_key(words[2]):
        raise StartupError(f"{path} does not hold the key of a bank, put the right one back")
    return Identity(seed, words[2])


def to_text(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text: str, size: int) -> bytes | None:
    """The `size` bytes that a text stands for; None if it is not exactly their text."""
    if not text.isascii() or len(text) != (size * 4 + 2) // 3:
        return None
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Decoding forgives foreign characters and stray bits, a signature must have one form only.
    return data if to_text(data) == text else None


def _private_key(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def _public_text(seed: bytes) -> str:
    return to_text(_private_key(seed).public_key().public_bytes_raw())


@lru_cache(maxsize=_KEYS_AT_HAND)
def _public_key(text: str) -> "Ed25519PublicKey | None":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    data = from_text(text, _KEY_BYTES)
    return Ed25519PublicKey.from_public_bytes(data) if data is not None else None
