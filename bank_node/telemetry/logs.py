"""The program's own log: what the node did, one safe line for each event."""

import json
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bank_node.values import one_line


class TextFormatter(logging.Formatter):
    """Time, level, room, message; a traceback follows on the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record).replace("\n", " | "))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, room, message."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message += " | " + self.formatException(record.exc_info).replace("\n", " | ")
        return json.dumps(
            {
                "time": round(record.created, 6),
                "level": record.levelname.lower(),
                "room": record.name,
                "message": one_line(message),
            },
            ensure_ascii=False,
        )


def start_logging(
    path: Path, *, level: str, as_json: bool, file_bytes: int, files_kept: int
) -> None:
    """Logs to a rotating file, and warnings to stderr as well. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    formatter = JsonFormatter() if as_json else TextFormatter()
    to_file = RotatingFileHandler(
        path, maxBytes=file_bytes, backupCount=files_kept, encoding="utf-8"
    )
    to_screen = logging.StreamHandler(sys.stderr)
    to_screen.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(level.upper())
    for handler in (to_file, to_screen):
        handler.setFormatter(formatter)
        root.addHandler(handler)
