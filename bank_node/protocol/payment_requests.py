"""The rows of family P for what clients ask of each other: money back, money, mandates."""

from bank_node.errors import Reason
from bank_node.protocol.command import STORE, Argument, Command, Effect
from bank_node.protocol.payment_values import (
    parse_amount_rule,
    parse_answer,
    parse_date,
    parse_dispute_word,
    parse_payment_amount,
    parse_payment_id,
    parse_recurrence,
)
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

AMOUNT_RULE = Argument("<exact|max>", parse_amount_rule)
RECURRENCE = Argument("<recurrence>", parse_recurrence)
START = Argument("<start>", parse_date)
END = Argument("<end>", parse_date)
AGREED_AMOUNT = Argument("number", parse_payment_amount, optional=True)
AGREED_END = Argument("end", parse_date, optional=True)
MANDATE = Argument("<mandate>", parse_payment_id)
ANSWER = Argument("<approve|decline|pause|resume|revoke>", parse_answer)
DISPUTE = Argument("<payment|dispute>", parse_payment_id)
DISPUTE_WORD = Argument("<raise|evidence|contest|accept|withdraw>", parse_dispute_word)
REQUEST = Argument("<request>", parse_payment_id)

# What can become of money within the bank.
_PAID_HERE = (Reason.FROZEN, Reason.PAYEE_FROZEN, Reason.LIMIT_OF_PAYMENT, Reason.LIMIT_OF_DAY,
              Reason.LIMIT_OF_NEW_CLIENT, Reason.TOO_MANY_PAYMENTS,
              Reason.LIMIT_OF_MERCHANT, Reason.NOT_ENOUGH_MONEY)  # fmt: skip
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
                Reason.NOT_ENOUGH_MONEY, Reason.PROVIDER_DOWN, Reason.PROVIDER_APART, Reason.RISK,
                Reason.PAYMENT_REVERTED, Reason.PAYMENT_PENDING, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PZ", (VPA, DISPUTE, DISPUTE_WORD, PIN, NOTE), "PZ <dispute> <state>",
        "Pay, zeal: disputes a payment, gives evidence, contests, accepts or withdraws.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.DISPUTE_FORMAT,
                Reason.PIN_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS, Reason.NO_SUCH_PAYMENT,
                Reason.NO_SUCH_REQUEST, Reason.REFERENCE_TAKEN, Reason.NOT_DISPUTABLE,
                Reason.DISPUTE_LATE, Reason.TOO_MANY_REQUESTS, Reason.TOO_MUCH_SAID,
                Reason.REQUEST_OVER, Reason.FROZEN, Reason.NOT_ENOUGH_MONEY, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
    Command(
        "PC", (VPA, VPA, AMOUNT, REFERENCE, PIN, CODE_SECONDS, NOTE), "PC <request>",
        "Pay, collect: asks a client for money.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_AMOUNT, Reason.REFERENCE_FORMAT,
                Reason.PIN_FORMAT, Reason.SECONDS_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS,
                Reason.NO_SUCH_ADDRESS, Reason.NO_SUCH_PROVIDER, Reason.PAYER_BANK_DOWN,
                Reason.REFERENCE_TAKEN, Reason.ASKING_OFF, Reason.FROZEN, Reason.SAME_ACCOUNT,
                Reason.TOO_MANY_REQUESTS, Reason.OTHER_CURRENCY, Reason.REQUEST_EXPIRED,
                Reason.RISK, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PA", (VPA, REQUEST, PIN), "PA <payment> <rrn>",
        "Pay, approve: pays what somebody has asked for.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS,
                *_ANSWERED, Reason.REQUEST_DECLINED, *_PAID_HERE, Reason.REQUEST_PENDING,
                Reason.PROVIDER_DOWN, Reason.PROVIDER_APART, Reason.PAYEE_CHANGED, Reason.RISK,
                Reason.PAYMENT_REVERTED, Reason.PAYMENT_PENDING, *STORE),
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
        "PH", (VPA, VPA, AMOUNT_RULE, AMOUNT, RECURRENCE, START, END, REFERENCE, PIN, NOTE),
        "PH <mandate>", "Pay, hereafter: asks a client for a mandate to be paid again and again.",
        errors=(Reason.VPA_FORMAT, Reason.AMOUNT_RULE_FORMAT, Reason.PAYMENT_AMOUNT,
                Reason.RECURRENCE_FORMAT, Reason.DATE_FORMAT, Reason.REFERENCE_FORMAT,
                Reason.PIN_FORMAT, Reason.TEXT_FORMAT, *PIN_ERRORS, Reason.NO_SUCH_ADDRESS,
                Reason.NO_SUCH_PROVIDER, Reason.PAYER_BANK_DOWN, Reason.OTHER_CURRENCY,
                Reason.NO_SUCH_DAY, Reason.REFERENCE_TAKEN, Reason.FROZEN, Reason.SAME_ACCOUNT,
                Reason.LIMIT_OF_PAYMENT, Reason.TOO_MANY_REQUESTS, Reason.REQUEST_EXPIRED,
                Reason.RISK, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(8,), cost=100,
    ),
    Command(
        "PT", (VPA, MANDATE, AMOUNT, END, PIN), "PT <state>",
        "Pay, terms: asks for another amount or end of a mandate.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PAYMENT_AMOUNT,
                Reason.DATE_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, Reason.NO_SUCH_REQUEST,
                Reason.NO_SUCH_DAY, Reason.REQUEST_PENDING, Reason.REQUEST_OVER,
                Reason.LIMIT_OF_PAYMENT, Reason.RISK, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(4,), cost=100,
    ),
    Command(
        "PJ", (VPA, MANDATE, AMOUNT, PIN), "PJ <state>",
        "Pay, just now: says how much the next payment of a mandate is of.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.PAYMENT_AMOUNT,
                Reason.PIN_FORMAT, *PIN_ERRORS, Reason.NO_SUCH_REQUEST, Reason.AMOUNT_RULE,
                Reason.REQUEST_PENDING, Reason.REQUEST_DECLINED, Reason.REQUEST_EXPIRED,
                Reason.REQUEST_OVER, Reason.RISK, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
    Command(
        "PO", (VPA, MANDATE, ANSWER, PIN, AGREED_AMOUNT, AGREED_END), "PO <state>",
        "Pay, orders: answers what a mandate asks, pauses it, lets it go on, or revokes it.",
        errors=(Reason.VPA_FORMAT, Reason.PAYMENT_ID_FORMAT, Reason.ANSWER_FORMAT,
                Reason.PIN_FORMAT, Reason.PAYMENT_AMOUNT, Reason.DATE_FORMAT, *PIN_ERRORS,
                Reason.NO_SUCH_REQUEST, Reason.FROZEN, Reason.TERMS_CHANGED,
                Reason.REQUEST_PENDING, Reason.REQUEST_DECLINED, Reason.REQUEST_EXPIRED,
                Reason.REQUEST_OVER, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(3,), cost=100,
    ),
    Command(
        "PQ", (VPA, PIN), "PQ <json>",
        "Pay, questions: what waits for a client.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), cost=100,
    ),
)  # fmt: skip
