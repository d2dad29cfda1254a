"""The gate of a port: what all of its desks share, and what changes for all of them at once."""

from collections.abc import Callable, Mapping, Sequence

from bank_node.errors import Reason
from bank_node.protocol.commands import Effect
from bank_node.service.calls import Bank, Elsewhere, Ledger
from bank_node.service.desks import Desks
from bank_node.service.dispatch import Desk
from bank_node.service.workers import Workers
from bank_node.telemetry.clock import Clock
from bank_node.telemetry.metrics import Metrics
from bank_node.telemetry.traffic_lines import Answered


class Gate:
    """See the module; from any thread."""

    def __init__(
        self,
        bank: Bank,
        ledger: Ledger,
        metrics: Metrics,
        clock: Clock,
        log: Callable[[Sequence[Answered]], None] | None,
        requests_queued: int,
        workers: Workers,
        new_trace: Callable[[], int],
    ) -> None:
        """`log` takes traffic records; None keeps no traffic log."""
        self.bank = bank
        self.ledger = ledger
        self.metrics = metrics
        self.clock = clock
        self.log = log
        self.requests_queued = requests_queued
        self.workers = workers
        self.new_trace = new_trace
        self.refused: Mapping[Effect, Reason] = {}
        self._desks: Desks[Desk] = Desks()

    def desk(self, run_soon: Callable[..., object], elsewhere: Elsewhere) -> Desk:
        """A desk for one I/O thread; `run_soon(f, *args)` makes that thread call `f(*args)`.

        `elsewhere` carries requests for accounts of other banks there, on the same thread.
        """
        return self._desks.add(Desk(self, run_soon, elsewhere), run_soon)

    def adopt(self, bank: Bank, log: Callable[[Sequence[Answered]], None] | None) -> None:
        """Has all desks go on with another bank and traffic log. From any thread."""
        self.bank, self.log = bank, log
        self._desks.tell(lambda desk: desk.adopt(bank, log))

    def refuse(self, refused: Mapping[Effect, Reason]) -> None:
        """Refuses commands with these effects from now on, and serves all others."""
        self.refused = refused
        self._desks.tell(lambda desk: desk.refuse(refused))
