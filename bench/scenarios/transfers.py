"""Money on its way: inside one bank, and between two of ours on one machine.

Knows what transfers leave behind: after every load each bank must have exactly the money that the
acknowledged ones say.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError
from bench.generator import Load, LoadResult
from bench.processes import cpu_s
from bench.report import Row, Unit
from bench.scenarios.pairs import in_pairs, short_turns
from bench.workbench import Workbench

# Where no other bank of this machine is, such as those of `bank demo`.
PAYER, PAYEE = "127.0.70.2", "127.0.70.3"
# Of each account, so that none runs dry.
WEALTH = 1_000_000
# Different requests, sent round and round.
REQUESTS = 20_000
FILL_S = 60.0
SETTLED_S = 20.0


def transfers(bench: Workbench) -> Sequence[Row]:
    return [*(_inside(bench, in_flight) for in_flight in (1, 16)), _between(bench)]


def _inside(bench: Workbench, in_flight: int) -> Row:
    """Transfers in one bank against deposits in the same node."""
    bench = short_turns(bench)
    node = Bank(bench)
    with bench.scratch("bank") as data, node.running(data) as bank:
        node.open_accounts(bank)
        _enrich(node, bank)
        load = Load("lines", in_flight=in_flight, lines=_requests(bank, bank, data))
        pairs = in_pairs(
            bench,
            lambda: node.load(bank, load),
            lambda: node.load(bank, Load("ad", in_flight=in_flight)),
        )
        expect_total(bank, bank.deposited)
    moved, deposited = zip(*pairs, strict=True)
    return Row(
        name=f"transfers_inside_{in_flight}",
        what=f"durable TR inside one bank, 64 connections, {in_flight} in flight",
        measured=f"{median(each.rate for each in moved):,.0f}/s",
        compared_with=f"the same node, AD: {median(each.rate for each in deposited):,.0f}/s",
        result=median(one.rate / other.rate for one, other in pairs),
        unit=Unit.TIMES,
        at_least=True,
        bar=0.7,
        details={
            "moved": [asdict(each) for each in moved],
            "deposited": [asdict(each) for each in deposited],
        },
    )


def _between(bench: Workbench) -> Row:
    """Transfers from one of our banks to another; the generator shares the machine with both."""
    payers = Bank(bench, host=PAYER, settings={"network": {"subnets": [f"{PAYEE}/32"]}})
    payees = Bank(bench, host=PAYEE, settings={"network": {"subnets": [f"{PAYER}/32"]}})
    results: list[LoadResult] = []
    costs_us: list[tuple[float, float]] = []
    for _ in range(bench.rounds):
        with (
            bench.scratch("payer") as one,
            bench.scratch("payee") as two,
            payers.running(one) as payer,
            payees.running(two) as payee,
        ):
            payers.open_accounts(payer)
            payees.open_accounts(payee)
            _enrich(payers, payer)
            _meet(payer, payee)
            before = payer.deposited - 1
            used = [cpu_s(bank.process.pid) for bank in (payer, payee)]
            load = Load("lines", lines=_requests(payer, payee, one))
            result = payers.load(payer, load)
            used = [
                cpu_s(bank.process.pid) - was
                for bank, was in zip((payer, payee), used, strict=True)
            ]
            expect_total(payer, before - result.acknowledged_total)
            expect_total(payee, 1 + result.acknowledged_total)
        results.append(result)
        costs_us.append((used[0] * 1e6 / result.acknowledged_total,
                         used[1] * 1e6 / result.acknowledged_total))  # fmt: skip
    here, there = (median(each[bank] for each in costs_us) for bank in (0, 1))
    return Row(
        name="transfers_between",
        what="TR between two banks on one machine, 64 connections, 1 in flight",
        measured=f"{median(each.rate for each in results):,.0f}/s, p99 "
        f"{median(each.p99_us for each in results) / 1000:.0f} ms",
        compared_with=f"processor time of each: {here:.0f} us at the payer's bank, "
        f"{there:.0f} us at the payee's",
        result=median(each.rate for each in results),
        unit=Unit.RATE,
        at_least=True,
        bar=3000,
        details={"runs": [asdict(each) for each in results], "cpu_us": costs_us},
    )


def _enrich(node: Bank, bank: RunningBank) -> None:
    """Deposits as much to each account as no load will take away."""
    accounts = bank.target.accounts.read_text().split()
    lines = bank.target.accounts.with_name("bench_wealth.txt")
    lines.write_text("".join(f"AD {account} {WEALTH}\n" for account in accounts))
    load = Load("lines", connections=16, in_flight=64, requests=len(accounts), lines=lines)
    node.bench.generator.run(bank.target, load, seconds=FILL_S)
    bank.deposited += WEALTH * len(accounts)


def _requests(payer: RunningBank, payee: RunningBank, folder: Path) -> Path:
    """A file of transfers of 1 between accounts that are drawn."""
    draws = random.Random(1)
    sources, targets = (bank.target.accounts.read_text().split() for bank in (payer, payee))
    lines = []
    while len(lines) < REQUESTS:
        source, target = draws.choice(sources), draws.choice(targets)
        if source != target:
            lines.append(f"TR {source} {target} 1\n")
    file = folder / "bench_transfers.txt"
    file.write_text("".join(lines))
    return file


def _meet(payer: RunningBank, payee: RunningBank) -> None:
    """Waits until the banks know each other and a first transfer of 1 has arrived."""
    source, target = (bank.target.accounts.read_text().split()[0] for bank in (payer, payee))
    give_up = time.monotonic() + SETTLED_S
    while (reply := payer.ask(f"TR {source} {target} 1")).startswith("ER"):
        if time.monotonic() > give_up:
            raise BenchError(f"the two banks do not find each other: {reply}")
        time.sleep(0.1)


def expect_total(bank: RunningBank, total: int) -> None:
    """What was acknowledged is soon at the other bank as well."""
    give_up = time.monotonic() + SETTLED_S
    while (reply := bank.ask("BA")) != f"BA {total}":
        if time.monotonic() > give_up:
            raise BenchError(f"there should be {total}, but: {reply}")
        time.sleep(0.05)
