"""Robbery plans: how long they take, how much memory, and what the usual greedy planner wastes.

python -m bench.robbery
python -m bench.robbery --json FILE
"""

import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import click

from bank_node.banking.robbery import Bank, Objective, Plan, greedy_plan, plan

# The reply time-out of the protocol is 5 s, and the scan before the plan needs some of it.
DEADLINE_S = 4.5

Numbers = Callable[[random.Random], tuple[int, int]]


def unrelated(rng: random.Random) -> tuple[int, int]:
    """Money and clients know nothing of each other."""
    return rng.randint(1, 10**12), rng.randint(1, 10**5)


def classroom(rng: random.Random) -> tuple[int, int]:
    """Some big banks, many small ones, and every client has a few thousand."""
    clients = 1 + int(rng.lognormvariate(3, 1.5))
    return 1 + int(rng.gammavariate(clients, 5_000)), clients


def correlated(rng: random.Random) -> tuple[int, int]:
    """Money follows the clients, with a tenth of noise."""
    clients = rng.randint(1, 10**5)
    return max(1, 1_000 * clients + rng.randint(-(10**7), 10**7)), clients


def strongly_correlated(rng: random.Random) -> tuple[int, int]:
    """Every bank has the same money of its own beside that of its clients."""
    clients = rng.randint(1, 10**5)
    return 1_000 * clients + 10**7, clients


def nearly_proportional(rng: random.Random) -> tuple[int, int]:
    """Every client has a thousand, give or take next to nothing."""
    clients = rng.randint(1, 10**5)
    return 1_000 * clients + rng.randint(-500, 500), clients


def same_clients(rng: random.Random) -> tuple[int, int]:
    """Every bank has seven clients."""
    return rng.randint(1, 10**6), 7


def even_but_one(rng: random.Random) -> tuple[int, int]:
    """Even amounts; `network` makes one of them odd."""
    return 2 * rng.randint(1, 10**6), rng.randint(1, 10**5)


@dataclass(frozen=True, slots=True)
class Case:
    """Networks of one kind, and how many of them."""

    numbers: Numbers
    banks: int
    rounds: int
    objective: Objective = "fewest"

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.objective}, {self.numbers.__name__.replace('_', ' ')}, {self.banks:,}"


CASES = (
    Case(unrelated, 254, 60),
    Case(classroom, 254, 60),
    Case(correlated, 254, 60),
    Case(even_but_one, 254, 60),
    Case(same_clients, 254, 10),
    Case(strongly_correlated, 254, 10),
    Case(nearly_proportional, 254, 10),
    Case(unrelated, 65_000, 3),
    Case(correlated, 65_000, 3),
    Case(classroom, 65_000, 3),
    Case(unrelated, 30, 10, "closest"),
    Case(classroom, 254, 10, "closest"),
    Case(unrelated, 254, 5, "closest"),
)


@dataclass(frozen=True, slots=True)
class Round:
    """One plan; what greedy wastes is in per cent of the clients and of the target."""

    ms: float
    proven: bool
    off_percent: float
    greedy_clients_percent: float
    greedy_money_percent: float


def network(case: Case, rng: random.Random) -> list[Bank]:
    """The banks of one round."""
    first = 10 << 24
    banks = [Bank(first + place, *case.numbers(rng)) for place in range(case.banks)]
    if case.numbers is even_but_one:
        banks[0] = Bank(first, banks[0].amount + 1, banks[0].clients)
    return banks


def measured(case: Case, number: int) -> Round:
    """Plans once against the clock, and once greedily."""
    rng = random.Random(f"{case.name} {number}")
    banks = network(case, rng)
    target = rng.randint(1, sum(bank.amount for bank in banks))
    begin = time.perf_counter()
    exact = plan(
        banks, target, case.objective, now=time.perf_counter, deadline_s=begin + DEADLINE_S
    )
    ms = (time.perf_counter() - begin) * 1e3
    greedy = greedy_plan(banks, target)
    assert isinstance(exact, Plan), "the target is at most what all banks hold"
    assert isinstance(greedy, Plan), "the target is at most what all banks hold"
    return Round(
        ms,
        exact.proven,
        100 * exact.clients_off_at_most / max(1, exact.clients),
        100 * (greedy.clients - exact.clients) / max(1, exact.clients),
        100 * (greedy.amount - exact.amount) / target,
    )


def run(case: Case) -> tuple[list[Round], int]:
    """All rounds of a case, and the peak memory of this process in bytes."""
    rounds = [measured(case, number) for number in range(case.rounds)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return rounds, peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one case."""

    case: str
    ms_median: float
    ms_max: float
    peak_mb: float
    proven: int
    off_percent_max: float
    greedy_clients_percent: float
    greedy_clients_percent_max: float
    greedy_money_percent: float
    greedy_money_percent_max: float
    rounds: list[Round]

    def __str__(self) -> str:
        return (
            f"| {self.case} | {self.ms_median:.1f} ms | {self.ms_max:.1f} ms "
            f"| {self.peak_mb:.0f} MB | {self.proven}/{len(self.rounds)} "
            f"| {self.off_percent_max:.2g} % "
            f"| {self.greedy_clients_percent:.2g} % ({self.greedy_clients_percent_max:.2g} %) "
            f"| {self.greedy_money_percent:.2g} % ({self.greedy_money_percent_max:.2g} %) |"
        )


def row_of(case: Case) -> Row:
    """The row of a case, measured in a process of its own because of the memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        rounds, peak_bytes = alone.submit(run, case).result()
    clients = [each.greedy_clients_percent for each in rounds]
    money = [each.greedy_money_percent for each in rounds]
    return Row(
        case.name,
        statistics.median(each.ms for each in rounds),
        max(each.ms for each in rounds),
        peak_bytes / 1e6,
        sum(each.proven for each in rounds),
        max(each.off_percent for each in rounds),
        statistics.mean(clients),
        max(clients),
        statistics.mean(money),
        max(money),
        rounds,
    )


HEADER = (
    "| objective, network, banks | median | max | peak | proven | clients off at most "
    "| greedy: clients more, mean (max) | greedy: money more, mean (max) |\n"
    "|---|---|---|---|---|---|---|---|"
)


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--only", default="", help="Only cases whose name contains this.")
def main(json_file: Path | None, only: str) -> None:
    """Measure plans of many networks and print a table; one to two minutes."""
    rows: list[Row] = []
    click.echo(HEADER)
    for case in CASES:
        if only in case.name:
            rows.append(row_of(case))
            click.echo(str(rows[-1]))
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
