"""The bytes that banks sign, and what of a signed exchange is kept with an entry of the ledger."""

from bank_node.security.canonical import canonical


def request_bytes(sender: str, receiver: str, messages: str) -> bytes:
    """What the sender of messages signs."""
    return canonical("transfer messages", sender, receiver, messages)


def answer_bytes(sender: str, receiver: str, messages: str, answers: str) -> bytes:
    """What the receiver of messages signs: its answers, and what they are the answers to."""
    return canonical("transfer answers", sender, receiver, messages, answers)


def request_evidence(messages: str, signature: str) -> bytes:
    """What is kept of messages that led to an entry."""
    return f"{messages}\n{signature}".encode()


def answer_evidence(messages: str, answers: str, signature: str) -> bytes:
    """What is kept of answers that led to an entry."""
    return f"{messages}\n{answers}\n{signature}".encode()
