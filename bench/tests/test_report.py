"""What is written down must be what was measured."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench import machine, memory
from bench.errors import BenchError
from bench.report import Report, Row, Unit

ABOUT = machine.Machine(
    date="2026-01-01T00:00:00+00:00",
    cpus=2,
    cpu_model="a model",
    kernel="6.1",
    python="3.11.7",
    python_build="with the GIL",
    file_system="ext4",
    sync_us=200.0,
    redis="Redis 7",
    postgres=None,
)
ROW = Row(
    name="ad64",
    what="durable AD",
    measured="50/s",
    compared_with="Redis: 100/s",
    result=0.5,
    unit=Unit.TIMES,
    at_least=True,
    bar=0.4,
    dream=1.0,
    details={"bank": [{"cpu_share": 0.25}], "rival": [{"cpu_share": 0.75}]},
)


@pytest.mark.parametrize(
    ("result", "at_least", "bar", "dream", "reached"),
    [
        (0.5, True, 0.4, 1.0, "bar"),
        (0.4, True, 0.4, None, "bar"),
        (0.3, True, 0.4, 1.0, "**missed**"),
        (1.5, True, 0.4, 1.0, "dream"),
        (0.2, False, 1.0, 0.3, "dream"),
        (1.1, False, 1.0, 0.3, "**missed**"),
        (1.1, False, None, None, "no bar"),
    ],
)
def test_verdict(
    result: float, at_least: bool, bar: float | None, dream: float | None, reached: str
) -> None:
    row = replace(ROW, result=result, at_least=at_least, bar=bar, dream=dream)
    assert row.reached == reached


def test_a_row_has_as_many_cells_as_the_header() -> None:
    table = Report(ABOUT, 2, 2, 10, rows=[ROW]).markdown().split("\n\n", maxsplit=1)[0]
    assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "| durable AD | 50/s | Redis: 100/s | 0.50x | >= 0.40x | >= 1.00x | bar |" in table


def test_what_was_left_out_is_said_and_the_busiest_generator_named() -> None:
    report = Report(ABOUT, 2, 2, 10, rows=[ROW], left_out=["`pgbench`: not installed"])
    assert "Left out: `pgbench`: not installed" in report.markdown()
    assert "at most 0.75 of one CPU" in report.markdown()


def test_json_names_unit_and_verdict() -> None:
    row = json.loads(Report(ABOUT, 2, 2, 10, rows=[ROW]).json())["rows"][0]
    assert (row["unit"], row["reached"], row["result"]) == ("times", "bar", 0.5)


def test_memory_is_no_disk() -> None:
    shm = Path("/dev/shm")
    if machine.file_system(shm) != "tmpfs":
        pytest.skip("no tmpfs here")
    with pytest.raises(BenchError, match="choose a folder on a disk"):
        machine.require_disk(shm)


def test_own_memory_is_seen() -> None:
    assert memory.tree_rss_bytes(os.getpid()) > 5_000_000
