"""The key that signs codes to scan: ECDSA over P-256 with SHA-256, as scanners of pay URIs expect.

Signatures are DER in base64, public keys the compressed point in base64url. The library behind
them is loaded at the first signature, because a start should not wait for it.
"""

from base64 import b64decode, b64encode
from binascii import Error
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from bank_node.security.identity import from_text, to_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

_POINT_BYTES = 33
_SIGNATURE_BYTES_MAX = 72
_KEYS_AT_HAND = 1024
# The order of P-256 less one: private keys are 1 .. this.
_KEYS = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550


class CodeKey:
    """A bank's key pair for the codes of its merchants, made of 32 secret bytes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._private: EllipticCurvePrivateKey | None = None

    @cached_property
    def public(self) -> str:
        """The public key as text."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        point = self._key().public_key()
        return to_text(point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))

    def sign(self, message: bytes) -> str:
        """The signature of a message. From any thread."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        return b64encode(self._key().sign(message, ECDSA(SHA256()))).decode("ascii")

    def _key(self) -> "EllipticCurvePrivateKey":
        if self._private is None:
            from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

            scalar = int.from_bytes(self._seed, "big") % _KEYS + 1
            self._private = derive_private_key(scalar, SECP256R1())
        return self._private


def is_signed_code(message: bytes, signature: str, key: str) -> bool:
    """Whether the owner of a public key signed a message; False for texts that are neither."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    public = _public_key(key)
    try:
        signed = b64decode(signature, validate=True)
        # Base64 with stray bits is a second spelling of the same signature.
        if public is None or b64encode(signed).decode() != signature:
            return False
        if len(signed) > _SIGNATURE_BYTES_MAX:
            return False
        public.verify(signed, message, ECDSA(SHA256()))
    except (Error, ValueError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=_KEYS_AT_HAND)
def _public_key(text: str) -> "EllipticCurvePublicKey | None":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    data = from_text(text, _POINT_BYTES)
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data) if data else None
    except ValueError:
        return None
