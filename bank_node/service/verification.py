"""Verifying the ledger of a running node: every block, and the accounts in memory against them."""

from collections.abc import Iterator
from typing import NamedTuple

from bank_node.banking.payments.records import check
from bank_node.errors import CorruptLedger
from bank_node.ledger.journal import GENESIS_HASH, Block
from bank_node.ledger.store import Store
from bank_node.service.jobs import Job
from bank_node.telemetry.events import Events


class Problem(NamedTuple):
    """The first block that does not fit, and why."""

    height: int | None
    text: str


class Verdict(NamedTuple):
    """How far a verification is, and what came of it: `fits` is None until it is known."""

    height: int = 0
    of: int = 0
    fits: bool | None = None
    problem: Problem | None = None
    head_hash: str = ""


class Verification:
    """Replays the journal on request, in the background."""

    def __init__(self, store: Store, job: Job, events: Events) -> None:
        self._store = store
        self._events = events
        self.job = job
        self.verdict = Verdict()

    def start(self) -> None:
        """Begins a verification. Raises Refused(ALREADY_RUNNING)."""
        self.job.start(self._verify)

    def _verify(self) -> None:
        # A start need not wait for what checks a whole ledger.
        from bank_node.ledger.audit import Anchor, Row, verify

        # The accounts first: every one of them then stands for an entry of the blocks read after.
        accounts = self._store.accounts()
        head = self._store.head
        self.verdict = Verdict(of=head.height)
        last = max((account.last_entry for account in accounts), default=0)
        rows = (Row.of(account) for account in accounts)
        try:
            blocks, anchor = self._blocks(head.height, last), Anchor(0, 0, GENESIS_HASH)
            report = verify(blocks, rows, (), anchor, check_note=check)
        except CorruptLedger as error:
            problem = Problem(error.height, str(error))
            self.verdict = self.verdict._replace(fits=False, problem=problem)
            self._events.tell(
                "VerificationFailed", f"the ledger does not fit: {error}", "error",
                height=error.height,
            )  # fmt: skip
            return
        self.verdict = self.verdict._replace(fits=True, head_hash=report.head_hash)
        self._events.tell(
            "LedgerVerified", f"{report.blocks} blocks fit", blocks=report.blocks,
            entries=report.entries,
        )  # fmt: skip

    def _blocks(self, height: int, last_entry: int) -> Iterator[Block]:
        """The blocks up to a height, or to the last entry that an account stands for."""
        reached = 0
        for block in self._store.blocks():
            if block.height > height and reached >= last_entry:
                return
            yield block
            reached = block.last_entry
            self.verdict = self.verdict._replace(height=block.height, of=max(height, block.height))
            self.job.breathe()
