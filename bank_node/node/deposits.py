"""The deposit that a transfer to a bank comes to which knows nothing else: sent once, ever.

What its answer means for the transfer is said here; whoever sends it decides what follows.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from bank_node.banking.transfers.flights import Deposit
from bank_node.errors import Reason, Refused
from bank_node.protocol.messages import LANGUAGES, Catalogue
from bank_node.service.calls import Elsewhere
from bank_node.values import one_line

# What a node of our kind says when it does not know itself what became of a deposit.
_NOT_KNOWN = frozenset(
    f"ER {Catalogue(language).error_sentence(reason)}".encode()
    for language in LANGUAGES
    for reason in (Reason.OUTCOME_UNKNOWN, Reason.TIMED_OUT, Reason.INTERNAL)
)


class Deposits:
    """See the module. Belongs to one loop."""

    def __init__(
        self, carrier: Elsewhere, deposited: Callable[[str, Reason | None, str], object]
    ) -> None:
        """`deposited` hears the key of each, why it was not carried out, and what was said.

        Without a reason it was carried out; BANK_OUTCOME_UNKNOWN leaves that open.
        """
        self._carrier = carrier
        self._deposited = deposited

    def send(self, deposit: Deposit) -> None:
        """Sends one; its outcome is told later, never at once."""
        line = f"AD {deposit.payee}/{deposit.bank} {deposit.amount}".encode()
        done = partial(self._answered, deposit.key)
        try:
            self._carrier.forward(deposit.bank, line, 0, self, done)
        except Refused as refused:
            asyncio.get_running_loop().call_soon(done, refused)

    def _answered(self, key: str, answer: bytes | Refused) -> None:
        if isinstance(answer, Refused):
            self._deposited(key, answer.reason, answer.reason.value)
            return
        told = answer.rstrip(b"\r\n")
        reason: Reason | None = None
        if told in _NOT_KNOWN:
            reason = Reason.BANK_OUTCOME_UNKNOWN
        elif told.startswith(b"ER"):
            reason = Reason.BANK_REFUSED
        elif told.strip() != b"AD":
            reason = Reason.BANK_OUTCOME_UNKNOWN
        self._deposited(key, reason, one_line(told.decode("utf-8", "replace")))
