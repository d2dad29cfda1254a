"""Accounts on the screen: opened, filled, emptied, removed, sorted and searched."""

from support.console_bank import CODE, FakeBank
from support.console_pilot import opened
from support.loops import in_a_loop

from tui.widgets.dialogs import Confirm, Form
from tui.widgets.grid import Grid


@in_a_loop
async def test_an_account_is_opened_filled_emptied_and_removed():
    async with opened(screen="accounts") as console:
        await console.press("o")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("y")
        await console.sent("AC")
        number = 10_400
        grid = console.app.screen.query_one("#accounts-grid", Grid)
        await console.until(lambda: grid.key == number, "the new account under the cursor")
        for key, code, focus in (("d", "AD", "accept"), ("a", "AW", "cancel")):
            await console.press(key)
            await console.until(lambda: isinstance(console.app.screen, Form), "a form")
            await console.press("type:500")
            await console.sees(f"{code} {number}/{CODE} 500")
            await console.press("enter")
            await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
            assert console.app.focused.id == focus
            await console.press("y")
            await console.sent(f"{code} {number}/{CODE} 500")
            await console.sees("it is on disk")
            await console.until(lambda: len(console.app.screen_stack) == 1, "the table")
        await console.press("x")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("y")
        await console.sent(f"AR {number}/{CODE}")


@in_a_loop
async def test_a_table_without_rows_says_whether_there_is_no_account_or_none_that_matches():
    async with opened(FakeBank(accounts=0), screen="accounts") as console:
        await console.sees("There is no account yet. o opens one.")
        await console.sees("What the chosen account holds is told here.")
    async with opened(screen="accounts") as console:
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        await console.press("slash", "type:=999999999999", "enter")
        await console.sees("No account matches.")


@in_a_loop
async def test_a_form_says_what_is_wrong_while_it_is_typed():
    async with opened(screen="accounts") as console:
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        await console.press("down", "a")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:5x")
        await console.sees("A whole number from 0 to 9,223,372,036,854,775,807.")
        await console.press("backspace", "type:00")
        await console.sees("Only 37 is there")
        await console.press("enter")
        assert isinstance(console.app.screen, Form)
        await console.press("escape")
        assert not any(line.startswith("AW") for line in console.bank.lines)


@in_a_loop
async def test_an_account_that_holds_money_is_not_even_asked_about():
    async with opened(screen="accounts") as console:
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        await console.press("down", "x")
        await console.sees("still holds 37")


@in_a_loop
async def test_ninety_thousand_accounts_are_fetched_as_they_come_into_sight():
    async with opened(FakeBank(accounts=90_000), screen="accounts") as console:
        grid = console.accounts
        await console.until(lambda: grid.total == 90_000, "all accounts")
        await console.press("end")
        await console.until(lambda: grid.key == 99_999, "the last account")
        pages = [line for line in console.bank.lines if line.startswith("OC")]
        assert len(pages) <= 4


@in_a_loop
async def test_sorting_and_filtering_are_done_by_the_node():
    async with opened(screen="accounts") as console:
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        await console.press("s", "S")
        await console.until(lambda: console.accounts.sorted_by == "-balance", "by balance")
        richest = max(console.bank.balances, key=lambda n: (console.bank.balances[n], n))
        await console.until(lambda: console.accounts.key == richest, "the richest")
        await console.pilot.click("#accounts-grid", offset=(4, 0))
        await console.until(lambda: console.accounts.sorted_by == "number", "by number")
        await console.press("slash", "type:1039", "enter")
        await console.sees("10 of 400 accounts")
        assert console.app.focused is console.accounts
        assert console.app.memory.now.sort["accounts"] == "number"


@in_a_loop
async def test_a_lost_deposit_is_called_unknown():
    async with opened(screen="accounts") as console:
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        await console.press("d")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:5", "enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        console.bank.lost = True
        await console.press("y")
        await console.sees("Nobody knows whether this was done")
