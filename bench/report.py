"""Rows, verdicts and the two files that keep them.

Knows how figures are written down, and nothing of how they were measured.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from bench.machine import Machine

HEADER = (
    "| measurement | bank | compared with | result | bar | dream | reached |\n"
    "|---|---:|---|---:|---:|---:|---|\n"
)


class Unit(Enum):
    """How a figure is printed; the value is a format."""

    TIMES = "{:.2f}x"
    SECONDS = "{:.2f} s"
    MILLISECONDS = "{:.1f} ms"
    MEGABYTES = "{:.0f} MB"
    PERCENT = "{:.1f} %"
    COUNT = "{:.0f}"
    RATE = "{:,.0f}/s"
    BYTES = "{:,.0f} bytes"

    def text(self, value: float) -> str:
        return self.value.format(value)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    what: str
    measured: str
    compared_with: str
    result: float
    unit: Unit
    at_least: bool
    bar: float | None
    dream: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> str:
        if self.bar is None:
            return "no bar"
        if self.dream is not None and self._meets(self.dream):
            return "dream"
        return "bar" if self._meets(self.bar) else "**missed**"

    def _meets(self, limit: float) -> bool:
        return self.result >= limit if self.at_least else self.result <= limit

    def markdown(self) -> str:
        sign = ">=" if self.at_least else "<="
        limits = [f"{sign} {self.unit.text(x)}" if x is not None else "" for x in self.limits]
        cells = [self.what, self.measured, self.compared_with, self.unit.text(self.result)]
        return "| " + " | ".join([*cells, *limits, self.reached]) + " |\n"

    @property
    def limits(self) -> tuple[float | None, float | None]:
        return self.bar, self.dream


@dataclass(slots=True)
class Report:
    machine: Machine
    seconds: float
    rounds: int
    accounts: int
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        parts = [HEADER, *(row.markdown() for row in self.rows), "\n"]
        parts += [f"Left out: {reason}\n\n" for reason in self.left_out]
        machine = self.machine
        parts.append(
            f"{self.rounds} rounds of {self.seconds:g} s each; what is compared takes turns within "
            f"a round, each time the other at rest; {self.accounts:,} accounts or keys; rates are "
            "medians a second, results the medians of the ratios of neighbouring turns. "
            f"{machine.date}, {machine.cpus} CPUs ({machine.cpu_model}), Linux {machine.kernel}, "
            f"Python {machine.python} {machine.python_build}, {machine.file_system}, one synced "
            f"4 KiB append {machine.sync_us:.0f} us"
        )
        peers = [peer for peer in (machine.redis, machine.postgres) if peer]
        parts.append("".join(f"; {peer}" for peer in peers) + ".\n")
        busiest = self.generator_cpu_share_max()
        if busiest is not None:
            parts.append(
                f"\nThe load generator itself used at most {busiest:.2f} of one CPU; "
                "near 1.00 it limits what it measures.\n"
            )
        return "".join(parts)

    def generator_cpu_share_max(self) -> float | None:
        shares = [
            float(run["cpu_share"])
            for row in self.rows
            for runs in row.details.values()
            if isinstance(runs, list)
            for run in runs
            if isinstance(run, dict) and "cpu_share" in run
        ]
        return max(shares, default=None)

    def json(self) -> str:
        data = asdict(self)
        for row, kept in zip(self.rows, data["rows"], strict=True):
            kept["unit"] = row.unit.name.lower()
            kept["reached"] = row.reached.strip("*")
        return json.dumps(data, indent=2) + "\n"


def write(report: Report, markdown_file: Path, json_file: Path) -> None:
    for file, text in ((markdown_file, report.markdown()), (json_file, report.json())):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
