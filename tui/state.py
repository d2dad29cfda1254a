"""What the console remembers between two starts: screen, sorting, theme, keys. One JSON file.

A file that is missing, old or broken costs the memory and nothing else.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

FILE = "console.json"


class Remembered(Struct):
    """The memory of a console."""

    screen: str = "overview"
    theme: str = "bank-dark"
    sort: dict[str, str] = {}
    """By table: the key of its column, with a minus in front when it descends."""
    keymap: dict[str, str] = {}
    """By action: its keys, where they are not the default ones."""
    history: list[str] = []
    """Lines typed in the console, the oldest first; never a token."""
    trace: bool = False
    log_source: str = "log"
    objective: str = "fewest"


_HISTORY_MAX = 200


class Memory:
    """Reads and writes the memory in a folder that is handed in; without one it forgets."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.now = Remembered()
        if folder is not None:
            with suppress(OSError, ValueError, ValidationError, RecursionError):
                told: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
                self.now = convert(told, Remembered)

    def save(self) -> None:
        """Writes what is remembered; a disk that refuses costs the memory only."""
        if self.folder is None:
            return
        self.now.history = self.now.history[-_HISTORY_MAX:]
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target = self.folder / FILE
            new = target.with_suffix(".new")
            new.write_text(json.dumps(to_builtins(self.now), indent=1), encoding="utf-8")
            os.replace(new, target)
