"""What strangers' banks answer, made sense of: bytes to a reply line, a reply line to an answer.

Knows every dialect that was met (protocol.md, "Talking to other banks"). Pure: bytes in, values
out; knows no sockets and no clock, and is told by its caller when it was quiet or late.
"""

import re
from enum import Enum
from typing import NamedTuple

from bank_node.errors import BankError, Refused
from bank_node.protocol.commands import COMMANDS, Effect
from bank_node.values import (
    ACCOUNT_MAX,
    ACCOUNT_MIN,
    AMOUNT_MAX,
    one_line,
    parse_amount,
    parse_bank_code,
)

REPLY_BYTES_MAX = 65_536
"""How much of a stranger's talk is held for one reply, greetings included."""

# What is told of an error; the rest of a longer one serves nobody.
_ERROR_CHARACTERS_MAX = 400
_EDGES = " \t\v\f\r\n\0\xa0\u200b\ufeff"
_ERROR_WORD = re.compile(r"(?:ERROR\s*:\s*ERR?\b|ERROR\b|ERR?\b)[\s:]*", re.IGNORECASE)
# A longer one is absurd whatever follows, and matching it would take quadratic time.
_NUMBER_CHARACTERS_MAX = 64
_NUMBER = re.compile(r"[0-9]{1,64}", re.ASCII)
# What languages print for a number that is none, or not a whole one in the range.
_ABSURD = re.compile(
    r"[-+]?[0-9]+|[-+]?[0-9]*[.,]?[0-9]+[.,]?(?:e[-+]?[0-9]+)?|none|null|nil|undefined"
    r"|[-+]?nan|[-+]?inf(?:inity)?",
    re.IGNORECASE,
)
_EXACT = frozenset(("AD", "AW", "AR"))
_AMOUNTS = frozenset(("AB", "BA", "BN"))
_WITH_ARGUMENT = _AMOUNTS | {"BC", "AC"}

GREETS = "greets"
"""The oddity of a bank that speaks before it is asked."""
OTHER_ADDRESS = "other address"
"""The oddity of a bank whose BC names another address than the one that was dialled."""
ABSURD_NUMBER = "absurd number"
"""The oddity of a bank whose numbers are none, not whole, negative or too large."""


class Kind(Enum):
    """What is known after asking a bank."""

    DONE = "done"
    """It gave the reply that the command promises."""
    REFUSED = "refused"
    """It answered, with an error or with something else than the command promises."""
    UNKNOWN = "unknown"
    """A command that changes something was sent, and no usable reply came."""
    UNREACHABLE = "unreachable"
    """Certainly never acted on, or nothing but a read whose reply never came."""


class Answer(NamedTuple):
    """The outcome of one command."""

    kind: Kind
    text: str
    """One line, safe to print. DONE: the reply. REFUSED: `ER <their words>`. UNKNOWN and
    UNREACHABLE: what happened, in English and without `ER`."""
    oddities: frozenset[str] = frozenset()
    """Where the reply differs from the protocol, e.g. `greets`, `no line end`, `padded`."""


class ReplyTooLong(BankError):
    """A bank talks without an end."""


def code_of(line: str) -> str:
    """The code of a command line in upper case; empty if it does not start with two letters."""
    word = (line.strip(_EDGES).split(None, 1) or [""])[0].upper()
    return word if len(word) == 2 and word.isascii() and word.isalpha() else ""


def changes(code: str) -> bool:
    """Whether a command may change something; assumed of a code that is not in the table."""
    command = COMMANDS.get(code)
    return command is None or command.effect is Effect.WRITES


class ReplyReader:
    """Finds the reply to one command in what a bank sends.

    A reply is the first line that starts with the asked code or with an error word. Other lines
    are greetings, unless nothing else comes: then the last of them is the reply, because some
    banks tell errors in bare words.
    """

    __slots__ = (
        "_bare",
        "_code",
        "_held",
        "_limit",
        "_never_bare",
        "_quiet_tells",
        "_searched",
        "_used",
        "heard",
        "oddities",
    )

    def __init__(
        self, code: str, *, greets: bool | None = None, bytes_max: int = REPLY_BYTES_MAX
    ) -> None:
        """`code` is in upper case; an empty one is answered by any line.

        `greets` says whether the bank is known to greet, None if that is not known. It decides
        how soon bare words count: a greeting taken for a refusal would call a deposit refused
        that is booked a moment later.
        """
        self._code = code
        self._limit = bytes_max
        self._held = bytearray()
        self._searched = 0
        self._used = 0
        self._bare = ""
        self._quiet_tells = greets is False or (greets is None and not changes(code)) or not code
        self._never_bare = greets is True and changes(code)
        self.heard = False
        self.oddities: set[str] = set()

    def feed(self, data: bytes) -> str | None:
        """Takes bytes as they arrived; the reply once its line is complete.

        Raises ReplyTooLong.
        """
        self.heard = self.heard or bool(data)
        held = self._held
        held += data
        while (end := held.find(b"\n", self._searched)) >= 0:
            self._used += end + 1
            if self._used > self._limit:
                break
            line = bytes(held[:end])
            follows_cr = held[end + 1 : end + 2] == b"\r"
            del held[: end + 1]
            self._searched = 0
            text = self._clean(line)
            if self._answers(text):
                self._note_end(line, follows_cr)
                return self._found(text, line)
            self._bare = text or self._bare
        self._searched = len(held)
        if self._used + len(held) > self._limit:
            held.clear()
            raise ReplyTooLong(f"the reply is longer than {self._limit} bytes")
        return None

    def quiet(self) -> str | None:
        """The reply as far as it can be told after a pause; None means keep waiting."""
        text = self._clean(bytes(self._held))
        if self._answers(text) and not self._is_begun(text):
            return self._unended(text)
        return self._bare_words() if self._quiet_tells else None

    def eof(self) -> str | None:
        """The reply if the bank will not say more; None if there is none."""
        text = self._clean(bytes(self._held))
        if self._answers(text) and not (self._is_begun(text) and not _ERROR_WORD.match(text)):
            return self._unended(text)
        return None if self._never_bare else self._bare_words()

    def late(self) -> str | None:
        """The reply if the time is over. Half a line may be half a number, and does not count."""
        text = self._clean(bytes(self._held))
        if _ERROR_WORD.match(text):
            return self._unended(text)
        if self._answers(text) or self._never_bare:
            return None
        return self._bare_words()

    def _answers(self, text: str) -> bool:
        word = text.partition(" ")[0].upper()
        return bool(word) and (word == self._code or _ERROR_WORD.match(text) is not None)

    def _is_begun(self, text: str) -> bool:
        """Whether an unended line is plainly the start of a longer one."""
        return text.upper() in ("ER", "ERR", "ERROR") or (
            text.upper() == self._code and self._code in _WITH_ARGUMENT
        )

    def _bare_words(self) -> str | None:
        text = self._clean(bytes(self._held))
        start = text.upper()
        if text and not self._answers(text):
            if self._code.startswith(start) or "ERROR".startswith(start):
                return None
            self._bare = text
        if not self._bare:
            return None
        self.oddities.add("bare words")
        return self._told(self._bare)

    def _unended(self, text: str) -> str:
        self.oddities.add("no line end")
        return self._found(text, bytes(self._held))

    def _found(self, text: str, line: bytes) -> str:
        if self._bare:
            self.oddities.add(GREETS)
        if b"\xef\xbb\xbf" in line:
            self.oddities.add("byte order mark")
        if line.strip(b"\r\n") != line.strip(b" \t\r\n"):
            self.oddities.add("padded")
        return self._told(text)

    def _told(self, text: str) -> str:
        told = one_line(text.replace("\t", " "))
        if told != text:
            self.oddities.add("control characters")
        return told

    def _note_end(self, line: bytes, follows_cr: bool) -> None:
        if follows_cr and not line.endswith(b"\r"):
            self.oddities.add(r"ends \n\r")
        elif line.endswith(b"\r\r"):
            self.oddities.add(r"ends \r\r\n")
        elif not line.endswith(b"\r"):
            self.oddities.add(r"ends \n")

    @staticmethod
    def _clean(line: bytes) -> str:
        return line.decode("utf-8", "replace").strip(_EDGES)


def judge(code: str, reply: str, oddities: frozenset[str] = frozenset()) -> Answer:
    """What a reply to a command means: DONE or REFUSED, nothing else.

    `reply` is a line as the reader returns it; `oddities` are those that are known already.
    A deposit that is answered by anything but `AD` is REFUSED, because nothing else promises
    that it was booked.
    """
    reply = one_line(reply.strip(_EDGES))
    error = _ERROR_WORD.match(reply)
    if error is not None and not (code and reply.upper() == code):
        word = error.group().strip()
        if word != "ER":
            oddities |= {"err word"}
        return _refused(reply[error.end() :] or "no reason was given", oddities)
    words = reply.split()
    if not code or not words or words[0].upper() != code:
        return _refused(reply or "an empty reply", oddities | {"bare words"})
    if words[0] != code:
        oddities |= {"lower case"}
    if code in _EXACT:
        return _judge_exact(code, words, oddities)
    if code in _AMOUNTS:
        return _judge_amount(code, words, oddities)
    if code == "AC":
        return _judge_opened(words, oddities)
    if code == "BC":
        return _judge_code(words, oddities)
    return Answer(Kind.DONE, f"{code}{reply[len(code) :]}", oddities)


def _judge_exact(code: str, words: list[str], oddities: frozenset[str]) -> Answer:
    if len(words) == 1:
        return Answer(Kind.DONE, code, oddities)
    return _refused(" ".join(words[1:]), oddities | {"more than the code"})


def _judge_amount(code: str, words: list[str], oddities: frozenset[str]) -> Answer:
    told = " ".join(words[1:])
    if len(words) == 2 and _NUMBER.fullmatch(told) and int(told) <= AMOUNT_MAX:
        return Answer(Kind.DONE, f"{code} {parse_amount(told.encode())}", oddities)
    if len(words) == 2 and _ABSURD.fullmatch(told[:_NUMBER_CHARACTERS_MAX]):
        oddities |= {ABSURD_NUMBER}
    return _unexpected(words, oddities)


def _judge_opened(words: list[str], oddities: frozenset[str]) -> Answer:
    number, slash, bank = " ".join(words[1:]).partition("/")
    if not _NUMBER.fullmatch(number) or (slash and not _is_address(bank)):
        return _unexpected(words, oddities)
    if not ACCOUNT_MIN <= int(number) <= ACCOUNT_MAX:
        return _unexpected(words, oddities | {ABSURD_NUMBER})
    if not slash:
        oddities |= {"no address"}
    return Answer(Kind.DONE, f"AC {int(number)}{slash}{bank}", oddities)


def _judge_code(words: list[str], oddities: frozenset[str]) -> Answer:
    address = " ".join(words[1:])
    if not _is_address(address):
        return _unexpected(words, oddities)
    return Answer(Kind.DONE, f"BC {address}", oddities)


def _is_address(text: str) -> bool:
    try:
        parse_bank_code(text.encode())
    except Refused:
        return False
    return True


def _unexpected(words: list[str], oddities: frozenset[str]) -> Answer:
    return _refused(f"unexpected reply: {' '.join(words)}", oddities)


def _refused(words: str, oddities: frozenset[str]) -> Answer:
    if len(words) > _ERROR_CHARACTERS_MAX:
        words = words[:_ERROR_CHARACTERS_MAX] + "..."
    return Answer(Kind.REFUSED, f"ER {words}", oddities)
