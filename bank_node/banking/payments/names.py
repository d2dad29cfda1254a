"""The names that a bank gives: its handle, MMIDs, ids of payments, merchants' tokens. Pure.

What must not be guessed is made with the bank's secret; whoever holds such a name proves nothing
but that the bank gave it out.
"""

import hmac
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import Vpa
from bank_node.security.identity import from_text, to_text
from bank_node.security.keyed import keyed_hash
from bank_node.values import BankCode

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# 26 ** 7 is the first power above 2 ** 32, so every address has a name of its own.
_HANDLE_LETTERS = 7

# Addresses that would be taken for the bank itself.
_RESERVED = frozenset(
    Vpa(name, "x").skeleton
    for name in ("admin", "administrator", "bank", "help", "helpdesk", "info", "operator",
                 "payments", "refund", "refunds", "security", "service", "support", "system",
                 "upi")
)  # fmt: skip

RRN_DIGITS = 12
_TAG_BYTES = 16
_BODY = Struct(">II")
_VERSION = b"\x01"
_LISTENING = b"\x02"
_TOKEN_BYTES = len(_VERSION) + _TAG_BYTES + _BODY.size


def is_reserved(vpa: Vpa) -> bool:
    """Whether a client with this address would be taken for the bank itself."""
    return vpa.skeleton in _RESERVED or vpa.skeleton == likeness(vpa.handle)


def likeness(handle: str) -> str:
    """What all handles have in common that are taken for this one at a glance."""
    return Vpa(handle, handle).skeleton


class Merchant(NamedTuple):
    """What a merchant's token stands for."""

    account: int
    serial: int
    """Grows when the token is replaced, so that the old one is worth nothing."""


def default_handle(code: BankCode) -> str:
    """The handle of a bank that chose none: its address in letters."""
    number = 0
    for octet in code.split("."):
        number = number * 256 + int(octet)
    letters = []
    for _ in range(_HANDLE_LETTERS):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(reversed(letters))


def mmid_of(code: BankCode, place: int) -> str:
    """A 7-digit MMID: 4 digits for the bank, 3 for the place of an account under its number."""
    bank = int.from_bytes(sha256(code.encode()).digest()[:4], "big") % 10_000
    return f"{bank:04}{place:03}"


def prefix_of(handle: str) -> str:
    """The 3 capitals that begin the ids of a provider's payments."""
    return handle[:3].upper().ljust(3, "X")


def payment_id(secret: bytes, handle: str, account: int, reference: str) -> str:
    """The 35-character id of the payment that an account's owner calls `reference`.

    The same reference gives the same id, and nobody else can tell which.
    """
    digest = keyed_hash(secret, f"payment {account} {reference}".encode())
    return prefix_of(handle) + digest[:16].hex()


def rrn_of(entry: int) -> str:
    """The 12-digit retrieval number of a payment: where in the ledger of the payer's bank it is."""
    return str(entry).rjust(RRN_DIGITS, "0")


def make_vmid(secret: bytes, merchant: Merchant) -> str:
    """A merchant's token: opaque, authenticated, of a known version."""
    return _sealed(secret, _VERSION, merchant)


def open_vmid(secret: bytes, token: str) -> Merchant:
    """What a token stands for. Raises Refused(NO_SUCH_MERCHANT) for one that is not the bank's."""
    fields = _opened(secret, _VERSION, token)
    if fields is None:
        raise Refused(Reason.NO_SUCH_MERCHANT)
    return Merchant._make(fields)


class Listener(NamedTuple):
    """What a token to listen with stands for."""

    account: int
    until_s: int
    """Until when it is good, seconds since 1970."""


def make_listener(secret: bytes, listener: Listener) -> str:
    """A token to listen with, in the form of a merchant's."""
    return _sealed(secret, _LISTENING, listener)


def open_token(secret: bytes, token: str) -> Merchant | Listener | None:
    """What a token of either kind stands for; None for one that is not the bank's."""
    for version, kind in ((_VERSION, Merchant), (_LISTENING, Listener)):
        body = _opened(secret, version, token)
        if body is not None:
            return kind._make(body)
    return None


def _sealed(secret: bytes, version: bytes, fields: tuple[int, int]) -> str:
    body = _BODY.pack(*fields)
    tag = keyed_hash(secret, b"vmid tag" + version + body)[:_TAG_BYTES]
    return to_text(version + tag + _hidden(secret, tag, body))


def _opened(secret: bytes, version: bytes, token: str) -> tuple[int, int] | None:
    data = from_text(token, _TOKEN_BYTES)
    if data is None or data[:1] != version:
        return None
    tag, hidden = data[1 : 1 + _TAG_BYTES], data[1 + _TAG_BYTES :]
    body = _hidden(secret, tag, hidden)
    expected = keyed_hash(secret, b"vmid tag" + version + body)[:_TAG_BYTES]
    first, second = _BODY.unpack(body)
    return (first, second) if hmac.compare_digest(tag, expected) else None


def _hidden(secret: bytes, tag: bytes, body: bytes) -> bytes:
    """The body under a stream of bits that only the secret and this very tag make."""
    stream = keyed_hash(secret, b"vmid body" + tag)
    return bytes(a ^ b for a, b in zip(body, stream, strict=False))
