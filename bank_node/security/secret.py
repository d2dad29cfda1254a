"""A bank's secret: chance in a file of the data folder, outside of every database.

From it come the pepper of the PINs and the keys of the tokens that the bank gives out, each
derived for its own use. Losing the file makes every PIN and token worthless.
"""

import hmac
from collections.abc import Callable
from pathlib import Path

from bank_node.errors import StartupError
from bank_node.security.files import others_may_read, write_private
from bank_node.security.identity import from_text, to_text

SECRET_BYTES = 32
_FILE_BYTES_MAX = 256


def obtain_secret(path: Path, new_secret: Callable[[], bytes]) -> bytes:
    """The secret in a file, which is made at the first start.

    Raises StartupError when it cannot be read or written, when others may read it, and when what
    it holds is no secret: with another one no PIN would be right any more.
    """
    try:
        if not path.exists():
            write_private(path, to_text(new_secret()).encode("ascii") + b"\n")
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX).decode("ascii", "replace").strip()
        exposed = others_may_read(path)
    except OSError as error:
        raise StartupError(f"the secret of the bank, {path}: {error.strerror}") from None
    if exposed:
        raise StartupError(f"others may read the secret of the bank, say: chmod 600 {path}")
    secret = from_text(text, SECRET_BYTES)
    if secret is None:
        raise StartupError(f"{path} does not hold the secret of a bank, put the right one back")
    return secret


def derive(secret: bytes, use: str) -> bytes:
    """A key for one use; from it neither the secret nor the key of another use can be told."""
    return hmac.digest(secret, b"p2p-bank-node 1 " + use.encode(), "sha256")
