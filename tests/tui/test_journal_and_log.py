"""What has happened, on the screen: the journal, the log and the traffic."""

from support.console_pilot import opened
from support.loops import in_a_loop

from tui.model.replies import Entry
from tui.screens.journal import entry_row
from tui.widgets.columns import plain
from tui.widgets.dialogs import Form
from tui.widgets.grid import Grid


@in_a_loop
async def test_the_journal_is_searched_verified_and_exported():
    async with opened(screen="journal") as console:
        await console.sees("512 blocks")
        await console.press("down", "down")
        await console.sent("OJ height=510 count=500")
        await console.press("slash")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:10004", "down", "type:2026-11-21 14:00", "enter")
        await console.sent("OJ account=10004 since_us=1795269600000000 count=500")
        await console.press("v")
        await console.sent("OV start=1")
        await console.sees("block 230 of 512")
        await console.press("e")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("enter")
        await console.sent("OZ format=csv what=journal account=10004")
        await console.sent("OZ")
        await console.sees("929 rows")


def test_an_entry_that_moves_nothing_names_no_parties():
    def parties(debit, credit):
        entry = Entry(entry=7, height=3, time_us=0, kind="noted", debit=debit, credit=credit)
        return [plain(cell) for cell in entry_row(entry).cells[3:5]]

    assert parties(0, 0) == ["–", "–"]
    assert parties(0, 10_001) == ["cash", "10001"]
    assert parties(10_001, 10_002) == ["10001", "10002"]


@in_a_loop
async def test_old_blocks_are_fetched_as_they_come_into_sight():
    async with opened(screen="journal") as console:
        grid = console.app.screen.query_one("#blocks-grid", Grid)
        await console.until(lambda: grid.total == 512, "the blocks")
        await console.press("end")
        await console.until(lambda: grid.key == 1, "the first block")


@in_a_loop
async def test_the_log_is_filtered_held_and_leads_to_accounts_and_banks():
    async with opened(screen="log") as console:
        grid = console.app.screen.query_one("#log-grid", Grid)
        await console.until(lambda: grid.total == 45, "the log")
        assert grid.cursor == 44
        await console.press("l")
        await console.sees("15 of 60 lines, warning and above")
        await console.press("l", "l", "space")
        await console.sees("held")
        await console.press("slash", "type:watched", "enter", "home", "enter")
        await console.until(lambda: console.app.current_mode == "accounts", "the accounts")
        await console.until(lambda: console.accounts.key == 10_012, "the account of the line")


@in_a_loop
async def test_the_traffic_is_read_only_while_it_is_looked_at():
    async with opened() as console:
        await console.press("7")
        await console.until(lambda: any(x.startswith("OL") for x in console.bank.lines), "the log")
        assert not any(line.startswith("OT") for line in console.bank.lines)
        await console.press("s")
        await console.until(lambda: any(x.startswith("OT") for x in console.bank.lines), "traffic")
        await console.sees("AD 10079")
