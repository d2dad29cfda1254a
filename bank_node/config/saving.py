"""Writing one setting into the JSON file, so that the next start finds it."""

import json
import os
from pathlib import Path
from typing import Any

from bank_node.config.problems import bad_file
from bank_node.config.sources import from_file


def save(path: Path, name: str, value: object) -> None:
    """Sets one dotted key in a settings file, which is made when there is none.

    Everything else in it stays, in its order; its layout becomes that of `json.dumps`. The file
    is replaced in one step. Raises SettingsError when it is wrong already or cannot be written.
    """
    root: dict[str, Any] = {}
    try:
        if path.exists():
            list(from_file(path))  # Raises what is wrong with it.
            root = json.loads(path.read_text(encoding="utf-8-sig"))
        section, dot, leaf = name.rpartition(".")
        members = root.setdefault(section, {}) if dot else root
        members[leaf] = value
        _replace(path, json.dumps(root, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise bad_file(
            str(path), f"cannot be written: {error.strerror}", "a writable file"
        ) from None


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
