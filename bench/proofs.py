"""Proofs over a long ledger: how long the first one takes, the next ones, how big they are.

python -m bench.proofs
python -m bench.proofs --json FILE
"""

import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import click

from bank_node.ledger.book import decide_all
from bank_node.ledger.journal import seal
from bank_node.ledger.log import Log
from bank_node.ledger.merkle import Tree, leaf_hash
from bank_node.ledger.operations import Deposit, OpenAccount, Operation
from bank_node.ledger.proofs import check_document, parse_document, to_json
from bank_node.ledger.sqlite_store import SqliteStore
from bank_node.security.identity import new_identity
from bench.machine import require_disk

REPOSITORY = Path(__file__).resolve().parents[1]
ACCOUNTS = 10_000
PROOFS = 1000
# About what 64 clients make of a block.
PER_BLOCK = 30
# Of a bar for something that is asked now and then: nobody should notice it.
PROOF_MS_MAX = 5.0
PROOF_BYTES_MAX = 8192


def fill(store: SqliteStore, entries: int, per_block: int) -> None:
    """Books deposits without syncing each block; nobody times it."""
    store._connection.execute("PRAGMA synchronous = OFF")
    _book(store, [OpenAccount(draw) for draw in range(ACCOUNTS)])
    numbers = [account.number for account in store.accounts()]
    draws = random.Random(1)
    for _ in range(0, entries - ACCOUNTS, per_block):
        _book(store, [Deposit(draws.choice(numbers), 1) for _ in range(per_block)])


def _book(store: SqliteStore, operations: list[Operation]) -> None:
    state = store.fork(operations)
    decide_all(state, operations)
    store.commit(state, seal(store.head, state.entries, time.time_ns() // 1000))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of the work."""
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1000, result


def measure(store: SqliteStore) -> dict[str, Any]:
    identity = new_identity(bytes(32))
    log = Log(store, "127.0.0.1", identity, lambda: time.time_ns() // 1000)
    first_ms, _ = timed(log.head)
    head_ms = mean(timed(log.head)[0] for _ in range(PROOFS))
    draws = random.Random(2)
    entries, blocks = store.head.sequence, store.head.height
    proofs = [
        timed(lambda: to_json(log.inclusion(draws.randint(1, entries)))) for _ in range(PROOFS)
    ]
    steps = [
        timed(lambda: to_json(log.consistency(draws.randint(1, blocks), None)))
        for _ in range(PROOFS)
    ]
    checks = [timed(lambda t=text: check_document(parse_document(t)))[0] for _, text in proofs]
    tree, leaf = Tree(), leaf_hash(b"")
    append_ms, _ = timed(lambda: [tree.append(leaf) for _ in range(100_000)])
    return {
        "entries": entries,
        "blocks": blocks,
        "first head ms": round(first_ms, 1),
        "later head ms": round(head_ms, 3),
        "a block more us": round(append_ms / 100, 2),
        "inclusion ms": round(mean(ms for ms, _ in proofs), 3),
        "inclusion bytes max": max(len(text) for _, text in proofs),
        "consistency ms": round(mean(ms for ms, _ in steps), 3),
        "consistency bytes max": max(len(text) for _, text in steps),
        "check ms": round(mean(checks), 3),
    }


@click.command()
@click.option("--entries", default=1_000_000, show_default=True)
@click.option("--per-block", default=PER_BLOCK, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
def main(entries: int, per_block: int, json_file: Path | None) -> None:
    """Measure proofs over a ledger on disk. Exit code 1 if one is too slow or too big."""
    folder = REPOSITORY / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    require_disk(folder)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        store = SqliteStore(Path(scratch) / "bank.db")
        fill(store, entries, per_block)
        found = measure(store)
        store.close()
    for name, value in found.items():
        click.echo(f"{name:<22} {value:,}")
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1) + "\n")
    fits = found["inclusion ms"] <= PROOF_MS_MAX and found["inclusion bytes max"] <= PROOF_BYTES_MAX
    raise SystemExit(0 if fits else 1)


if __name__ == "__main__":
    main()
