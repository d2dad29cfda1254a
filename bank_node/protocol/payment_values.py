"""Values of payments: addresses, mobile numbers, PINs, categories, texts, who is to be paid.

Pure, like `values.py`: parsers take the bytes of one argument and raise `Refused`; what they
return is valid. Knows what is written on the wire, never who owns an address.
"""

import re
from datetime import date
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_to_bytes

from bank_node.errors import Reason, Refused
from bank_node.values import AccountAddress, Amount, parse_account_address, parse_amount

TEXT_CHARACTERS_MAX = 50
"""Characters of a name or a note, as a pay URI may carry them."""
SECONDS_MAX = 30 * 86_400

_VPA = re.compile(rb"[A-Za-z0-9._-]{2,256}@[A-Za-z]{2,64}")
# E.164 has at most 15 digits; shorter numbers than 6 digits are nobody's mobile.
_MOBILE = re.compile(rb"\+?([1-9][0-9]{5,14})")
_MMID = re.compile(rb"[0-9]{7}")
_PIN = re.compile(rb"[0-9]{4}|[0-9]{6}")
_CATEGORY = re.compile(rb"[0-9]{4}")
_REFERENCE = re.compile(rb"[A-Za-z0-9._-]{1,35}")
_PAYMENT_ID = re.compile(rb"[A-Z]{3}[0-9a-f]{32}")
_VMID = re.compile(rb"[A-Za-z0-9_-]{16,64}")

# What a NamedTuple's own constructor calls after half a microsecond of arranging arguments.
_new = tuple.__new__

# Letters and digits that are taken for each other at a glance are one and the same here.
_LOOKALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", ".": "", "-": "", "_": ""})


class Vpa(NamedTuple):
    """A payment address `name@handle` in lower case; the handle names the bank."""

    name: str
    handle: str

    def __str__(self) -> str:
        return f"{self.name}@{self.handle}"

    @property
    def skeleton(self) -> str:
        """What is left of the name when all that is easily misread is made the same.

        Two names with one skeleton must not belong to two people of a bank.
        """
        folded = self.name.translate(_LOOKALIKE).replace("rn", "m").replace("vv", "w")
        return folded or self.name


class MobilePayee(NamedTuple):
    """A mobile number and an MMID, which name an account only together."""

    mobile: str
    mmid: str

    def __str__(self) -> str:
        return f"{self.mobile}:{self.mmid}"


Payee = Vpa | AccountAddress | MobilePayee


def parse_vpa(text: bytes) -> Vpa:
    """An address such as `alice@prague`, in either case. Raises Refused(VPA_FORMAT)."""
    if not _VPA.fullmatch(text):
        raise Refused(Reason.VPA_FORMAT)
    return _new(Vpa, text.decode("ascii").lower().split("@"))


def parse_mobile(text: bytes) -> str:
    """A mobile number with its country's prefix, 6 to 15 digits. Raises Refused(MOBILE_FORMAT)."""
    match = _MOBILE.fullmatch(text)
    if match is None:
        raise Refused(Reason.MOBILE_FORMAT)
    return match.group(1).decode("ascii")


def parse_pin(text: bytes) -> str:
    """A PIN of 4 or 6 digits. Raises Refused(PIN_FORMAT)."""
    if not _PIN.fullmatch(text):
        raise Refused(Reason.PIN_FORMAT)
    return text.decode("ascii")


def parse_new_pin(text: bytes) -> str:
    """A PIN that somebody chooses: no run such as 1234 or 4321, not one digit only.

    Raises Refused(PIN_FORMAT) or Refused(PIN_TOO_EASY).
    """
    pin = parse_pin(text)
    steps = {ord(b) - ord(a) for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise Refused(Reason.PIN_TOO_EASY)
    return pin


def parse_category(text: bytes) -> str:
    """A merchant category code (ISO 18245), 4 digits but not 0000. Raises Refused."""
    if not _CATEGORY.fullmatch(text) or text == b"0000":
        raise Refused(Reason.CATEGORY_FORMAT)
    return text.decode("ascii")


def parse_reference(text: bytes) -> str:
    """A caller's own name for a request, 1 to 35 characters. Raises Refused(REFERENCE_FORMAT)."""
    if not _REFERENCE.fullmatch(text):
        raise Refused(Reason.REFERENCE_FORMAT)
    return text.decode("ascii")


def parse_payment_id(text: bytes) -> str:
    """A payment's id: 3 capitals and 32 hexadecimal digits. Raises Refused(PAYMENT_ID_FORMAT)."""
    if not _PAYMENT_ID.fullmatch(text):
        raise Refused(Reason.PAYMENT_ID_FORMAT)
    return text.decode("ascii")


def parse_vmid(text: bytes) -> str:
    """The form of a merchant's token; whether it is one, the bank finds out. Raises Refused."""
    if not _VMID.fullmatch(text):
        raise Refused(Reason.NO_SUCH_MERCHANT)
    return text.decode("ascii")


def parse_listening_token(text: bytes) -> str:
    """The form of a token to listen with, or of a merchant's. Raises Refused(TOKEN_REFUSED)."""
    if not _VMID.fullmatch(text):
        raise Refused(Reason.TOKEN_REFUSED)
    return text.decode("ascii")


def parse_payment_amount(text: bytes) -> Amount:
    """An amount above 0. Raises Refused(PAYMENT_AMOUNT)."""
    try:
        amount = parse_amount(text)
    except Refused:
        amount = Amount(0)
    if not amount:
        raise Refused(Reason.PAYMENT_AMOUNT)
    return amount


def parse_seconds(text: bytes) -> int:
    """How long something is good for, 1 second to 30 days. Raises Refused(SECONDS_FORMAT)."""
    if not text.isdigit() or not 0 < len(text) <= 7 or not 0 < int(text) <= SECONDS_MAX:
        raise Refused(Reason.SECONDS_FORMAT)
    return int(text)


class Recurrence(NamedTuple):
    """How often, and on which day of each period."""

    name: str
    rule: str = ""
    """`on`, `before` or `after`."""
    day: int = 0


RECURRENCE_DAYS = {
    "onetime": 0, "daily": 0, "weekly": 7, "fortnightly": 16, "monthly": 31, "bimonthly": 31,
    "quarterly": 31, "halfyearly": 31, "yearly": 31, "aspresented": 0,
}  # fmt: skip
"""The highest day that a rule can name, by recurrence; 0 for those that have no rule."""
_RECURRENCE = re.compile(rb"([a-z]+)(?::(on|before|after):([1-9][0-9]?))?")
ANSWERS = ("approve", "decline", "pause", "resume", "revoke")


RAISE, EVIDENCE, CONTEST, ACCEPT, WITHDRAW = DISPUTE_WORDS = (
    "raise", "evidence", "contest", "accept", "withdraw"
)  # fmt: skip
"""What can be said about a dispute; the first three with a reason."""


def parse_dispute_word(text: bytes) -> str:
    """What is said about a dispute. Raises Refused(DISPUTE_FORMAT)."""
    word = text.lower().decode("utf-8", "replace")
    if word not in DISPUTE_WORDS:
        raise Refused(Reason.DISPUTE_FORMAT)
    return word


def parse_recurrence(text: bytes) -> Recurrence:
    """`daily`, or one with its day such as `monthly:on:15`. Raises Refused(RECURRENCE_FORMAT)."""
    match = _RECURRENCE.fullmatch(text.lower())
    name, rule, day = (part.decode() if part else "" for part in match.groups()) if match else (
        "", "", ""
    )  # fmt: skip
    highest = RECURRENCE_DAYS.get(name)
    if highest is None or bool(highest) is not bool(rule) or int(day or 0) > highest:
        raise Refused(Reason.RECURRENCE_FORMAT)
    return Recurrence(name, rule, int(day or 0))


def parse_date(text: bytes) -> int:
    """A day such as 2026-01-31, counted from the year 1. Raises Refused(DATE_FORMAT)."""
    try:
        if len(text) != 10:
            raise ValueError("not ten characters")
        return date.fromisoformat(text.decode("ascii")).toordinal()
    except ValueError:
        raise Refused(Reason.DATE_FORMAT) from None


def parse_amount_rule(text: bytes) -> bool:
    """`exact` is True, `max` is False. Raises Refused(AMOUNT_RULE_FORMAT)."""
    rules = {b"exact": True, b"max": False}
    if text.lower() not in rules:
        raise Refused(Reason.AMOUNT_RULE_FORMAT)
    return rules[text.lower()]


def parse_answer(text: bytes) -> str:
    """What is said to a mandate. Raises Refused(ANSWER_FORMAT)."""
    answer = text.lower().decode("utf-8", "replace")
    if answer not in ANSWERS:
        raise Refused(Reason.ANSWER_FORMAT)
    return answer


def parse_text(text: bytes) -> str:
    """A name or a note as one word: `+` or `%20` stands for a blank.

    1 to TEXT_CHARACTERS_MAX printable characters. Raises Refused(TEXT_FORMAT).
    """
    try:
        plain = unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Refused(Reason.TEXT_FORMAT) from None
    if not plain.isprintable() or not 0 < len(plain) <= TEXT_CHARACTERS_MAX:
        raise Refused(Reason.TEXT_FORMAT)
    return plain


def to_word(text: str) -> str:
    """A text as the one word that `parse_text` reads."""
    return quote_plus(text, safe="")


def parse_payee(text: bytes) -> Payee:
    """Who is to be paid: an address, an account, or `<mobile>:<mmid>`.

    Raises Refused(PAYEE_FORMAT).
    """
    try:
        if b"@" in text:
            return parse_vpa(text)
        if b"/" in text:
            return parse_account_address(text)
        mobile, _, mmid = text.partition(b":")
        if _MMID.fullmatch(mmid):
            return MobilePayee(parse_mobile(mobile), mmid.decode("ascii"))
    except Refused:
        pass
    raise Refused(Reason.PAYEE_FORMAT)
