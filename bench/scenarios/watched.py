"""What a console costs: the same node under full load, alone and while an operator watches it.

Knows which questions the console asks and how often.
"""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.bank_server import Bank, RunningBank
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.duels import rates_text
from bench.workbench import Measurement, Workbench

ACCOUNTS = 90_000
# The console looks at everything once a second, and at each stream twice.
_BEAT_S = 1.0
_BREATH_S = 0.5
_PULSE = ("OS", "OM", "OP", "OC count=200 sort=-balance")
_STREAMS = ("OE", "OL", "OT")


def watched(bench: Workbench) -> Sequence[Row]:
    bank, load = Bank(bench), Load("ad")
    with bench.scratch("watched") as data, bank.running(data) as running:
        bank.open_accounts(running, ACCOUNTS)
        rounds = [_one_round(bank, running, load, data) for _ in range(bench.rounds)]
    costs = [100 * (1 - seen.rate / alone.rate) for alone, seen in rounds]
    alone, seen = [pair[0] for pair in rounds], [pair[1] for pair in rounds]
    row = Row(
        name="watched",
        what=f"cost of an attached console, durable AD, 64 connections, {ACCOUNTS:,} accounts",
        measured=rates_text(seen),
        compared_with=f"the same node without a console: {rates_text(alone)}",
        result=median(costs),
        unit=Unit.PERCENT,
        at_least=False,
        bar=5.0,
        details={
            "costs": costs,
            "watched": [each.details for each in seen],
            "alone": [each.details for each in alone],
        },
    )
    return [row]


def _one_round(
    bank: Bank, running: RunningBank, load: Load, data: Path
) -> tuple[Measurement, Measurement]:
    alone = _measured(bank, running, load)
    with _console(data) as asked:
        seen = _measured(bank, running, load)
    return alone, Measurement(seen.rate, {**seen.details, "asked": dict(asked)})


def _measured(bank: Bank, running: RunningBank, load: Load) -> Measurement:
    result = bank.load(running, load)
    return Measurement(result.rate, {"p99_us": result.p99_us})


@contextmanager
def _console(data: Path) -> Iterator[dict[str, int]]:
    """Asks what a console asks until the block ends; how often each was answered."""
    asked: dict[str, int] = {}
    stop = threading.Event()
    works = [_pulse, *(_stream(code) for code in _STREAMS)]
    threads = [threading.Thread(target=work, args=(data, stop, asked)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _pulse(data: Path, stop: threading.Event, asked: dict[str, int]) -> None:
    with _Operator(data) as operator:
        while not stop.wait(_BEAT_S):
            for line in _PULSE:
                operator.document(line)
                asked[line[:2]] = asked.get(line[:2], 0) + 1


def _stream(code: str) -> Any:
    def follow(data: Path, stop: threading.Event, asked: dict[str, int]) -> None:
        with _Operator(data) as operator:
            after = operator.document(f"{code} count=1")["next"]
            while not stop.wait(_BREATH_S):
                page = operator.document(f"{code} count=500 after={after} wait=1")
                after = page["next"]
                asked[code] = asked.get(code, 0) + 1

    return follow


class _Operator:
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

    def __enter__(self) -> "_Operator":
        return self

    def __exit__(self, *_: object) -> None:
        self._replies.close()
        self._socket.close()
