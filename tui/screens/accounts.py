"""Accounts: all of them, page by page from the node; open, deposit, withdraw, remove."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container, Vertical
from textual.widget import Widget

from bank_node.errors import BankError
from tui import actions, safe
from tui.link import accepted
from tui.model import formats
from tui.model.replies import Account, AccountDetail, AccountPage, Movement
from tui.screens import money
from tui.screens.filtering import Filtering
from tui.widgets import chart
from tui.widgets.chart import Chart
from tui.widgets.columns import Column, Row
from tui.widgets.grid import PAGE, Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_EXPORT_PAGE = 1_000
_HISTORY = 200


class Accounts(Filtering):
    """The accounts on the left, the chosen one with its history on the right."""

    NAME = "accounts"
    BINDINGS: ClassVar[Any] = actions.bindings("accounts")

    def __init__(self) -> None:
        super().__init__()
        self._sum = AccountPage()
        self._detail: AccountDetail | None = None

    def body(self) -> Iterable[Widget]:
        with Container(id="columns"):
            yield Panel(
                "Accounts",
                Typed(
                    id="filter", classes="filter", placeholder="10001 · >1000 · <5 · =0 · 10..20"
                ),
                _accounts_grid(),
                id="accounts",
                help="Every account of this bank. A click on a column sorts by it. The filter "
                "takes digits of a number, or >1000, <5, =0, 10..20 on the balance; the node "
                "filters and sorts, however many there are.",
            )
            with Vertical(id="detail"):
                yield Panel("Account", Words(id="account-facts"), id="account",
                            help="The chosen account.")  # fmt: skip
                yield Panel("Balance", Chart(id="balance-chart", empty="The balance after each "
                            "entry is drawn here when there are two or more."),
                            id="balance-panel", help="The balance after each of the last entries, "
                            "the newest at the right.")  # fmt: skip
                yield Panel(
                    "History",
                    _history_grid(),
                    id="history",
                    help="The last entries of the chosen account, the newest first.",
                )

    def on_mount(self) -> None:
        self._grid.sorted_by = self._sort
        self.query_one("#account-facts", Words).say(
            safe.content("What the chosen account holds is told here.", "$bank-dim")
        )

    def show(self, topic: str) -> None:
        if topic == "all":
            self.query_one("#accounts", Panel).say(
                keys=self.keys(
                    "accounts.open", "accounts.deposit", "accounts.withdraw", "accounts.remove"
                )
            )
            self.load()
        if topic == "status" and self._detail is not None:
            self._show_facts(self._detail)

    @property
    def _grid(self) -> Grid:
        return self.query_one("#accounts-grid", Grid)

    @property
    def _sort(self) -> str:
        return self.console_app.memory.now.sort.get("accounts", "number")

    def _question(self, first: int, count: int) -> str:
        wanted = self.wanted.replace(" ", "").replace(",", "")
        filtered = f" filter={wanted}" if wanted else ""
        return f"OC first={first} count={count} sort={self._sort}{filtered}"

    # Fetching

    def load(self, *, from_top: bool = False) -> None:
        """Asks for what is in sight; a later call makes an earlier one needless."""
        self._load(from_top)

    @work(exclusive=True, group="page", exit_on_error=False)
    async def _load(self, from_top: bool) -> None:
        grid = self._grid
        first = 0 if from_top else grid.cursor - grid.cursor % PAGE
        try:
            page = await self.hub.link.main.ask(self._question(first, PAGE), AccountPage)
        except BankError as error:
            self._tell_count(str(error))
            return
        self._sum = page
        grid.show_remote(page.matching, keep=not from_top)
        grid.put(page.first, [_account_row(account) for account in page.rows])
        self._tell_count()

    def _tell_count(self, problem: str = "") -> None:
        page = self._sum
        self._grid.empty = _NO_MATCH if page.total else _NO_ACCOUNT
        told = formats.count_of(page.matching, page.total, "accounts")
        if page.matching != page.total:
            told += f", {formats.amount(page.sum_matching)} in them"
        self.query_one("#accounts", Panel).say(problem or told)

    @on(Grid.PageWanted, "#accounts-grid")
    def _fetch(self, event: Grid.PageWanted) -> None:
        self.attempt(self._fetch_page(event.first, event.count))

    async def _fetch_page(self, first: int, count: int) -> None:
        page = await self.hub.link.main.ask(self._question(first, count), AccountPage)
        self._grid.put(page.first, [_account_row(account) for account in page.rows])

    async def all_rows(self, grid: Grid) -> list[Row]:
        if grid is not self._grid:
            return grid.rows
        rows: list[Row] = []
        while True:
            page = await self.hub.link.main.ask(
                self._question(len(rows), _EXPORT_PAGE), AccountPage
            )
            rows += [_account_row(account) for account in page.rows]
            if not page.rows or len(rows) >= page.matching:
                return rows

    # The chosen account

    @on(Grid.Moved, "#accounts-grid")
    def _moved(self, event: Grid.Moved) -> None:
        if event.row is not None:
            self._look(int(str(event.row.key)))

    @work(exclusive=True, group="detail", exit_on_error=False)
    async def _look(self, number: int) -> None:
        try:
            detail = await self.hub.link.main.ask(
                f"OD account={number} count={_HISTORY}", AccountDetail
            )
        except BankError as error:
            self.query_one("#account-facts", Words).say(safe.content(error, "$bank-dim"))
            return
        self._detail = detail
        self._show_facts(detail)
        grid = self.query_one("#history-grid", Grid)
        older = (*(m.balance for m in detail.history[1:]), None)
        rows = [_movement_row(m, b) for m, b in zip(detail.history, older, strict=False)]
        grid.show(rows, keep=False)
        more = "+" if detail.more else ""
        self.query_one("#history", Panel).say(
            f"{formats.plural(len(detail.history), 'entry', 'entries')}{more}"
        )
        balances = [float(m.balance) for m in reversed(detail.history)]
        paint = None
        if len(balances) > 1:
            steps = [float(i - len(balances) + 1) for i in range(len(balances))]
            paint = chart.line(steps, balances, x_ticks=_entries_ago, y_ticks=formats.short)
        await self.query_one("#balance-chart", Chart).draw((number, tuple(balances)), paint)

    def _show_facts(self, detail: AccountDetail) -> None:
        self.query_one("#account", Panel).say(f"{detail.number}/{self.hub.status.code}")
        rows = [
            safe.assemble(("balance  ", "$bank-dim"), (formats.amount(detail.balance), "bold")),
            safe.assemble(("last     ", "$bank-dim"), f"entry {formats.amount(detail.last_entry)}"),
        ]
        if detail.opened_us:
            rows.append(safe.assemble(("opened   ", "$bank-dim"), formats.date(detail.opened_us)))
        if not detail.open:
            rows.append(safe.content("✗ closed", "$error"))
        self.query_one("#account-facts", Words).say(safe.lines(*rows))

    def choose(self, number: int) -> None:
        """Shows one account, wherever it is in the list."""
        box = self.query_one("#filter", Typed)
        box.add_class("-open")
        box.value = str(number)
        self._grid.focus()

    # Filtering and sorting

    @property
    def filtered_grid(self) -> Grid:
        return self._grid

    def show_filtered(self) -> None:
        self.load(from_top=True)

    @on(Grid.SortAsked, "#accounts-grid")
    def _sort_asked(self, event: Grid.SortAsked) -> None:
        self._sort_by(f"-{event.column}" if self._sort == event.column else event.column)

    def _sort_by(self, sort: str) -> None:
        self.console_app.memory.now.sort["accounts"] = sort
        self._grid.sorted_by = sort
        self.load(from_top=True)

    async def do_sort(self) -> None:
        keys = [column.key for column in self._grid.columns if column.sorts]
        self._sort_by(keys[(keys.index(self._sort.lstrip("-")) + 1) % len(keys)])

    async def do_reverse(self) -> None:
        sort = self._sort
        self._sort_by(sort[1:] if sort.startswith("-") else f"-{sort}")

    async def do_reload(self) -> None:
        self.load()

    # Moving money

    async def do_open(self) -> None:
        if await self.app.push_screen_wait(money.open_question(self.hub.status)):
            reply = accepted(await self.hub.link.main.say("AC"))
            address = reply.partition(" ")[2]
            self.done(f"Account {address} is open.")
            number = address.partition("/")[0]
            if number.isdigit():
                self.choose(int(number))

    async def do_deposit(self) -> None:
        await self._move("AD")

    async def do_withdraw(self) -> None:
        await self._move("AW")

    async def _move(self, code: str) -> None:
        account = await self._chosen()
        if account is None:
            return
        form, question = money.forms(code, account, self.hub.status.code)
        values = await self.app.push_screen_wait(form)
        if values is None:
            return
        line = money.line(code, account, self.hub.status.code, values)
        if await self.app.push_screen_wait(question(values)):
            accepted(await self.hub.link.main.say(line))
            self.done(money.done(code, account, values))
            self._after_change(account.number)

    async def do_remove(self) -> None:
        account = await self._chosen()
        if account is None:
            return
        if account.balance:
            self.warn(f"{account.number} still holds {formats.amount(account.balance)}: only an "
                      "empty account can be removed.")  # fmt: skip
            return
        if await self.app.push_screen_wait(money.remove_question(account, self.hub.status.code)):
            accepted(await self.hub.link.main.say(f"AR {account.number}/{self.hub.status.code}"))
            self.done(f"Account {account.number} is removed.")
            self.load()

    async def _chosen(self) -> AccountDetail | None:
        """The account under the cursor, with the balance that the node tells now."""
        key = self._grid.key
        if key is None:
            self.warn("No account is chosen: o opens one.")
            return None
        return await self.hub.link.main.ask(f"OD account={key} count=1", AccountDetail)

    def _after_change(self, number: int) -> None:
        self.load()
        self._look(number)
        self.hub.wake("pulse")


_NO_ACCOUNT = "There is no account yet. o opens one."
_NO_MATCH = "No account matches. / changes the filter, o opens an account."


def _entries_ago(entries: float) -> str:
    whole = round(entries)
    return f"{whole}" if whole else "latest"


def _accounts_grid() -> Grid:
    return Grid(
        Column("number", "Account", 8, sorts=True),
        Column("balance", "Balance", 12, right=True, flex=1, sorts=True),
        Column("last_entry", "Last entry", 11, right=True, sorts=True),
        id="accounts-grid",
        name="accounts",
        empty=_NO_ACCOUNT,
    )


def _account_row(account: Account) -> Row:
    balance = formats.amount(account.balance)
    return Row(
        account.number,
        (
            (str(account.number), "accent"),
            balance if account.balance else (balance, "dim"),
            (formats.amount(account.last_entry), "dim"),
        ),
    )


def _history_grid() -> Grid:
    return Grid(
        Column("time", "Time", 8),
        Column("date", "Day", 10, from_width=76),
        Column("kind", "Kind", 9, flex=1, from_width=40),
        Column("amount", "Amount", 10, right=True, flex=2),
        Column("balance", "After", 11, right=True, flex=1),
        Column("entry", "Entry", 10, right=True, from_width=60),
        Column("height", "Block", 9, right=True, from_width=70),
        id="history-grid",
        name="history",
        empty="No entries yet. d deposits to the chosen account.",
    )


def _movement_row(movement: Movement, balance_before: int | None) -> Row:
    """One movement; without the balance before it, its kind tells whether money came or went."""
    comes = movement.kind == "deposit"
    if balance_before is not None:
        comes = movement.balance > balance_before
    sign, tone = ("+", "good") if comes else ("−", "warn")
    if not movement.amount:
        sign, tone = "", "dim"
    return Row(
        movement.entry,
        (
            (formats.clock(movement.time_us), "dim"),
            (formats.date(movement.time_us)[:10], "dim"),
            movement.kind,
            (f"{sign}{formats.amount(movement.amount)}", tone),
            formats.amount(movement.balance),
            (formats.amount(movement.entry), "dim"),
            (formats.amount(movement.height), "dim"),
        ),
    )
