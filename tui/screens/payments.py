"""Payments: as they pass, why not, who pays and is paid, and what clients ask of each other."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from bank_node.errors import BankError
from tui import actions, safe
from tui.model import formats, purse
from tui.model.money import Step, TransferDetail
from tui.model.payments import (
    Client,
    Clients,
    Found,
    Paper,
    Papers,
)
from tui.model.purse import Health, Paid
from tui.screens import payments_facts as facts
from tui.screens import payments_tables as tables
from tui.screens.payments_acts import Acts
from tui.widgets.columns import Row, plain
from tui.widgets.grid import PAGE, Grid
from tui.widgets.health import HealthBars
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.tabs import TabLine
from tui.widgets.timeline import Timeline
from tui.widgets.words import Words

_FOUND_MAX = 500
_PAPERS_MAX = 1_000
# The node looks through all that is open each time it is asked: of many only when told to.
_WATCHED_MAX = 500
_EXPORT_PAGE = 1_000
_PAPERS = ("papers", "disputes")


class Payments(Acts):
    """Five tabs over one pane with what is chosen, and how well payments go."""

    NAME = "payments"
    AUTO_FOCUS = "#flow-grid"
    TABS = tables.TABS
    BINDINGS: ClassVar[Any] = actions.bindings("payments")

    def __init__(self) -> None:
        super().__init__()
        self._passing: list[Paid] = []
        self._found: list[Paid] | None = None
        """What was searched for, where something was."""
        self._health = Health()
        self._clients: dict[int, Client] = {}
        """Those whose rows are in the table."""
        self._papers = Papers()
        self._steps: dict[str, Sequence[Step]] = {}
        """Of the payment that was looked at last, how its transfer went."""

    def body(self) -> Iterable[Widget]:
        yield TabLine(tables.TABS, id="tabs")
        with Container(id="columns"):
            yield Panel(
                "Payments",
                Typed(id="search", classes="filter", placeholder=tables.SEARCHES["flow"]),
                tables.flow_grid(),
                tables.reasons_grid(),
                tables.clients_grid(),
                tables.papers_grid(),
                tables.disputes_grid(),
                id="list",
                help="Payments of clients as they pass, each with the states that it came to; "
                "why payments were refused; users and merchants; requests for money, mandates and "
                "disputes. ← and → change the tab, / searches.",
            )
            with Container(id="side"):
                yield Panel(
                    "Way",
                    Timeline(id="timeline"),
                    Words(id="facts-text"),
                    id="detail",
                    help="What is chosen. Of a payment, when it was asked for and when each of "
                    "its states was on disk.",
                )
                yield Panel(
                    "Health",
                    HealthBars(id="health-bars"),
                    id="health",
                    help="How many payments succeeded since the node was started, how long the "
                    "latest took, and why the others were refused.",
                )

    def streams(self) -> tuple[str, ...]:
        return ("payments",)

    def show(self, topic: str) -> None:
        if topic == "all":
            self._show_tab()
            self._load()
        if topic == "status" and self.tab in _PAPERS and self._papers.total < _WATCHED_MAX:
            self._load()
        if topic in ("all", "payments"):
            self._take_in()
            if self.tab in ("flow", "reasons"):
                self._show_list()

    def _take_in(self) -> None:
        """Puts together what has passed."""
        items = self.hub.payments.items
        self._passing = purse.gathered(items)
        self._health = purse.health(self.hub.flow, items)
        self.query_one("#health-bars", HealthBars).show(self._health)
        self._show_counts()

    # Tabs

    def _show_tab(self) -> None:
        self.bring_to_front()
        self.set_class(self.tab == "reasons", "-reasons")
        self.query_one("#timeline").display = self.tab == "flow"
        self.query_one("#search", Typed).placeholder = tables.SEARCHES[self.tab]
        panel = self.query_one("#list", Panel)
        panel.title = {"flow": "Payments"}.get(self.tab, tables.TABS[self.tab])
        panel.say("", keys=self.keys("payments.next_tab", *tables.HINTS[self.tab]))
        detail = self.query_one("#detail", Panel)
        detail.title = {"clients": "Client", "papers": "Request", "disputes": "Dispute"}.get(
            self.tab, "Way"
        )
        detail.say("")

    def _show_counts(self) -> None:
        refused = self._health.refused
        self.query_one("#tabs", TabLine).show(self.tab, {
            "flow": (formats.short(self._health.paid) if self._health.paid else "", "$success"),
            "reasons": (formats.short(refused) if refused else "", "$error"),
            "papers": (tables.count_of(self._papers.rows, disputes=False), "$accent"),
            "disputes": (tables.count_of(self._papers.rows, disputes=True), "bold $warning"),
        })  # fmt: skip

    def choose(self, tab: str, search: str = "") -> None:
        """Puts a tab in front, with what is searched for in it."""
        self.tab, self._found = tab, None
        box = self.query_one("#search", Typed)
        with self.prevent(Input.Changed):
            box.value = search
        box.set_class(bool(search), "-open")
        self._show_tab()
        self._show_counts()
        self.grid.focus()
        self._show_list()
        self._load()

    @property
    def _wanted(self) -> str:
        return self.query_one("#search", Typed).value.strip()

    async def do_reload(self) -> None:
        self.reload()

    # What the node tells

    @work(exclusive=True, group="load", exit_on_error=False)
    async def _load(self) -> None:
        """Asks for what the tab in front shows, unless it is what passes anyway."""
        # Not on the line of what the operator does, which should not wait for this.
        tab, wanted, pulse = self.tab, self._wanted, self.hub.link.pulse
        find = f" find={wanted}" if wanted else ""
        try:
            if tab == "flow" and wanted:
                found = await pulse.ask(f"OQ show=find count={_FOUND_MAX}{find}", Found)
                self._found = purse.gathered(reversed(found.rows))
            elif tab == "flow":
                self._found = None
            elif tab == "clients":
                await self._load_clients(find)
                return
            if tab in _PAPERS or not wanted:
                line = f"OQ show=papers count={_PAPERS_MAX}{find}"
                self._papers = await pulse.ask(line, Papers, background=True)
                self._show_counts()
        except BankError as error:
            self.query_one("#list", Panel).say(safe.line(error, 120))
            return
        if tab == self.tab:
            self._show_list()

    async def _load_clients(self, find: str) -> None:
        grid = self.grid_of("clients")
        first = grid.cursor - grid.cursor % PAGE
        page = await self._page(first, PAGE, find)
        if page.total <= first:
            first, page = 0, await self._page(0, PAGE, find)
        grid.show_remote(page.total)
        self._put(page)
        if self.tab == "clients":
            self.query_one("#list", Panel).say(formats.plural(page.total, "client"))
            self._show_chosen()

    async def _page(self, first: int, count: int, find: str) -> Clients:
        line = f"OQ show=clients first={first} count={count}{find}"
        return await self.hub.link.pulse.ask(line, Clients)

    def _put(self, page: Clients) -> None:
        grid = self.grid_of("clients")
        grid.put(page.first, [tables.client_row(client) for client in page.rows])
        known = {row.key for row in grid.rows}
        self._clients = {n: client for n, client in self._clients.items() if n in known}
        self._clients |= {client.account: client for client in page.rows}

    @on(Grid.PageWanted, "#clients-grid")
    def _fetch(self, event: Grid.PageWanted) -> None:
        self.attempt(self._fetch_page(event.first, event.count))

    async def _fetch_page(self, first: int, count: int) -> None:
        self._put(await self._page(first, count, self._find))

    @property
    def _find(self) -> str:
        return f" find={self._wanted}" if self._wanted else ""

    async def all_rows(self, grid: Grid) -> list[Row]:
        if grid.id != "clients-grid":
            return grid.rows
        rows: list[Row] = []
        while True:
            page = await self._page(len(rows), _EXPORT_PAGE, self._find)
            rows += [tables.client_row(client) for client in page.rows]
            if not page.rows or page.next is None:
                return rows

    # The list

    def _show_list(self) -> None:
        if self.tab == "flow":
            self._show_flow()
        elif self.tab == "reasons":
            health, wanted = self._health, self._wanted.lower()
            rows = [tables.reason_row(why, n, health.refused) for why, n in health.reasons]
            shown = [r for r in rows if wanted in " ".join(map(plain, r.cells)).lower()]
            self.grid.show(shown)
            self._tell(f"{formats.amount(health.refused)} refused since the start")
        elif self.tab in _PAPERS:
            row_of = tables.dispute_row if self.tab == "disputes" else tables.paper_row
            self.grid.show([row_of(paper) for paper in self._shown_papers])
            more = ", and more" if self._papers.next is not None else ""
            self._tell(f"{formats.amount(len(self._shown_papers))} not over{more}")
        self._show_chosen()

    def _show_flow(self) -> None:
        grid, found = self.grid, self._found
        shown = self._passing if found is None else found
        # Who looks at the newest row goes on looking at the newest.
        grid.show([tables.payment_row(paid) for paid in shown], keep=grid.cursor != 0)
        told = facts.of_flow(self._health, self.hub.payments.lost)
        self._tell(told if found is None else f"{formats.plural(len(found), 'payment')} found")

    def _tell(self, note: str) -> None:
        self.query_one("#list", Panel).say(note)

    # The chosen one

    @on(Grid.Moved)
    def _moved(self, event: Grid.Moved) -> None:
        if event.grid is self.grid:
            self._show_chosen()

    @property
    def _paid(self) -> Paid | None:
        shown = self._passing if self._found is None else self._found
        key = self.grid_of("flow").key
        return next((paid for paid in shown if paid.key == key), None)

    @property
    def _shown_papers(self) -> list[Paper]:
        return [p for p in self._papers.rows if (p.kind == "dispute") == (self.tab == "disputes")]

    @property
    def chosen_paper(self) -> Paper | None:
        key = self.grid.key if self.tab in _PAPERS else None
        return next((paper for paper in self._papers.rows if paper.id == key), None)

    def _show_chosen(self) -> None:
        panel = self.query_one("#detail", Panel)
        told: list[Content] = []
        if self.tab == "flow":
            told = self._show_payment(panel)
        elif self.tab == "clients":
            client = self._clients.get(self.grid.key)  # type: ignore[call-overload]
            panel.say(client.address if client else "")
            told = facts.of_client(client)
        elif self.tab in _PAPERS:
            told = facts.of_paper(self.chosen_paper)
        self.query_one("#facts-text", Words).say(safe.lines(*told))

    def _show_payment(self, panel: Panel) -> list[Content]:
        paid, timeline = self._paid, self.query_one("#timeline", Timeline)
        panel.say(paid.row.rrn if paid else "")
        if paid is None:
            timeline.show(None)
            return []
        key = paid.row.transfer
        if key in self._steps:
            paid = purse.with_steps(paid, self._steps[key])
        elif key and not paid.is_open:
            self._look(key)
        timeline.show(purse.way_of(paid))
        return facts.of_payment(paid)

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, key: str) -> None:
        """Asks how the transfer of a payment to another bank went, once."""
        self._steps = {key: ()}
        try:
            line = f"OF transfer={key}"
            detail = await self.hub.link.pulse.ask(line, TransferDetail, background=True)
        except BankError:
            return
        self._steps = {key: detail.steps}
        if self.tab == "flow":
            self._show_chosen()

    # Searching

    async def do_search(self) -> None:
        box = self.query_one("#search", Typed)
        box.add_class("-open")
        box.focus()

    @on(Input.Changed, "#search")
    def _searched(self) -> None:
        self.grid.cursor = 0
        self._load()

    @on(Input.Submitted, "#search")
    def _search_done(self) -> None:
        self.query_one("#search", Typed).set_class(bool(self._wanted), "-open")
        self.grid.focus()

    async def do_person(self) -> None:
        paid, paper = self._paid, self.chosen_paper
        row = paid.row if self.tab == "flow" and paid else None
        payer = row.payer if row else paper.payer if paper else ""
        if not payer:
            self.warn("Choose a payment, a request or a client first: c shows the clients.")
            return
        # Of a payment that comes from another bank, the payee is the one that is here.
        is_incoming = row is not None and "/" in row.transfer
        self.choose("clients", row.payee if row is not None and is_incoming else payer)

    # What the bank may do

    async def chosen_client(self) -> Client | None:
        if self.tab != "clients":
            await self.do_person()
            return await self.client_called(self._wanted) if self.tab == "clients" else None
        if self.grid.key is None:
            self.warn("No client is chosen.")
            return None
        return await self.client_called(str(self.grid.key))

    def reload(self) -> None:
        self._load()
