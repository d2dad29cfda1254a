"""What a request costs that another bank has to answer, against asking that bank directly.

Two nodes of ours on one machine share its processors with the generator, so the ratio tells the
price of the whole way there and back.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from statistics import median

from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError
from bench.generator import Load
from bench.report import Row, Unit
from bench.scenarios.pairs import in_pairs, short_turns
from bench.workbench import Workbench

OWNER, FRONT = "127.0.0.2", "127.0.0.3"
BAR, DREAM = 0.4, 0.8
MEETING_TIMEOUT_S = 20.0


def proxied(bench: Workbench) -> Sequence[Row]:
    return [_compare(bench, command) for command in ("ab", "ad")]


def _compare(bench: Workbench, command: str) -> Row:
    bench = short_turns(bench)
    load = Load(command)
    owner = Bank(bench, host=OWNER)
    front = Bank(bench, host=FRONT, settings={"network": {"subnets": [f"{OWNER}/32"]}})
    with (
        bench.scratch("owner") as one,
        bench.scratch("front") as two,
        owner.running(one) as bank,
        front.running(two) as neighbour,
    ):
        owner.open_accounts(bank)
        _meet(neighbour, bank)
        by_neighbour = replace(bank.target, port=neighbour.target.port, host=FRONT)
        pairs = in_pairs(
            bench,
            lambda: owner.load(bank, load, by_neighbour),
            lambda: owner.load(bank, load),
        )
    carried, direct = zip(*pairs, strict=True)
    ratios = [there.rate / here.rate for there, here in pairs]
    return Row(
        name=f"proxied_{command}",
        what=f"{command.upper()} carried to another bank, 64 connections",
        measured=f"{median(each.rate for each in carried):,.0f}/s",
        compared_with=f"asked directly: {median(each.rate for each in direct):,.0f}/s",
        result=median(ratios),
        unit=Unit.TIMES,
        at_least=True,
        bar=BAR,
        dream=DREAM,
        details={
            "ratios": ratios,
            "carried": [asdict(each) for each in carried],
            "direct": [asdict(each) for each in direct],
        },
    )


def _meet(front: RunningBank, owner: RunningBank) -> None:
    """Waits until the one bank has found the other, and knows of which kind it is."""
    give_up = time.monotonic() + MEETING_TIMEOUT_S
    account = owner.target.accounts.read_text().split()[-1]
    while front.ask(f"AB {account}") != "AB 0":
        if time.monotonic() > give_up:
            raise BenchError("the two banks do not find each other")
        time.sleep(0.1)
    # The question for its kind follows the first answer at once.
    time.sleep(1.0)
