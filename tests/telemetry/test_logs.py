"""The program's own log: whatever it is told, a line of it is one safe line."""

import json
import logging
import sys

import pytest

from bank_node.telemetry.logs import JsonFormatter, TextFormatter

HOSTILE = "he said \x1b[2J\r\nERROR all is well\u2028 \u202e \x9b"


def record(text: str, *, failed: bool = False) -> logging.LogRecord:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        trace = sys.exc_info() if failed else None
    return logging.LogRecord("bank_node.test", logging.ERROR, "", 1, "%s", (text,), trace)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
@pytest.mark.parametrize("failed", [False, True])
def test_no_text_can_break_out_of_its_line(formatter, failed):
    line = formatter.format(record(HOSTILE, failed=failed))
    assert line.isprintable()
    assert "all is well" in line
    assert ("ValueError" in line) is failed


def test_a_line_of_json_has_what_a_program_needs():
    told = json.loads(JsonFormatter().format(record("fine")))
    assert (told["level"], told["room"], told["message"]) == ("error", "bank_node.test", "fine")
