"""The operator's token: a secret in a file that only its owner can read.

Knows the file and the comparison; never who asks nor what for. Randomness is handed in.
"""

import hmac
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from bank_node.errors import StartupError

TOKEN_BYTES = 32
"""Bytes of chance in a token: 256 bits, which nobody guesses."""

# What `secrets.token_urlsafe(TOKEN_BYTES)` makes: 43 characters that need no quoting anywhere.
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
_FILE_BYTES_MAX = 256
_OTHERS = 0o077


def obtain_token(path: Path, new_token: Callable[[], str]) -> str:
    """The token in a file, which is made at the first start.

    A token that others could have read, and a file that holds none (a start was interrupted), are
    replaced. Raises StartupError when the file can be neither read nor written.
    """
    try:
        token = read_token(path)
        if token and not _others_may_read(path):
            return token
        path.unlink(missing_ok=True)
        return _create(path, new_token())
    except OSError as error:
        raise StartupError(f"the operator's token {path}: {error.strerror}") from None


def read_token(path: Path) -> str:
    """The token in a file; empty when there is none in it. Raises OSError."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    return text if _FORM.fullmatch(text) else ""


def is_token(token: str, offered: bytes) -> bool:
    """Whether an offered word is the token; takes the same time however much of it is right."""
    return hmac.compare_digest(token.encode("ascii"), offered)


def _others_may_read(path: Path) -> bool:
    # Windows keeps no such bits; there the folder of the user is what protects the file.
    return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)


def _create(path: Path, token: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Exclusive: never through a link that somebody else has put there, nor into their file.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token
