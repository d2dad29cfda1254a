"""Values of the domain. Holding one proves that it is valid; parsing is the only way in.

Everything here is pure. Parsers take the bytes of one argument, exactly as they came over the
wire, and raise `Refused` with the reason that the protocol names for it (protocol.md, "Values").
"""

import re
from functools import lru_cache
from typing import NamedTuple, NewType

from bank_node.errors import Reason, Refused

Amount = NewType("Amount", int)
"""Units of money, 0..AMOUNT_MAX."""
AccountNumber = NewType("AccountNumber", int)
"""Number of a client account, ACCOUNT_MIN..ACCOUNT_MAX."""
BankCode = NewType("BankCode", str)
"""A bank's name: its IPv4 address in canonical dotted form."""
TransferId = NewType("TransferId", str)
"""What a transfer is called: 1 to 36 letters, digits, points, hyphens and underscores."""

AMOUNT_MAX = 2**63 - 1
ACCOUNT_MIN = 10_000
ACCOUNT_MAX = 99_999
ACCOUNTS_MAX = ACCOUNT_MAX - ACCOUNT_MIN + 1
# Where banks of the classic protocol look for each other, the likeliest first.
BANK_PORTS = range(65525, 65536)

# As many as AMOUNT_MAX has. Turning very long runs of digits into integers takes quadratic time.
_DIGITS_MAX = 19
# Long enough for a UUID; none of these characters means anything in a line, a file name or a URL.
_TRANSFER_ID = re.compile(rb"[A-Za-z0-9._-]{1,36}")


class AccountAddress(NamedTuple):
    """`<number>/<ip>`: an account and the bank that keeps it."""

    number: AccountNumber
    bank: BankCode

    def __str__(self) -> str:
        return f"{self.number}/{self.bank}"


def _digits(text: bytes, reason: Reason) -> int:
    """Value of a run of ASCII digits; leading zeros are fine, signs and blanks are not."""
    # bytes.isdigit() is true for ASCII digits only, unlike str.isdigit().
    if not text.isdigit() or len(text.lstrip(b"0")) > _DIGITS_MAX:
        raise Refused(reason)
    return int(text.lstrip(b"0") or b"0")


def parse_amount(text: bytes) -> Amount:
    """An amount such as `500`. Raises Refused(AMOUNT_FORMAT)."""
    if text.isdigit() and len(text) < _DIGITS_MAX:
        # Calling the type would cost half as much again as reading the digits.
        return int(text)  # type: ignore[return-value]
    value = _digits(text, Reason.AMOUNT_FORMAT)
    if value > AMOUNT_MAX:
        raise Refused(Reason.AMOUNT_FORMAT)
    return Amount(value)


@lru_cache(maxsize=4096)
def parse_bank_code(text: bytes) -> BankCode:
    """An IPv4 address in canonical form: four numbers 0..255 without leading zeros.

    Oddly written addresses (`127.00.5.1`, `1.2.3`, `ip:port`) are refused rather than
    normalised, because two spellings of one bank would be two names for one account.
    Raises Refused(ACCOUNT_FORMAT).
    """
    parts = text.split(b".")
    if len(parts) != 4 or not all(map(_is_octet, parts)):
        raise Refused(Reason.ACCOUNT_FORMAT)
    return BankCode(text.decode("ascii"))


def _is_octet(part: bytes) -> bool:
    canonical = len(part) == 1 or not part.startswith(b"0")
    return part.isdigit() and len(part) <= 3 and canonical and int(part) <= 255


# Addresses that were met before: all 90,000 accounts of one bank fit, and parsing them twice is
# waste. A cache that remembers what was used last costs far more: it writes to as many places in
# memory for each look-up as a deposit does for all else.
_KNOWN_MAX = 131_072
# Zeros in front would make other addresses of these, and far longer ones.
_KNOWN_BYTES_MAX = len(b"10000/255.255.255.255")
_known: dict[bytes, AccountAddress] = {}


def parse_account_address(text: bytes) -> AccountAddress:
    """An account address such as `10001/127.0.0.1`. Raises Refused(ACCOUNT_FORMAT)."""
    known = _known.get(text)
    if known is not None:
        return known
    number, slash, bank = text.partition(b"/")
    value = _digits(number, Reason.ACCOUNT_FORMAT)
    if not slash or not ACCOUNT_MIN <= value <= ACCOUNT_MAX:
        raise Refused(Reason.ACCOUNT_FORMAT)
    address = AccountAddress(AccountNumber(value), parse_bank_code(bank))
    if len(text) <= _KNOWN_BYTES_MAX:
        if len(_known) >= _KNOWN_MAX:
            _known.clear()
        _known[text] = address
    return address


def parse_transfer_id(text: bytes) -> TransferId:
    """A transfer id such as `invoice-2024.17`. Raises Refused(TRANSFER_ID_FORMAT)."""
    if not _TRANSFER_ID.fullmatch(text):
        raise Refused(Reason.TRANSFER_ID_FORMAT)
    return TransferId(text.decode("ascii"))


def parse_transfer_key(text: bytes) -> str:
    """A transfer id, or `<ip>/<id>` for a transfer that another bank coordinates.

    Raises Refused(TRANSFER_ID_FORMAT).
    """
    bank, slash, name = text.rpartition(b"/")
    if not slash:
        return parse_transfer_id(text)
    try:
        return f"{parse_bank_code(bank)}/{parse_transfer_id(name)}"
    except Refused:
        raise Refused(Reason.TRANSFER_ID_FORMAT) from None


def port_number(text: str) -> int | None:
    """The TCP port that a text names, 1 to 65535 in ASCII digits; None if it names none."""
    # str.isdigit() is also true for digits that int() does not know.
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    port = int(text)
    return port if 0 < port < 65536 else None


def one_line(text: str) -> str:
    """Text that is safe in a terminal, a log and one protocol line.

    Control characters, line separators, bidi controls and unpaired surrogates become `?`.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)
