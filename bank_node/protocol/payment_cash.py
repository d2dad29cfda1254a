"""The rows of the command table for cash at machines."""

from bank_node.errors import Reason
from bank_node.protocol.command import STORE, Command, Effect
from bank_node.protocol.payments import AMOUNT, PIN, PIN_ERRORS, REFERENCE, VPA

_FORM = (Reason.VPA_FORMAT, Reason.PAYMENT_AMOUNT, Reason.REFERENCE_FORMAT, Reason.PIN_FORMAT)

CASH_ROWS = (
    Command(
        "PW", (VPA, AMOUNT, REFERENCE, PIN), "PW <payment> <rrn>",
        "Pay, withdraw: draws cash at a machine.",
        errors=(*_FORM, *PIN_ERRORS, Reason.REFERENCE_TAKEN, Reason.FROZEN,
                Reason.LIMIT_OF_PAYMENT, Reason.LIMIT_OF_DAY, Reason.LIMIT_OF_NEW_CLIENT,
                Reason.TOO_MANY_PAYMENTS, Reason.NOT_ENOUGH_MONEY, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
    Command(
        "PI", (VPA, AMOUNT, REFERENCE, PIN), "PI <payment> <rrn>",
        "Pay in: deposits cash at a machine.",
        errors=(*_FORM, *PIN_ERRORS, Reason.REFERENCE_TAKEN, Reason.FROZEN, Reason.ACCOUNT_LIMIT,
                Reason.BANK_LIMIT, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
)  # fmt: skip
