"""Signed messages about transfers as they come in from other banks, and the signed answers to them.

The counterpart of the post office: it proves who speaks and signs what is answered. What becomes
of a message is decided elsewhere. Belongs to one loop.
"""

import asyncio
from collections.abc import Callable, Sequence

from bank_node.banking.transfers.participant import answer_to
from bank_node.banking.transfers.signing import answer_bytes, request_bytes, request_evidence
from bank_node.errors import Reason, Refused
from bank_node.ledger.operations import Result
from bank_node.node.acquaintance import Acquaintance
from bank_node.protocol.transfer_messages import Messages, joined
from bank_node.security.identity import Identity, is_signed
from bank_node.service.calls import Answer
from bank_node.values import BankCode

Hears = Callable[[Sequence[Result]], object]
"""Hears what the ledger has decided about messages, in their order."""


class Reception:
    """See the module."""

    def __init__(
        self,
        own: BankCode,
        identity: Identity,
        acquaintance: Acquaintance,
        loop: asyncio.AbstractEventLoop,
        decide: Callable[[BankCode, Messages, bytes, Hears], object],
    ) -> None:
        """`decide` has the ledger decide about messages that a bank has certainly sent.

        Its third argument is their evidence.
        """
        self._own = own
        self._identity = identity
        self._acquaintance = acquaintance
        self._loop = loop
        self._decide = decide

    def receive(
        self, sender: BankCode, messages: Messages, signature: str, done: Callable[[Answer], None]
    ) -> None:
        """Messages in form, said to be of a bank; `done` hears the reply."""
        text = joined(messages)

        def decided(results: Sequence[Result]) -> None:
            answers = joined(tuple(map(answer_to, messages, results)))
            signed = self._identity.sign(answer_bytes(self._own, sender, text, answers))
            done(f"TM {answers} {signed}")

        def known(key: str | None) -> None:
            signed = request_bytes(sender, self._own, text)
            if sender == self._own or not key or not is_signed(signed, signature, key):
                done(Refused(Reason.NOT_SIGNED, bank=sender))
            else:
                self._decide(sender, messages, request_evidence(text, signature), decided)

        key = self._acquaintance.key_of(sender)
        if key:
            known(key)
        else:
            self._acquaintance.learn_key(self._loop, sender, known)
