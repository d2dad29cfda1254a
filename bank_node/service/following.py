"""FB, FT, FP, FS: how the nodes of one bank talk to each other.

What becomes of it is decided behind the `Following` that the node hands in; here it is only read
and told.
"""

import json
from collections.abc import Callable

from bank_node.errors import Refused
from bank_node.ledger.office import Claim
from bank_node.ledger.shipping import Request
from bank_node.service.calls import Answer, Call


def deliver(call: Call, done: Callable[[Answer], None]) -> None:
    """Answers `FB`."""
    *words, signature = call.arguments

    def told(answer: str | Refused) -> None:
        done(answer if isinstance(answer, Refused) else f"FB {answer}")

    call.bank.following.ask(Request(*words), signature, max(0.0, call.seconds_left()), told)


def claim(call: Call) -> str:
    """The reply to `FT`."""
    epoch, leader, signature = call.arguments
    known, signed = call.bank.following.claimed(Claim(epoch, leader), signature)
    return f"FT {known.epoch} {known.leader} {signed}"


def promote(call: Call) -> str:
    """The reply to `FP`."""
    node, signature = call.arguments
    call.bank.following.promote(node, signature)
    return "FP"


def tell(call: Call) -> str:
    """The reply to `FS`."""
    return f"FS {json.dumps(call.bank.following.status())}"
