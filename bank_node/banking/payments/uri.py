"""The `upi://pay?...` address that a code to scan carries: built, parsed, signed, verified. Pure.

A scanned text comes from anybody, so everything that could be read in two ways is refused. What
is signed is the text itself up to `&sign=`; who may sign for an address is the caller's business.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from bank_node.errors import Reason, Refused
from bank_node.protocol.payment_values import TEXT_CHARACTERS_MAX, Vpa, parse_vpa
from bank_node.values import AMOUNT_MAX

URI_BYTES_MAX = 2048
"""More does not fit into a code that a camera reads."""
UNITS = 100
"""Units of the ledger in one unit of currency: amounts in a URI have two decimals."""

NOT_A_MERCHANT = "0000"
MODE_QR = "01"
MODE_SECURE_QR = "02"
MODE_DYNAMIC_SECURE_QR = "16"
_MODES = frozenset(("00", "01", "02", "03", "04", "05", "11", "13", "15", "16"))
_SECURE_MODES = frozenset(("02", "05", "13"))

_SIGN = "&sign="
_KEYS_MAX = 40
_PREFIX = re.compile(r"upi://pay\?", re.IGNORECASE)
# Two decimals at most, no sign, no exponent, no leading zeros: one amount has few spellings.
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,16})(?:\.([0-9]{1,2}))?")
_CODE4 = re.compile(r"[0-9]{4}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,35}")
_KEY = re.compile(r"[A-Za-z]{1,16}")
# Percent signs that introduce no byte would be read differently by different parsers.
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class UriRefused(Refused):
    """A text that must not be paid; `part` is the part of it that is wrong, `why` says how."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(Reason.URI_REFUSED, part=part)
        self.part = part
        self.why = why


class PayUri(NamedTuple):
    """What a pay URI says. Amounts in units of the ledger, None where it leaves them open."""

    payee: Vpa
    name: str = ""
    category: str = NOT_A_MERCHANT
    amount: int | None = None
    amount_min: int | None = None
    currency: str = ""
    """ISO 4217; empty where the payee's bank is to say."""
    reference: str = ""
    payment_id: str = ""
    note: str = ""
    mode: str = MODE_QR
    expires_us: int | None = None
    signature: str = ""
    """Base64; empty when it is not signed."""
    signed: str = ""
    """The text that the signature is over."""

    def allows(self, amount: int) -> bool:
        """Whether this amount may be paid."""
        if self.amount_min is not None:
            return self.amount_min <= amount <= (self.amount or AMOUNT_MAX)
        return self.amount in (None, amount)


def build(uri: PayUri, sign: Callable[[bytes], str] | None = None) -> str:
    """The text of a pay URI; `sign` gives the base64 of a signature over what it is handed.

    Raises UriRefused if it would be too long.
    """
    fields = [
        ("pa", str(uri.payee)),
        ("pn", uri.name),
        ("mc", uri.category),
        ("tid", uri.payment_id),
        ("tr", uri.reference),
        ("tn", uri.note),
        ("am", "" if uri.amount is None else to_decimal(uri.amount)),
        ("mam", "" if uri.amount_min is None else to_decimal(uri.amount_min)),
        ("cu", uri.currency),
        ("mode", uri.mode),
        ("qrexpire", "" if uri.expires_us is None else _to_time(uri.expires_us)),
    ]
    text = "upi://pay?" + "&".join(
        f"{key}={quote(value, safe='@')}" for key, value in fields if value
    )
    if sign is not None:
        text += _SIGN + quote(sign(text.encode("ascii")), safe="")
    if len(text) > URI_BYTES_MAX:
        raise UriRefused("upi", "it is too long")
    return text


def parse(text: str) -> PayUri:
    """What a scanned text says. Raises UriRefused; the signature is not looked into here."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UriRefused("upi", "it holds characters that must be written as %XX")
    if len(text) > URI_BYTES_MAX:
        raise UriRefused("upi", "it is too long")
    start = _PREFIX.match(text)
    if start is None:
        raise UriRefused("upi", "it does not begin with upi://pay?")
    given = _fields(text[start.end() :])
    signature = given.pop("sign", "")
    signed = ""
    if signature:
        signed, mark, last = text.rpartition("&")
        if not mark or not last[:5].lower() == "sign=":
            raise UriRefused("sign", "something follows the signature")
    elif given.get("mode") in _SECURE_MODES:
        raise UriRefused("sign", "its signature is missing")
    return _checked(given)._replace(signature=signature, signed=signed)


def _fields(query: str) -> dict[str, str]:
    """Keys in lower case and their values; a key that appears twice is refused."""
    if "#" in query or _BAD_PERCENT.search(query):
        raise UriRefused("upi", "it is badly written")
    found: dict[str, str] = {}
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not equals or not _KEY.fullmatch(key):
            raise UriRefused("upi", "it is badly written")
        if key.lower() in found:
            raise UriRefused(key.lower(), f"{key.lower()} appears twice")
        # A plus sign is one: scanners disagree on whether it is a blank, so we write %20.
        try:
            found[key.lower()] = unquote_to_bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            raise UriRefused(key.lower(), f"{key.lower()} is not text") from None
        if len(found) > _KEYS_MAX:
            raise UriRefused("upi", "it has too many parts")
    return found


def _checked(given: dict[str, str]) -> PayUri:
    try:
        payee = parse_vpa(given.get("pa", "").encode())
    except Refused:
        raise UriRefused("pa", "pa is not an address") from None
    uri = PayUri(
        payee,
        name=_text(given, "pn"),
        category=_form(given, "mc", _CODE4) or NOT_A_MERCHANT,
        amount=_amount(given, "am"),
        amount_min=_amount(given, "mam"),
        currency=_form(given, "cu", _CURRENCY),
        reference=_form(given, "tr", _REFERENCE),
        payment_id=_form(given, "tid", _REFERENCE),
        note=_text(given, "tn"),
        mode=given.get("mode", "") or "00",
        expires_us=_expiry(given),
    )
    if uri.mode not in _MODES:
        raise UriRefused("mode", "its mode is unknown")
    if uri.amount is not None and uri.amount_min is not None and uri.amount_min > uri.amount:
        raise UriRefused("mam", "mam is above am")
    return uri


def _form(given: dict[str, str], key: str, form: re.Pattern[str]) -> str:
    value = given.get(key, "")
    if value and not form.fullmatch(value):
        raise UriRefused(key, f"{key} is badly written")
    return value


def _text(given: dict[str, str], key: str) -> str:
    value = given.get(key, "")
    if len(value) > TEXT_CHARACTERS_MAX or not value.isprintable():
        raise UriRefused(key, f"{key} is too long or holds control characters")
    return value


def _amount(given: dict[str, str], key: str) -> int | None:
    value = given.get(key, "")
    if not value:
        return None
    match = _AMOUNT.fullmatch(value)
    units = int(match[1]) * UNITS + int((match[2] or "0").ljust(2, "0")) if match else 0
    if not 0 < units <= AMOUNT_MAX:
        raise UriRefused(key, f"{key} is not an amount above 0 with at most two decimals")
    return units


def _expiry(given: dict[str, str]) -> int | None:
    value = given.get("qrexpire", "")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return int(moment.timestamp() * 1e6)
    except (ValueError, OverflowError):
        raise UriRefused("qrexpire", "qrexpire is not a time with its zone") from None


def to_decimal(units: int) -> str:
    """Units of the ledger as an amount with two decimals."""
    return f"{units // UNITS}.{units % UNITS:02}"


def _to_time(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
