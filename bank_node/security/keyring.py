"""The keys of other banks, pinned on first use: a changed key is refused until an operator accepts.

As SSH does it. Every change is on disk before it counts. Knows no network and asks nobody; moments
are handed in as microseconds since the epoch.
"""

from pathlib import Path
from threading import Lock
from typing import Annotated, Literal, NamedTuple

import msgspec

from bank_node.errors import Refused, StartupError
from bank_node.security.files import write_private
from bank_node.security.identity import is_key
from bank_node.values import BankCode, parse_bank_code

BANKS_MAX = 65_536
# A row has about 200 bytes; what is far bigger was not written by a node.
_BYTES_MAX = 32_000_000

_Text = Annotated[str, msgspec.Meta(max_length=64)]


class Pin(NamedTuple):
    """What is known of the key of one bank."""

    bank: BankCode
    key: str
    """The key that counts."""
    since_us: int
    offered: str = ""
    """Another key that the bank claims to have now; empty when there is none."""
    offered_us: int = 0


class _Row(msgspec.Struct, frozen=True):
    bank: _Text
    key: _Text
    since_us: int
    offered: _Text = ""
    offered_us: int = 0


class _Document(msgspec.Struct, frozen=True):
    format: Literal["bank keys"]
    version: Literal[1]
    keys: Annotated[list[_Row], msgspec.Meta(max_length=BANKS_MAX)]


class Keyring:
    """The pins of one bank. From any thread."""

    def __init__(self, path: Path) -> None:
        """Reads the pins of earlier runs.

        Raises StartupError when the file is there and cannot be read: going on without it would
        take the next key that anybody offers for the right one.
        """
        self._path = path
        self._lock = Lock()
        self._pins = {pin.bank: pin for pin in _load(path)}

    def key_of(self, bank: BankCode) -> str | None:
        """The key that counts for a bank; None while none is pinned."""
        pin = self._pins.get(bank)
        return pin.key if pin else None

    def offer(self, bank: BankCode, key: str, now_us: int) -> bool:
        """A bank says that this is its key: whether it is the one that counts.

        The first key of a bank is pinned. Another one is kept for the operator to decide, and
        refused. Raises OSError when it cannot be kept, nothing is changed then.
        """
        with self._lock:
            pin = self._pins.get(bank)
            if pin is not None and pin.key == key:
                return True
            if not is_key(key):
                return False
            if pin is None:
                if len(self._pins) >= BANKS_MAX:
                    return False
                self._put(Pin(bank, key, now_us))
                return True
            if pin.offered != key:
                self._put(pin._replace(offered=key, offered_us=now_us))
            return False

    def accept(self, bank: BankCode, key: str, now_us: int) -> bool:
        """The operator says that this key counts from now on.

        False if the bank has not offered it, so that nobody accepts what has changed meanwhile.
        Raises OSError.
        """
        with self._lock:
            pin = self._pins.get(bank)
            if pin is None or pin.offered != key:
                return False
            self._put(Pin(bank, key, now_us))
            return True

    def forget(self, bank: BankCode) -> bool:
        """The operator unpins a bank: its next key is taken as its first. Raises OSError."""
        with self._lock:
            if bank not in self._pins:
                return False
            self._keep({code: pin for code, pin in self._pins.items() if code != bank})
            return True

    def pins(self) -> list[Pin]:
        """All pins by bank."""
        return sorted(self._pins.values())

    def changed(self) -> list[Pin]:
        """The pins whose banks offer another key."""
        return [pin for pin in self.pins() if pin.offered]

    def _put(self, pin: Pin) -> None:
        self._keep({**self._pins, pin.bank: pin})

    def _keep(self, pins: dict[BankCode, Pin]) -> None:
        rows = [_Row(*pin) for pin in sorted(pins.values())]
        text = msgspec.json.encode(_Document("bank keys", 1, rows))
        write_private(self._path, msgspec.json.format(text, indent=1) + b"\n")
        self._pins = pins


def _load(path: Path) -> list[Pin]:
    try:
        with path.open("rb") as file:
            document = msgspec.json.decode(file.read(_BYTES_MAX), type=_Document)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StartupError(f"the keys of other banks, {path}, cannot be read: {error}") from None
    return [_pin(row, path) for row in document.keys]


def _pin(row: _Row, path: Path) -> Pin:
    try:
        bank = parse_bank_code(row.bank.encode())
    except Refused:
        raise StartupError(f"{path} holds {row.bank!r}, which is no bank") from None
    for key in filter(None, (row.key or "no key", row.offered)):
        if not is_key(key):
            raise StartupError(f"{path} holds {key!r}, which is no key")
    return Pin(bank, row.key, row.since_us, row.offered, row.offered_us)
