"""A connection to the operator's port of a node that is measured."""

import json
import socket
from pathlib import Path
from typing import Any


class Operator:
    """A connection to the operator's port that has shown the token."""

    def __init__(self, data: Path) -> None:
        host, _, port = (data / "operator.address").read_text().strip().partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._replies = self._socket.makefile("rb")
        self.ask("OA " + (data / "operator.token").read_text().strip())

    def ask(self, line: str) -> bytes:
        self._socket.sendall(line.encode() + b"\n")
        reply = self._replies.readline()
        if not reply.startswith(line[:2].encode()):
            raise ConnectionError(f"{line[:2]}: {reply[:100]!r}")
        return reply

    def document(self, line: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.ask(line)[2:])
        return document

    def __enter__(self) -> "Operator":
        return self

    def __exit__(self, *_: object) -> None:
        self._replies.close()
        self._socket.close()
