"""The rows of family P for what clients ask of each other: money back, money, mandates."""

from bank_node.errors import Reason
from bank_node.protocol.command import STORE, Argument, Command, Effect
from bank_node.protocol.payment_values import parse_payment_id
from bank_node.protocol.payments import (
    AMOUNT,
    CODE_SECONDS,
    NOTE,
    PAYMENT,
    PIN,
    PIN_ERRORS,
    REFERENCE,
    VPA,
)

REQUEST = Argument("<request>", parse_payment_id)

# What can become of money within the bank.
_PAID_HERE = (Reason.FROZEN, Reason.PAYEE_FROZEN, Reason.LIMIT_OF_PAYMENT, Reason.LIMIT_OF_DAY,
              Reason.LIMIT_OF_NEW_CLIENT, Reason.TOO_MANY_PAYMENTS,
              Reason.NOT_ENOUGH_MONEY)  # fmt: skip
# What can become of an answer to a request.
_ANSWERED = (Reason.NO_SUCH_REQUEST, Reason.REQUEST_EXPIRED, Reason.REQUEST_OVER)

REQUEST_ROWS = (
    Command(
        "PX", (VPA, PAYMENT, AMOUNT, REFERENCE, PIN, NOTE), "PX <payment> <rrn>",
        "Pay back: gives a payment that was received back, whole or in part.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PAYMENT_AMOUNT,
                Reason.REFERENCE_FORMAT, Reason.PIN_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS,
                Reason.NO_SUCH_PAYMENT, Reason.REFERENCE_TAKEN, Reason.FROZEN,
                Reason.PAYEE_FROZEN, Reason.NOT_REFUNDABLE, Reason.REFUND_TOO_MUCH,
                Reason.NOT_ENOUGH_MONEY, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PC", (VPA, VPA, AMOUNT, REFERENCE, PIN, CODE_SECONDS, NOTE), "PC <request>",
        "Pay, collect: asks a client for money.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_AMOUNT, Reason.REFERENCE_FORMAT,
                Reason.PIN_FORMAT, Reason.SECONDS_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS,
                Reason.NO_SUCH_ADDRESS, Reason.REFERENCE_TAKEN, Reason.ASKING_OFF, Reason.FROZEN,
                Reason.SAME_ACCOUNT, Reason.TOO_MANY_REQUESTS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PA", (VPA, REQUEST, PIN), "PA <payment> <rrn>",
        "Pay, approve: pays what somebody has asked for.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS,
                *_ANSWERED, Reason.REQUEST_DECLINED, *_PAID_HERE, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(2,), cost=100,
    ),
    Command(
        "PD", (VPA, REQUEST, PIN), "PD declined|cancelled",
        "Pay, decline: declines a request for money, or takes one's own back.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS,
                *_ANSWERED, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(2,), cost=100,
    ),
    Command(
        "PQ", (VPA, PIN), "PQ <json>",
        "Pay, questions: what waits for a client.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), cost=100,
    ),
)  # fmt: skip
