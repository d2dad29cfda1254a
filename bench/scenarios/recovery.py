"""How soon transfers that were in doubt when two banks died are settled once both are back.

Knows what the ledgers of both look like then. They are written by the rules of the ledger, because
banks that are killed under load leave a different number in doubt each time.
"""

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bank_node.ledger.book import decide_all
from bank_node.ledger.entries import settlement_account
from bank_node.ledger.journal import seal
from bank_node.ledger.operations import Deposit, OpenAccount, Operation, Result
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.ledger.transfer_operations import Hold, Promise, Tell
from bank_node.ledger.transfers import Message, key_of
from bank_node.values import AMOUNT_MAX, AccountNumber, Amount, BankCode
from bench.bank_server import Bank, RunningBank
from bench.errors import BenchError
from bench.operator_port import Operator
from bench.report import Row, Unit
from bench.workbench import Workbench

# Where no other bank of this machine is, such as those of `bank demo`.
PAYER, PAYEE = BankCode("127.0.71.2"), BankCode("127.0.71.3")
IN_DOUBT = 10_000
ACCOUNTS = 1000
WEALTH = 1_000_000
# About what 64 clients make of a block.
_PER_BLOCK = 30
_GIVE_UP_S = 120.0
_LOOK_S = 0.05


def recovery(bench: Workbench) -> Sequence[Row]:
    seconds = [_settled_after_s(bench) for _ in range(bench.rounds)]
    return [
        Row(
            name="recovery",
            what=f"{IN_DOUBT:,} transfers in doubt at both banks are settled after a start",
            measured=f"{IN_DOUBT / median(seconds):,.0f}/s",
            compared_with=f"slowest of {bench.rounds}: {max(seconds):.1f} s",
            result=median(seconds),
            unit=Unit.SECONDS,
            at_least=False,
            bar=10.0,
            details={"seconds": seconds},
        )
    ]


def _settled_after_s(bench: Workbench) -> float:
    """Half of what is in doubt is decided at the payer's bank, the other half is not."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(bench.scratch(name)) for name in ("payer", "payee"))
        # Each side hears of one entry for every transfer.
        goals = [entries + IN_DOUBT for entries in _leave_in_doubt(one, two)]
        payee = stack.enter_context(_bank(bench, PAYEE, PAYER).running(two))
        payer = stack.enter_context(_bank(bench, PAYER, PAYEE).running(one))
        started = time.monotonic()
        for folder, goal in zip((one, two), goals, strict=True):
            _wait_for(folder, goal, started + _GIVE_UP_S)
        passed_s = time.monotonic() - started
        _expect(payer, f"BA {ACCOUNTS * WEALTH - IN_DOUBT // 2}")
        _expect(payee, f"BA {IN_DOUBT // 2}")
    return passed_s


def _bank(bench: Workbench, own: BankCode, other: BankCode) -> Bank:
    return Bank(bench, host=own, settings={"network": {"subnets": [f"{other}/32"]}})


def _leave_in_doubt(payer_folder: Path, payee_folder: Path) -> tuple[int, int]:
    """Writes both ledgers as two killed banks leave them; returns how many entries each has."""
    draws = random.Random(1)
    payer, payee = (SqliteStore(each / "bank.db") for each in (payer_folder, payee_folder))
    sources, targets = _open_accounts(payer), _open_accounts(payee)
    _book(payer, [Deposit(source, Amount(WEALTH)) for source in sources])
    ids = [f"{draws.getrandbits(92):023x}" for _ in range(IN_DOUBT)]
    holds: list[Operation] = []
    promises: list[Operation] = []
    for name in ids:
        source, target = draws.choice(sources), draws.choice(targets)
        holds.append(Hold(name, source, settlement_account(PAYEE), target, Amount(1), False,
                          AMOUNT_MAX))  # fmt: skip
        promises.append(Promise(key_of(PAYER, name), target, settlement_account(PAYER), source,
                                Amount(1), AMOUNT_MAX))  # fmt: skip
    _book(payer, holds)
    _book(payer, [Tell(Message.POST, name) for name in ids[::2]])
    _book(payee, promises)
    heads = payer.head.sequence, payee.head.sequence
    for store in (payer, payee):
        # Without the tidying up that an orderly end brings.
        store._finish_snapshot = lambda: None  # type: ignore[method-assign]
        store.close()
    return heads


def _open_accounts(store: SqliteStore) -> list[AccountNumber]:
    results = _book(store, [OpenAccount(draw * 7919) for draw in range(ACCOUNTS)])
    return [AccountNumber(result) for result in results if isinstance(result, int)]


def _book(store: SqliteStore, operations: Sequence[Operation]) -> list[Result]:
    """Books operations without syncing; nobody times it."""
    store._connection.execute("PRAGMA synchronous = OFF")
    results: list[Result] = []
    for first in range(0, len(operations), _PER_BLOCK):
        batch = operations[first : first + _PER_BLOCK]
        state = store.fork(batch)
        results += decide_all(state, batch)
        store.commit(state, seal(store.head, state.entries, time.time_ns() // 1000))
    return results


def _wait_for(folder: Path, entries: int, give_up: float) -> None:
    with Operator(folder) as operator:
        while (found := operator.document("OS")["entries"]) < entries:
            if time.monotonic() > give_up:
                raise BenchError(f"{entries - found} transfers are still in doubt")
            time.sleep(_LOOK_S)


def _expect(bank: RunningBank, reply: str) -> None:
    if (told := bank.ask("BA")) != reply:
        raise BenchError(f"it should be {reply}, but: {told}")
