"""LH, LP, LC: what the bank says of its ledger, signed, and the proofs that go with it.

Each reply is one document of protocol.md, section 10, on one line.
"""

from bank_node.ledger.proofs import to_json
from bank_node.service.calls import Call


def sign_head(call: Call) -> str:
    """The reply to `LH`."""
    return f"LH {to_json(call.bank.log.head(_patience_s(call)))}"


def prove_inclusion(call: Call) -> str:
    """The reply to `LP <entry>`. Raises Refused(NO_SUCH_ENTRY)."""
    (entry,) = call.arguments
    return f"LP {to_json(call.bank.log.inclusion(entry, _patience_s(call)))}"


def prove_consistency(call: Call) -> str:
    """The reply to `LC <blocks> [<blocks>]`. Raises Refused(NO_SUCH_SIZE)."""
    first, *rest = call.arguments
    second = rest[0] if rest else None
    return f"LC {to_json(call.bank.log.consistency(first, second, _patience_s(call)))}"


def _patience_s(call: Call) -> float:
    """How long to wait for somebody else who is reading the ledger."""
    return max(0.0, call.seconds_left())
