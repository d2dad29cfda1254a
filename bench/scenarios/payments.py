"""Payments with a PIN: within a bank, between two banks, and a crowd that registers and pays once.

Every payment has a reference of its own, so that none is a repetition; afterwards the banks must
hold what was paid in, to the unit.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.bank_server import REPOSITORY, Bank, RunningBank
from bench.errors import BenchError
from bench.generator import Load, LoadResult
from bench.processes import cpu_s
from bench.report import Row, Unit
from bench.scenarios.transfers import FILL_S, PAYEE, PAYER, SETTLED_S, expect_total
from bench.workbench import Workbench

PAYERS, PAYEES = 1000, 100
WEALTH = 1_000_000
REQUESTS = 60_000
CROWD = 10_000
_CROWD_S = 300.0
_ENOUGH = 2**62
_LETTERS = str.maketrans("0123456789", "abcdefghjk")


def payments(bench: Workbench) -> Sequence[Row]:
    return [
        _paid(bench, "payments_inside", "within a bank", "light", other=False),
        _paid(bench, "payments_between", "between two banks", "light", other=True),
        _paid(bench, "payments_standard", "within a bank, PINs that are costly to guess",
              "standard", other=False),
        *_crowd(),
    ]  # fmt: skip


def _paid(bench: Workbench, name: str, what: str, profile: str, *, other: bool) -> Row:
    here = _bank(bench, PAYER, PAYEE, "prague", profile)
    there = _bank(bench, PAYEE, PAYER, "brno", "light")
    results: list[LoadResult] = []
    costs_us: list[float] = []
    # A check at the standard profile takes a processor for 50 ms, so that many clients would wait
    # for longer than a reply may take.
    payers, rounds, clients = (PAYERS, bench.rounds, 64) if profile == "light" else (40, 1, 8)
    for _ in range(rounds):
        with (
            bench.scratch("payer") as one,
            bench.scratch("payee") as two,
            here.running(one) as prague,
            there.running(two) as brno,
        ):
            payee_bank, handle = (brno, "brno") if other else (prague, "prague")
            _once(bench, prague, _registered("u", "prague", payers))
            _once(bench, payee_bank, _registered("p", handle, PAYEES))
            _once(bench, prague, [f"PI {_vpa('u', 'prague', n)} {WEALTH} in 2580"
                                  for n in range(payers)])  # fmt: skip
            if other:
                _meet(prague, _vpa("p", handle, 0))
            file = one / "bench_payments.txt"
            _write_requests(file, handle, payers)
            used = _used(prague, brno)
            result = here.load(prague, Load("lines", connections=clients, lines=file))
            costs_us.append((_used(prague, brno) - used) * 1e6 / result.acknowledged_total)
            if other:
                expect_total(brno, result.acknowledged_total)
            gone = result.acknowledged_total if other else 0
            expect_total(prague, payers * WEALTH - gone)
        results.append(result)
    rate = median(each.rate for each in results)
    return Row(
        name=name,
        what=f"durable PP {what}, {clients} connections, 1 in flight",
        measured=f"{rate:,.0f}/s, p99 {median(each.p99_us for each in results) / 1000:.0f} ms",
        compared_with=f"processor time of the banks: {median(costs_us):.0f} us each",
        result=rate,
        unit=Unit.RATE,
        at_least=True,
        bar=2000 if profile == "light" else None,
        details={"runs": [asdict(each) for each in results], "cpu_us": costs_us},
    )


def _bank(bench: Workbench, host: str, other: str, handle: str, profile: str) -> Bank:
    return Bank(bench, host=host, settings={
        "network": {"subnets": [f"{other}/32"], "scan_every": 1},
        "payments": {"handle": handle, "pin_profile": profile, "per_minute": 1_000_000,
                     "per_payment": _ENOUGH, "per_day": _ENOUGH, "new_client": _ENOUGH},
    })  # fmt: skip


def _vpa(kind: str, handle: str, number: int) -> str:
    return f"{kind}{number:05}@{handle}".translate(_LETTERS)


def _registered(kind: str, handle: str, count: int) -> list[str]:
    return [f"PU {_vpa(kind, handle, n)} Somebody {420_000_000_000 + n} 2580" for n in range(count)]


def _once(bench: Workbench, bank: RunningBank, lines: list[str]) -> None:
    """Sends each line once; nobody times it."""
    file = bank.target.accounts.with_name("bench_once.txt")
    file.write_text("".join(f"{line}\n" for line in lines))
    load = Load("lines", connections=16, requests=len(lines), lines=file)
    bank.target.accounts.touch()
    bench.generator.run(bank.target, load, seconds=FILL_S)


def _write_requests(file: Path, handle: str, payers: int) -> None:
    with file.open("w") as lines:
        for n in range(REQUESTS):
            payer, payee = _vpa("u", "prague", n % payers), _vpa("p", handle, n % PAYEES)
            lines.write(f"PP {payer} {payee} 1 r{n} 2580\n")


def _meet(bank: RunningBank, vpa: str) -> None:
    """Waits until a bank knows whose handle that is."""
    give_up = time.monotonic() + SETTLED_S
    while not (reply := bank.ask(f"PR {vpa}")).startswith("PR"):
        if time.monotonic() > give_up:
            raise BenchError(f"the two banks do not find each other: {reply}")
        time.sleep(0.1)


def _used(*banks: RunningBank) -> float:
    return sum(cpu_s(bank.process.pid) for bank in banks)


def _crowd() -> list[Row]:
    """`bank simulate` with two banks of its own; the crowd shares the machine with them."""
    file = Path(REPOSITORY / "build" / "bench_crowd.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bank_node", "simulate", "--users", str(CROWD)]
    command += ["--banks", "2", "--seed", "1", "--json", str(file)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False,
                         timeout=_CROWD_S)  # fmt: skip
    if ran.returncode:
        raise BenchError(
            f"the crowd's money does not add up: {ran.stdout[-500:]}{ran.stderr[-500:]}"
        )
    told = json.loads(file.read_text())
    rates = {
        phase["name"]: f"{phase['name']} {phase['per_second']:,}/s" for phase in told["phases"]
    }
    return [
        Row(
            name="crowd",
            what=f"{CROWD:,} users of two banks register, get money and pay once",
            measured=", ".join(rates),
            compared_with="",
            result=told["seconds_without_audit"],
            unit=Unit.SECONDS,
            at_least=False,
            bar=30,
            details=told,
        ),
        Row(
            name="news",
            what="a machine is told of a payment, after its answer, p99 while the crowd pays",
            measured=f"{told['news']['told']} payments, p50 {told['news']['p50_ms']} ms",
            compared_with="",
            result=told["news"]["p99_ms"],
            unit=Unit.MILLISECONDS,
            at_least=False,
            bar=100,
        ),
    ]
