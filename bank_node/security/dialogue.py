"""What one bank says to another and is answered, each on a line of its own and each signed.

`<code> <sender> <word> <signature>` is answered with `<code> <answer> <signature>`; the answer's
signature covers the question, too. Knows neither what the words mean nor whose keys are pinned.
"""

from typing import NamedTuple

from bank_node.security.canonical import canonical
from bank_node.security.identity import Identity, is_signed


class Dialogue(NamedTuple):
    """How two banks talk about one subject."""

    code: str
    """The command that carries what is said."""
    subject: str
    """What is signed names it, so that no signature serves another subject."""

    def question(self, identity: Identity, sender: str, receiver: str, word: str) -> bytes:
        """The line that says a word to another bank, without a line end."""
        signature = identity.sign(self._question_bytes(sender, receiver, word))
        return f"{self.code} {sender} {word} {signature}".encode()

    def is_question(
        self, sender: str, receiver: str, word: str, signature: str, key: str | None
    ) -> bool:
        """Whether the owner of a key has said a word to a bank; False without a key."""
        return bool(key) and is_signed(
            self._question_bytes(sender, receiver, word), signature, key or ""
        )

    def answer(self, identity: Identity, sender: str, receiver: str, word: str, answer: str) -> str:
        """The reply of `sender`, who was told a word by `receiver`."""
        signature = identity.sign(self._answer_bytes(sender, receiver, word, answer))
        return f"{self.code} {answer} {signature}"

    def read_answer(
        self, sender: str, receiver: str, word: str, reply: bytes, key: str | None
    ) -> str | None:
        """The answer in a reply of `sender`; None unless it is signed with that bank's key."""
        words = reply.decode("ascii", "replace").split()
        if len(words) != 3 or words[0] != self.code or not key:
            return None
        signed = self._answer_bytes(sender, receiver, word, words[1])
        return words[1] if is_signed(signed, words[2], key) else None

    def _question_bytes(self, sender: str, receiver: str, word: str) -> bytes:
        return canonical(self.subject, sender, receiver, word)

    def _answer_bytes(self, sender: str, receiver: str, word: str, answer: str) -> bytes:
        return canonical(f"answer about a {self.subject}", sender, receiver, word, answer)
