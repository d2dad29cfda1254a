"""Transfers: money on its way between banks, what is in doubt, what banks owe each other, keys."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from bank_node.errors import BankError
from tui import actions, safe
from tui.link import Rejected
from tui.model import formats, ways
from tui.model.money import Keys, Positions, Step, TransferDetail, TransferRow
from tui.model.money import (
    Transfers as Page,
)
from tui.model.ways import Going
from tui.screens import exporting
from tui.screens import transfers_facts as facts
from tui.screens import transfers_tables as tables
from tui.screens.filtering import Filtering
from tui.screens.transfers_acts import Acts
from tui.widgets.columns import Row
from tui.widgets.gauge import Gauge
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.tabs import TabLine
from tui.widgets.timeline import Timeline
from tui.widgets.words import Words

_ROWS = 200


class Transfers(Filtering, Acts):
    """Five tabs over one pane: what is chosen, and the way that it went."""

    NAME = "transfers"
    AUTO_FOCUS = "#flight-grid"
    TABS = tables.TABS
    BINDINGS: ClassVar[Any] = actions.bindings("transfers")

    def __init__(self) -> None:
        super().__init__()
        self._detail = TransferDetail()
        self._asked = ("", "")
        self._told = -1
        """How many states were seen when those that have ended were last asked for."""
        self._wanted_bank = ""
        """Whose position is to be chosen once it is here."""

    def body(self) -> Iterable[Widget]:
        yield TabLine(tables.TABS, id="tabs")
        yield Words(id="reminders")
        with Container(id="columns"):
            yield Panel(
                "Transfers",
                Typed(id="filter", classes="filter", placeholder="a part of any column"),
                *(tables.transfers_grid(tab) for tab in tables.TRANSFERS),
                tables.positions_grid(),
                tables.keys_grid(),
                id="list",
                help="Transfers between this bank and others, as they happen; those whose other "
                "bank does not answer; those that have ended. Then what banks owe each other, and "
                "the keys by which they know each other. ← and → change the tab.",
            )
            yield Panel(
                "Way",
                Timeline(id="timeline"),
                Gauge(id="gauge"),
                Words(id="facts-text"),
                id="detail",
                help="The chosen transfer: each state with the time at which it was on disk, "
                "what it waits for, and who decided it if that was by hand.",
            )

    def streams(self) -> tuple[str, ...]:
        return ("stages",)

    def show(self, topic: str) -> None:
        if topic == "all":
            self._show_tab()
        if topic in ("all", "status"):
            self.load()
        if topic == "stages" and self.tab == "flight":
            self._show_flight()

    # Tabs

    def _show_tab(self) -> None:
        self.bring_to_front()
        is_position = self.tab == "positions"
        self.query_one("#timeline").display = self.tab in tables.TRANSFERS
        self.query_one("#gauge").display = is_position
        panel = self.query_one("#list", Panel)
        panel.title = tables.TABS[self.tab]
        keys = tables.HINTS[self.tab]
        panel.say("", keys=self.keys("transfers.next_tab", *keys))
        detail = self.query_one("#detail", Panel)
        detail.title = {"positions": "Position", "keys": "Key"}.get(self.tab, "Way")
        detail.say("")
        self._show_counts()
        self.show_reminders()

    def show_reminders(self) -> None:
        """While a bank is asked, wherever one looks; how it ended, beside the positions."""
        reminders, words = self.board.reminders, self.query_one("#reminders", Words)
        is_told = reminders.bank is not None and self.tab == "positions"
        words.display = reminders.running or is_told
        if words.display:
            words.say(facts.of_reminders(reminders))

    def _show_counts(self) -> None:
        page, keys = self.board.open, self.board.keys
        doubt = (formats.short(page.in_doubt), "bold $warning") if page.in_doubt else ("", "")
        changed = (f"▲ {keys.changed}", "bold $error") if keys.changed else ("", "")
        self.query_one("#tabs", TabLine).show(self.tab, {
            "flight": (formats.short(page.open) if page.open else "", "$accent"),
            "doubt": doubt,
            "keys": changed,
        })  # fmt: skip

    def choose(self, tab: str, bank: str = "") -> None:
        """Puts a tab in front; of the positions, that of a bank."""
        self.tab, self._wanted_bank = tab, bank
        self._asked, self._told = ("", ""), -1
        self._show_tab()
        self.grid.focus()
        self._show_facts(())
        self.load()
        if tab == "flight":
            self._show_flight()

    async def do_flight(self) -> None:
        self.choose("flight")

    async def do_doubt(self) -> None:
        self.choose("doubt")

    async def do_done(self) -> None:
        self.choose("done")

    async def do_positions(self) -> None:
        self.choose("positions")

    async def do_keys(self) -> None:
        self.choose("keys")

    async def do_reload(self) -> None:
        self._told = -1
        self.load()

    # What the node tells

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Asks for what the tab in front shows; a bank without transfers has nothing to tell."""
        # Not on the line of what the operator does, which should not wait for this.
        tab, pulse, board = self.tab, self.hub.link.pulse, self.board
        show = "doubt" if tab == "doubt" else "open"
        try:
            line = f"OF show={show} count={_ROWS}"
            has_ended = board.put_open(await pulse.ask(line, Page, background=True))
            if tab == "done" and self._told != self.hub.stages.seen:
                self._told = self.hub.stages.seen
                line = f"OF show=done count={_ROWS}"
                board.put_newest(await pulse.ask(line, Page, background=True))
            elif tab == "positions":
                board.positions = await pulse.ask("OU count=1000", Positions, background=True)
            elif tab == "keys":
                board.keys = await pulse.ask("OY count=1000", Keys, background=True)
        except BankError as error:
            self.query_one("#list", Panel).say(safe.line(error, 120))
            return
        if has_ended:
            self.done(facts.of_reminders(board.reminders).plain)
        self.show_reminders()
        if tab == self.tab:
            self._show_counts()
            self._show_list()

    def _show_list(self) -> None:
        board, tab = self.board, self.tab
        if tab == "flight":
            self._show_flight()
        elif tab in tables.TRANSFERS:
            rows = [tables.transfer_row(going) for going in board.lists[tab]]
            total = board.open.in_doubt if tab == "doubt" else len(rows)
            self._show_rows(rows, total, more=tab == "done" and board.older is not None)
        elif tab == "positions":
            rows = [tables.position_row(each) for each in board.positions.rows]
            self._show_rows(rows, board.positions.total)
        else:
            rows = [tables.key_row(each) for each in board.keys.rows]
            self._show_rows(rows, board.keys.total)

    def _show_flight(self) -> None:
        board, lost = self.board, self.hub.stages.lost
        board.put_stages(self.hub.stages.items)
        rows = [tables.transfer_row(going) for going in board.lists["flight"]]
        note = f"{formats.amount(board.open.open)} under way"
        if lost:
            note += f", {formats.amount(lost)} states missed"
        self._show_rows(rows, len(rows), note=note)

    def _show_rows(
        self, rows: Sequence[Row], total: int, *, more: bool = False, note: str = ""
    ) -> None:
        shown = self.fitting(rows)
        grid = self.grid
        # Who looks at the newest row goes on looking at the newest.
        grid.show(shown, keep=not (self.tab == "flight" and grid.cursor == 0))
        if self._wanted_bank and self.tab == "positions":
            found = (index for index, row in enumerate(shown) if row.key == self._wanted_bank)
            grid.cursor = next(found, grid.cursor)
            self._wanted_bank = ""
        noun = {"positions": "banks", "keys": "keys"}.get(self.tab, "transfers")
        count = formats.count_of(len(shown), max(total, len(rows)), noun)
        parts = (note, count + (" and more" if more else ""))
        self.query_one("#list", Panel).say(", ".join(filter(None, parts)))
        self._show_chosen()

    # The chosen one

    @on(Grid.Moved)
    def _moved(self, event: Grid.Moved) -> None:
        if event.grid is self.grid:
            self._show_chosen()
            is_last = event.grid.cursor >= event.grid.total - 1 > 0
            if self.tab == "done" and is_last and self.board.older is not None:
                self._load_older(self.board.older)

    @work(exclusive=True, group="older", exit_on_error=False)
    async def _load_older(self, before: int) -> None:
        self.board.older = None
        line = f"OF show=done count={_ROWS} before={before}"
        try:
            page = await self.hub.link.pulse.ask(line, Page, background=True)
        except BankError as error:
            self.board.older = before
            self.query_one("#list", Panel).say(safe.line(error, 120))
            return
        self.board.put_older(page)
        if self.tab == "done":
            self._show_list()

    @on(Grid.Chosen)
    def _row_chosen(self) -> None:
        going = self.chosen
        if going is not None:
            self._look(going.row)

    def forget_asked(self) -> None:
        self._asked = ("", "")

    @property
    def chosen(self) -> Going | None:
        return self.board.going(self.tab, self.grid.key)

    def _show_chosen(self) -> None:
        panel = self.query_one("#detail", Panel)
        if self.tab in tables.TRANSFERS:
            self._show_transfer(panel)
        elif self.tab == "positions":
            position = self.board.position(self.grid.key)
            self.query_one("#gauge", Gauge).show(position)
            panel.say(position.bank if position else "")
            self._show_facts(facts.of_position(position))
        else:
            key = self.board.key(self.grid.key)
            panel.say(key.bank if key else "")
            self._show_facts(facts.of_key(self.board.keys, key))

    def _show_transfer(self, panel: Panel) -> None:
        going = self.chosen
        if going is None:
            self.query_one("#timeline", Timeline).show(None)
            panel.say("")
            self._show_facts(())
            return
        steps: tuple[Step, ...] = ()
        detail, here = self._detail, (going.row.transfer, going.row.phase)
        if (detail.transfer.transfer, detail.transfer.phase) == here:
            steps = detail.steps
            going = Going(going.row, {**ways.of_detail(detail).reached, **going.reached})
        elif self._asked != here and going.row.phase != "received":
            # Once for each phase: what the node tells may be ahead of what is shown.
            self._asked = here
            self._look(going.row)
        self.query_one("#timeline", Timeline).show(ways.way_of(going))
        panel.say(going.row.transfer)
        self._show_facts(facts.of_transfer(going, steps))

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, row: TransferRow) -> None:
        """Asks how a transfer came to where it is."""
        try:
            line = f"OF transfer={row.transfer}"
            self._detail = await self.hub.link.pulse.ask(line, TransferDetail, background=True)
        except BankError as error:
            self._detail = TransferDetail(row)
            if not isinstance(error, Rejected):
                self.query_one("#detail", Panel).say(safe.line(error, 120))
                return
        self._show_chosen()

    def _show_facts(self, facts: Sequence[Content]) -> None:
        self.query_one("#facts-text", Words).say(safe.lines(*facts))

    # Filtering and exporting

    @property
    def filtered_grid(self) -> Grid:
        return self.grid

    def show_filtered(self) -> None:
        self._show_list()

    async def do_export(self) -> None:
        going = self.chosen
        own = (going.row.payee if going.row.direction == "in" else going.row.payer) if going else ""
        account = (own or "").partition("/")[0]
        await exporting.export(self, self.query_one("#list", Panel), account)
