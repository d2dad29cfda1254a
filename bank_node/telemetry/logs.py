"""The program's own log: what the node did, one safe line for each event."""

import json
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import NamedTuple

from bank_node.telemetry.ring import Ring
from bank_node.values import one_line

_LINES_KEPT = 4096
# Of a traceback more would not fit on a screen; the file has all of it.
_LINE_MAX = 2000


class TextFormatter(logging.Formatter):
    """Time, level, room, message; a traceback follows on the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record).replace("\n", " | "))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, room, message."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "time": round(record.created, 6),
                "level": record.levelname.lower(),
                "room": record.name,
                "message": _message(record),
            },
            ensure_ascii=False,
        )


def _message(record: logging.LogRecord) -> str:
    """What a record says, on one safe line, its traceback included."""
    message = record.getMessage()
    if record.exc_info:
        message += " | " + logging.Formatter().formatException(record.exc_info)
    return one_line(message.replace("\n", " | "))


class LogLine(NamedTuple):
    """One line of the log as an operator's tool shows it."""

    time_us: int
    level: str
    room: str
    text: str


class LogTail(logging.Handler):
    """Keeps the last lines of the log in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.ring: Ring[LogLine] = Ring(_LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line; one that cannot be formatted is the program's fault, and is reported."""
        try:
            text = _message(record)[:_LINE_MAX]
        except Exception:
            self.handleError(record)
            return
        level = record.levelname.lower()
        self.ring.add((LogLine(int(record.created * 1e6), level, record.name, text),))


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
