"""Journal: every block and entry, the search in it, its verification and its export."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from textual import on, work
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import ProgressBar

from bank_node.errors import BankError
from tui import actions, safe
from tui.model import formats
from tui.model.replies import Block, Blocks, Entries, Entry, Verification
from tui.screens import exporting
from tui.screens.base import HouseScreen
from tui.widgets.columns import Cell, Column, Row
from tui.widgets.dialogs import Field, Form, Values
from tui.widgets.grid import PAGE, Grid
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_ENTRIES = 500
_LOOK_S = 0.3
_DATE = "%Y-%m-%d %H:%M"


class Journal(HouseScreen):
    """Blocks on the left, the entries of the chosen one on the right, the proof below."""

    NAME = "journal"
    BINDINGS: ClassVar[Any] = actions.bindings("journal")

    def __init__(self) -> None:
        super().__init__()
        self._top = 0
        """The newest block when the list was loaded; its row is the first."""
        self._search = ""

    def body(self) -> Iterable[Widget]:
        with Container(id="columns"):
            yield Panel("Blocks", _blocks_grid(), id="blocks", help="Every block of the journal, "
                        "the newest first. Each holds the hash of the one before it.")  # fmt: skip
            yield Panel("Entries", _entries_grid(), id="entries", help="The entries of the chosen "
                        "block, or those that a search found. Each moves money from one account "
                        "to another; account 0 is the cash of the bank.")  # fmt: skip
        yield Panel("Proof", ProgressBar(id="progress", show_eta=False), Words(id="proof-text"),
                    id="proof", help="Verification replays every entry, recomputes every hash and "
                    "names the first block that does not fit.", keys="v verify")  # fmt: skip

    def show(self, topic: str) -> None:
        if topic == "all":
            self.query_one("#entries", Panel).say(keys=self.keys(
                "journal.search", "journal.blocks", "journal.export"))  # fmt: skip
            self._load(from_top=not self._top)
            self._watch("")

    # Blocks

    @work(exclusive=True, group="blocks", exit_on_error=False)
    async def _load(self, from_top: bool) -> None:
        if not from_top:
            return
        try:
            page = await self.hub.link.main.ask(f"OJ count={PAGE}", Blocks)
        except BankError as error:
            self.query_one("#blocks", Panel).say(str(error))
            return
        self._top = page.head.height
        grid = self.query_one("#blocks-grid", Grid)
        grid.show_remote(self._top, keep=False)
        grid.put(0, [_block_row(block) for block in page.blocks])
        self.query_one("#blocks", Panel).say(formats.plural(self._top, "block"))
        grid.post_message(Grid.Moved(grid, grid.row))

    @on(Grid.PageWanted, "#blocks-grid")
    def _fetch(self, event: Grid.PageWanted) -> None:
        self.attempt(self._fetch_page(event.grid, event.first, event.count))

    async def _fetch_page(self, grid: Grid, first: int, count: int) -> None:
        line = f"OJ before={self._top - first + 1} count={count}"
        page = await self.hub.link.main.ask(line, Blocks)
        grid.put(first, [_block_row(block) for block in page.blocks])

    @on(Grid.Moved, "#blocks-grid")
    def _moved(self, event: Grid.Moved) -> None:
        if event.row is not None and not self._search:
            self._show_entries(f"OJ height={event.row.key}", f"of block {event.row.key}")

    @on(Grid.Chosen, "#blocks-grid")
    def _chosen(self, event: Grid.Chosen) -> None:
        self._search = ""
        self._show_entries(f"OJ height={event.row.key}", f"of block {event.row.key}")

    @work(exclusive=True, group="entries", exit_on_error=False)
    async def _show_entries(self, line: str, told: str) -> None:
        panel, grid = self.query_one("#entries", Panel), self.query_one("#entries-grid", Grid)
        try:
            page = await self.hub.link.main.ask(f"{line} count={_ENTRIES}", Entries)
        except BankError as error:
            panel.say(str(error))
            return
        grid.show([entry_row(entry) for entry in page.entries], keep=False)
        count = formats.plural(len(page.entries), "entry", "entries")
        panel.say(f"{count}{' (more are there)' if page.more else ''} {told}")

    async def do_blocks(self) -> None:
        self._search = ""
        grid = self.query_one("#blocks-grid", Grid)
        grid.focus()
        grid.post_message(Grid.Moved(grid, grid.row))

    async def do_reload(self) -> None:
        self._search = ""
        self._load(from_top=True)

    async def do_search(self) -> None:
        form = Form(
            "Search the journal",
            [
                Field("account", "Account number", placeholder="10001", problem=_number_problem),
                Field("since", "From, or empty", placeholder="2026-11-21 14:00",
                      problem=_time_problem),
                Field("until", "To, or empty", placeholder="2026-11-21 15:00",
                      problem=_time_problem),
            ],
            button="Search",
            effect=lambda values: safe.assemble(
                ("protocol  ", "$bank-dim"), (_search_line(values), "$accent")
            ),
        )  # fmt: skip
        values = await self.app.push_screen_wait(form)
        if values:
            self._search = values["account"]
            self._show_entries(_search_line(values), f"of account {values['account']}")
            self.query_one("#entries-grid", Grid).focus()

    # Proof

    async def do_verify(self) -> None:
        now = await self.hub.link.main.ask("OV", Verification)
        self._watch("OV stop=1" if now.running else "OV start=1")

    @work(exclusive=True, group="proof", exit_on_error=False)
    async def _watch(self, first: str) -> None:
        """Follows a verification until it ends."""
        line = first or "OV"
        while True:
            try:
                seen = await self.hub.link.main.ask(line, Verification, background=not first)
            except BankError as error:
                self.query_one("#proof-text", Words).say(safe.content(error, "$error"))
                return
            self._show_proof(seen)
            if not seen.running:
                return
            line = "OV"
            first = ""
            await self.hub.breathe(_LOOK_S)

    def _show_proof(self, seen: Verification) -> None:
        bar = self.query_one("#progress", ProgressBar)
        bar.display = seen.running
        if seen.running:
            bar.update(total=max(1, seen.of), progress=seen.height)
        head = seen.head_hash or self.hub.status.head_hash
        told = [safe.assemble(("head  ", "$bank-dim"), (safe.line(head, 70), "$accent"))]
        if seen.running:
            told.append(safe.content(f"… block {seen.height:,} of {seen.of:,}"))
        elif seen.problem is not None:
            told.append(safe.content(
                f"✗ block {seen.problem.height} does not fit: {safe.line(seen.problem.text, 200)}",
                "$error bold"))  # fmt: skip
        elif seen.ok:
            took = f" in {seen.seconds:.1f} s" if seen.seconds is not None else ""
            told.append(
                safe.assemble(
                    ("● everything fits", "$success"), f"  {formats.plural(seen.of, 'block')}{took}"
                )
            )
        else:
            told.append(
                safe.content("Not verified since the node started: v does it.", "$bank-dim")
            )
        self.query_one("#proof-text", Words).say(safe.lines(*told))
        self.query_one("#proof", Panel).say(keys="v stop" if seen.running else "v verify")

    async def do_export(self) -> None:
        await exporting.export(self, self.query_one("#proof", Panel), self._search)


def _search_line(values: Values) -> str:
    line = f"OJ account={values['account']}"
    for key in ("since", "until"):
        moment = _moment_us(values[key])
        if moment is not None:
            line += f" {key}_us={moment}"
    return line


def _moment_us(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, _DATE).astimezone().timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):
        return None


def _time_problem(text: str) -> str:
    return "" if not text or _moment_us(text) is not None else "Type it as 2026-11-21 14:00."


def _number_problem(text: str) -> str:
    is_right = text.isascii() and text.isdigit() and 10_000 <= int(text[:9]) <= 99_999
    return "" if is_right else "An account number is 10000 to 99999."


def _blocks_grid() -> Grid:
    return Grid(
        Column("height", "Block", 9, right=True),
        Column("time", "Time", 8),
        Column("entries", "Entries", 7, right=True),
        Column("hash", "Hash", 8, flex=1),
        id="blocks-grid",
        name="blocks",
        empty="No block was sealed yet: the first change of money makes one.",
    )


def _block_row(block: Block) -> Row:
    return Row(
        block.height,
        (
            (formats.amount(block.height), "accent"),
            (formats.clock(block.time_us), "dim"),
            formats.amount(block.entries),
            (block.hash, "dim"),
        ),
    )


def _entries_grid() -> Grid:
    return Grid(
        Column("entry", "Entry", 9, right=True),
        Column("time", "Time", 8, from_width=56),
        Column("kind", "Kind", 9, flex=1),
        Column("debit", "From", 6, right=True),
        Column("credit", "To", 6, right=True),
        Column("amount", "Amount", 10, right=True, flex=1),
        Column("balance", "Balance", 10, right=True, from_width=76, flex=1),
        id="entries-grid",
        name="entries",
        empty="The entries of the chosen block appear here; / searches by account.",
    )


def entry_row(entry: Entry) -> Row:
    """An entry of the journal as a row."""
    return Row(
        entry.entry,
        (
            (formats.amount(entry.entry), "dim"),
            (formats.clock(entry.time_us), "dim"),
            entry.kind,
            *_parties(entry),
            formats.amount(entry.amount),
            (formats.amount(entry.balance), "dim"),
        ),
    )


def _parties(entry: Entry) -> tuple[Cell, Cell]:
    if entry.debit == entry.credit:
        # Nothing has moved: a note, or a step of a transfer.
        return ("–", "dim"), ("–", "dim")
    return _party(entry.debit), _party(entry.credit)


def _party(account: int | str) -> Cell:
    return ("cash", "dim") if account in (0, "cash") else (str(account), "accent")
