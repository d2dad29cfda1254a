"""LH, LP, LC, LW: what banks say of their ledgers, signed, and the proofs that go with it.

Each reply is one document of protocol.md, section 10, on one line.
"""

from bank_node.errors import Reason, Refused
from bank_node.ledger.proofs import to_json
from bank_node.service.calls import Arguments, Bank, Call


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


def tell_head(bank: Bank, arguments: Arguments, _result: int) -> str:
    """The reply to `LW <ip>`. Raises Refused(NO_SUCH_HEAD)."""
    (other,) = arguments
    head = bank.network.witnessed(other)
    if head is None:
        raise Refused(Reason.NO_SUCH_HEAD, bank=other)
    return f"LW {to_json(head)}"


def _patience_s(call: Call) -> float:
    """How long to wait for somebody else who is reading the ledger."""
    return max(0.0, call.seconds_left())
