"""The rows of the command table for those who want to be told what becomes of payments."""

from bank_node.errors import Reason
from bank_node.protocol.command import STORE, Argument, Command, Effect
from bank_node.protocol.payment_values import parse_listening_token
from bank_node.protocol.payments import PIN, PIN_ERRORS, VPA
from bank_node.values import parse_amount

TOKEN = Argument("<token>", parse_listening_token)
CURSOR = Argument("cursor", parse_amount, optional=True)

NEWS_ROWS = (
    Command(
        "PK", (VPA, PIN), "PK <token>",
        "Pay, key: a token to listen with for a day.",
        errors=(Reason.VPA_FORMAT, Reason.PIN_FORMAT, *PIN_ERRORS, *STORE),
        effect=Effect.WRITES, extension=True, secrets=(1,), secret_reply=True, cost=100,
    ),
    Command(
        "PE", (TOKEN, CURSOR), "PE <json>",
        "Pay, events: what became of payments since then; waits for some.",
        errors=(Reason.TOKEN_REFUSED, Reason.AMOUNT_FORMAT),
        effect=Effect.LOOKS_BACK, extension=True, secrets=(0,), waits=True, cost=8,
    ),
)  # fmt: skip
