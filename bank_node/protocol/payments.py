"""The rows of the command table for payments, family P: clients, addresses, paying, codes to scan.

What is secret in a line (`secrets`) is never logged, and travels over protected connections only.
"""

from bank_node.errors import Reason, Refused
from bank_node.protocol.command import STORE, Argument, Command, Effect
from bank_node.protocol.payment_values import (
    parse_category,
    parse_mobile,
    parse_new_pin,
    parse_payee,
    parse_payment_amount,
    parse_payment_id,
    parse_pin,
    parse_reference,
    parse_seconds,
    parse_text,
    parse_vmid,
    parse_vpa,
)
from bank_node.values import parse_amount


def parse_uri_text(text: bytes) -> str:
    """The text of a code to scan. Raises Refused(URI_REFUSED)."""
    if not text.isascii() or not text.lower().startswith(b"upi:"):
        raise Refused(Reason.URI_REFUSED, part="upi")
    return text.decode("ascii")


def parse_frozen(text: bytes) -> bool:
    """`frozen` or `active`. Raises Refused(FROZEN_FORMAT)."""
    states = {b"frozen": True, b"active": False}
    if text.lower() not in states:
        raise Refused(Reason.FROZEN_FORMAT)
    return states[text.lower()]


VPA = Argument("<name>@<handle>", parse_vpa)
PAYEE = Argument("<payee>", parse_payee)
NAME = Argument("<text>", parse_text)
NOTE = Argument("text", parse_text, optional=True)
MOBILE = Argument("<mobile>", parse_mobile)
CATEGORY = Argument("<category>", parse_category)
PIN = Argument("<pin>", parse_pin)
NEW_PIN = Argument("<new-pin>", parse_new_pin)
AMOUNT = Argument("<number>", parse_payment_amount)
REFERENCE = Argument("<reference>", parse_reference)
PAYMENT = Argument("<payment>", parse_payment_id)
VMID = Argument("<vmid>", parse_vmid)
URI = Argument("<uri>", parse_uri_text)
PER_PAYMENT = Argument("per-payment", parse_amount, optional=True)
PER_DAY = Argument("per-day", parse_amount, optional=True)
STATE = Argument("<frozen|active>", parse_frozen)
CODE_AMOUNT = Argument("number", parse_payment_amount, optional=True)
CODE_REFERENCE = Argument("reference", parse_reference, optional=True)
CODE_SECONDS = Argument("seconds", parse_seconds, optional=True)

# What can become of a PIN.
PIN_ERRORS = (Reason.UNPROTECTED, Reason.VPA_FOREIGN, Reason.WRONG_PIN, Reason.PIN_LOCKED)
# What can become of money that is to go to somebody.
_PAID = (Reason.NO_SUCH_PROVIDER, Reason.PROVIDER_DOWN, Reason.PROVIDER_APART,
         Reason.NO_SUCH_ADDRESS, Reason.OTHER_CURRENCY, Reason.REFERENCE_TAKEN, Reason.FROZEN,
         Reason.PAYEE_FROZEN, Reason.LIMIT_OF_PAYMENT, Reason.LIMIT_OF_DAY,
         Reason.LIMIT_OF_NEW_CLIENT, Reason.TOO_MANY_PAYMENTS, Reason.LIMIT_OF_MERCHANT,
         Reason.SAME_ACCOUNT, Reason.NOT_ENOUGH_MONEY, Reason.RISK, Reason.PAYEE_CHANGED,
         Reason.PAYMENT_REVERTED, Reason.PAYMENT_PENDING)  # fmt: skip
PAYMENT_ROWS = (
    Command(
        "PU", (VPA, NAME, MOBILE, NEW_PIN), "PU <account>/<ip> <mmid>",
        "Pay, user: registers a user with a payment address and a PIN.",
        errors=(Reason.VPA_FORMAT, Reason.TEXT_FORMAT, Reason.MOBILE_FORMAT, Reason.PIN_FORMAT,
                Reason.PIN_TOO_EASY, Reason.UNPROTECTED, Reason.VPA_FOREIGN, Reason.VPA_TAKEN,
                Reason.TOO_MANY_ACCOUNTS, Reason.NO_FREE_ACCOUNT, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
    Command(
        "PM", (VPA, NAME, CATEGORY, MOBILE, NEW_PIN), "PM <account>/<ip> <mmid> <vmid>",
        "Pay, merchant: registers a merchant, who gets a token for its machines.",
        errors=(Reason.VPA_FORMAT, Reason.TEXT_FORMAT, Reason.CATEGORY_FORMAT,
                Reason.MOBILE_FORMAT, Reason.PIN_FORMAT, Reason.PIN_TOO_EASY, Reason.UNPROTECTED,
                Reason.VPA_FOREIGN, Reason.VPA_TAKEN, Reason.TOO_MANY_ACCOUNTS,
                Reason.NO_FREE_ACCOUNT, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), secret_reply=True, cost=100,
    ),
    Command(
        "PV", (VPA, VPA, PIN), "PV <name>@<handle>",
        "Pay, VPA: claims one more payment address for a client.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, Reason.VPA_TAKEN, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(2,), cost=100,
    ),
    Command(
        "PR", (PAYEE, CODE_AMOUNT), "PR <json>",
        "Pay, resolve: who is behind a payment address, and what an amount costs there.",
        errors=(Reason.PAYEE_FORMAT, Reason.PAYMENT_AMOUNT, Reason.NO_SUCH_PROVIDER,
                Reason.PROVIDER_DOWN, Reason.NO_SUCH_ADDRESS, Reason.OTHER_CURRENCY),
        effect=Effect.LOOKS_BACK, extension=True, cost=4,
    ),
    Command(
        "PP", (VPA, PAYEE, AMOUNT, REFERENCE, PIN, NOTE), "PP <payment> <rrn>",
        "Pay: pays somebody, by payment address, account, or mobile number and MMID.",
        errors=(Reason.VPA_FORMAT, Reason.PAYEE_FORMAT, Reason.PAYMENT_AMOUNT,
                Reason.REFERENCE_FORMAT, Reason.PIN_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS, *_PAID,
                *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PY", (VPA, URI, AMOUNT, REFERENCE, PIN), "PY <payment> <rrn>",
        "Pay by code: pays what a scanned code asks for.",
        errors=(Reason.VPA_FORMAT, Reason.URI_REFUSED, Reason.PAYMENT_AMOUNT,
                Reason.REFERENCE_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, *_PAID, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PS", (PAYMENT,), "PS <json>", "Pay, state: what became of a payment.",
        errors=(Reason.PAYMENT_ID_FORMAT, Reason.NO_SUCH_PAYMENT),
        effect=Effect.LOOKS_BACK, extension=True, cost=8,
    ),
    Command(
        "PB", (VPA, PIN), "PB <number>", "Pay, balance: what a client has.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), cost=100,
    ),
    Command(
        "PN", (VPA, PIN, NEW_PIN), "PN", "Pay, new PIN: changes the PIN of a client.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, Reason.PIN_TOO_EASY, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1, 2), cost=200,
    ),
    Command(
        "PL", (VPA, PIN, PER_PAYMENT, PER_DAY), "PL <number> <number> <number>",
        "Pay, limits: those of one payment and of a day, and what is left of the day.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, Reason.AMOUNT_FORMAT, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), cost=100,
    ),
    Command(
        "PF", (VPA, PIN, STATE), "PF", "Pay, freeze: stops everything on an account, or not.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, Reason.FROZEN_FORMAT, *PIN_ERRORS,
                Reason.HELD_BY_BANK, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), cost=100,
    ),
    Command(
        "PG", (VMID, CODE_AMOUNT, CODE_REFERENCE, CODE_SECONDS, NOTE), "PG <uri>",
        "Pay, get a code: what a merchant's code to scan says, signed by the bank.",
        errors=(Reason.NO_SUCH_MERCHANT, Reason.PAYMENT_AMOUNT, Reason.REFERENCE_FORMAT,
                Reason.SECONDS_FORMAT, Reason.TEXT_FORMAT),
        effect=Effect.LOOKS_BACK, extension=True, secrets=(0,), cost=20,
    ),
)  # fmt: skip
