"""Proofs over a long ledger: how long one takes and how big it is; see `bench.proofs`."""

from collections.abc import Sequence

from bank_node.ledger.sqlite_store import SqliteStore
from bench.proofs import PER_BLOCK, PROOF_BYTES_MAX, PROOF_MS_MAX, fill, measure
from bench.report import Row, Unit
from bench.workbench import Workbench

ENTRIES = 1_000_000


def proofs(bench: Workbench) -> Sequence[Row]:
    with bench.scratch("proofs") as folder:
        store = SqliteStore(folder / "bank.db")
        fill(store, ENTRIES, PER_BLOCK)
        found = measure(store)
        store.close()
    what = f"proof that an entry is in a ledger of {found['entries']:,}"
    return [
        Row(
            name="proof_time",
            what=f"{what}: time",
            measured=f"first question after a start {found['first head ms']:.0f} ms",
            compared_with=f"checking it: {found['check ms']:.2f} ms",
            result=found["inclusion ms"],
            unit=Unit.MILLISECONDS,
            at_least=False,
            bar=PROOF_MS_MAX,
            details={"found": found},
        ),
        Row(
            name="proof_size",
            what=f"{what}: size",
            measured=f"at most {found['inclusion bytes max']:,} bytes",
            compared_with=f"that it only grew: {found['consistency bytes max']:,} bytes",
            result=found["inclusion bytes max"],
            unit=Unit.BYTES,
            at_least=False,
            bar=PROOF_BYTES_MAX,
        ),
    ]
