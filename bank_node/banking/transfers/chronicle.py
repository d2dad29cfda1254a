"""What happens to transfers between banks, told as it happens, to operators who look.

The states that transfers come to are thousands a second, so they have a ring of their own; what
an operator should hear of although he does not look is an event.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bank_node.banking.transfers.flights import Flight, Order
from bank_node.ledger.entries import bank_of
from bank_node.ledger.transfers import Phase, Transfer
from bank_node.telemetry.events import Events, Level
from bank_node.telemetry.ring import Ring
from bank_node.values import BankCode

_STAGES_KEPT = 4096
# A wish that the ledger has said nothing to for so long is told by itself.
_UNHEARD_US = 500_000
# One event tells it; a liar could have one for each line that it sends.
_BEHIND_US = 3_600_000_000
_new = tuple.__new__
_IN_DOUBT = "the outcome of transfer {transfer} is unknown: no answer comes"
_LOST = (
    "the bank {bank} does not know any more that it promised to take transfer {transfer}: it is "
    "asked to promise that again"
)
_REGAINED = "the bank {bank} has promised again to take transfer {transfer}"


class Stage(NamedTuple):
    """A state that a transfer has come to."""

    time_us: int
    what: Transfer | Order
    """The record as it is from then on; the order while nothing is on disk."""
    is_doubtful: bool = False
    """Whether the other bank does not answer, so that nobody knows how it ends."""


class Chronicle:
    """See the module. Written on the thread of the transfers, read from any."""

    def __init__(self, events: Events, now_us: Callable[[], int]) -> None:
        self._events = events
        self._now_us = now_us
        self.stages: Ring[Stage] = Ring(_STAGES_KEPT)
        self._newest = 0
        self._news: list[Stage] = []
        self._wanted: dict[str, Stage] = {}
        self._doubtful: list[Transfer] = []
        self._lost: list[Transfer] = []
        self._behind: dict[BankCode, int] = {}
        self.seems_lost: Callable[[BankCode], object] = lambda _: None
        """Hears of each bank that has lost a promise; may be replaced at any time."""
        self._regained: list[Transfer] = []

    def received(self, order: Order) -> None:
        """A client wants a transfer to another bank; told with what the ledger says next."""
        self._wanted[order.id] = _new(Stage, (self._now_us(), order, False))

    def reached(self, results: Iterable[object]) -> None:
        """The ledger has decided; of its results, those are told that are news."""
        now_us, newest, news = self._now_us(), self._newest, self._news
        for result in results:
            if type(result) is not Transfer:
                continue
            wanted = self._wanted.pop(result.key, None)
            # What is asked for again is answered with the record that is there already.
            if result.entry > newest:
                newest = result.entry
                if wanted is not None:
                    news.append(wanted)
                news.append(_new(Stage, (now_us, result, False)))
        self._newest = newest
        self._flush()

    def _flush(self) -> None:
        if self._news:
            self.stages.add(self._news)
            self._news = []

    def recovered(self, records: Sequence[Transfer]) -> None:
        """An earlier run, or another node, has left these open."""
        if not records:
            return
        doubtful = sum(record.phase is Phase.SENT for record in records)
        text = f"transfers taken up: {len(records)}, of unknown outcome: {doubtful}"
        level: Level = "warning" if doubtful else "info"
        self._events.tell("TransfersRecovered", text, level, count=len(records),
                          doubtful=doubtful)  # fmt: skip

    def doubted(self, record: Transfer) -> None:
        """The other bank did not answer, and only it, or the operator, can tell what became."""
        self._flush()
        self.stages.add((Stage(self._now_us(), record, is_doubtful=True),))
        self._doubtful.append(record)

    def behind(self, bank: BankCode, key: str) -> None:
        """A bank speaks of what this ledger should know of, and does not."""
        now_us = self._now_us()
        if now_us - self._behind.get(bank, -_BEHIND_US) < _BEHIND_US:
            return
        self._behind[bank] = now_us
        text = (
            f"{bank} speaks of transfer {key} as the ledger of this bank cannot tell of it: "
            "unless that bank lies, this ledger is an old copy"
        )
        self._events.tell("LedgerBehind", text, "error", transfer=key, bank=bank)

    def answered(self, flight: Flight, trouble: str, was_lost: bool, renewals: int) -> None:
        """The other bank has answered about a flight, of which this was known before."""
        record = flight.record
        assert record is not None
        if flight.reminder:
            # There may be a hundred thousand of them, and the end of the reminders tells.
            return
        if flight.trouble and flight.trouble != trouble:
            self._contradicted(flight)
        if flight.is_lost and not (was_lost or trouble or renewals):
            self._lost.append(record)
            self.seems_lost(flight.bank)
        if flight.renewals > renewals:
            self._regained.append(record)
        # Of a flight that waits for longer and longer, the first time is news.
        if flight.attempts == 1 and flight.is_in_doubt:
            self.doubted(record)

    def _contradicted(self, flight: Flight) -> None:
        """The other bank says what cannot be, for example that it knows nothing of its promise."""
        self._events.tell("TransferContradicted", f"transfer {flight.key}: {flight.trouble}",
                          "error", transfer=flight.key, bank=flight.bank)  # fmt: skip

    def decided(self, record: Transfer) -> None:
        """The operator has decided a transfer by hand."""
        self.stages.add((Stage(self._now_us(), record),))
        text = f"transfer {record.key} was decided by hand, {record.state}: {record.note}"
        self._events.tell("TransferDecided", text, "warning", transfer=record.key,
                          state=record.state, note=record.note)  # fmt: skip

    def tell(self) -> None:
        """Tells of what has happened since the last call; called a few times a second.

        A bank that falls silent leaves many in doubt at once, and an event for each would push all
        others out.
        """
        unheard_us = self._now_us() - _UNHEARD_US
        for key, stage in list(self._wanted.items()):
            if stage.time_us <= unheard_us:
                self._news.append(self._wanted.pop(key))
        self._flush()
        self._tell_together("TransferInDoubt", "warning", _IN_DOUBT, self._doubtful)
        self._tell_together("PromiseLost", "warning", _LOST, self._lost)
        self._tell_together("PromiseRenewed", "info", _REGAINED, self._regained)
        self._doubtful, self._lost, self._regained = [], [], []

    def _tell_together(self, kind: str, level: Level, text: str, records: list[Transfer]) -> None:
        by_bank: dict[BankCode, list[str]] = {}
        for record in records:
            by_bank.setdefault(bank_of(record.bank), []).append(record.key)
        for bank, keys in by_bank.items():
            more = f" and {len(keys) - 1} others" if len(keys) > 1 else ""
            self._events.tell(kind, text.format(transfer=keys[0] + more, bank=bank), level,
                              transfer=keys[0], bank=bank, count=len(keys))  # fmt: skip
