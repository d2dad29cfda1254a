"""What an operator does on each screen, and the lines that go to the bank for it."""

import json

from support.console_bank import CODE, FakeBank
from support.console_pilot import in_a_loop, opened, text_of
from textual.widgets import Input, ProgressBar

from tui import actions
from tui.state import Memory
from tui.widgets.dialogs import Confirm, Form, TextDialog
from tui.widgets.grid import Grid
from tui.widgets.subnet import SubnetMap


@in_a_loop
async def test_every_screen_is_one_digit_and_one_click_away():
    async with opened(size=(80, 24)) as console:
        for screen in (*actions.SCREENS, "overview"):
            await console.until(lambda: console.app.screen.query("#nav"), "the names")
            nav = console.app.screen.query_one("#nav")
            await console.until(lambda nav=nav: nav.region.area, "the names drawn")
            await console.pilot.click("#nav", offset=(nav.places()[screen] + 3, 0))
            await console.until(lambda screen=screen: console.app.current_mode == screen, screen)
        for digit, screen in enumerate(actions.SCREENS, 1):
            await console.press(str(digit % 10))
            await console.until(lambda screen=screen: console.app.current_mode == screen, screen)
            # Lines own their digits.
            if screen == "console":
                await console.press("escape")
            if screen == "robbery":
                console.focus("#plan-grid")
                await console.pilot.pause()


@in_a_loop
async def test_the_palette_finds_an_action_of_another_screen():
    async with opened() as console:
        await console.press("ctrl+p", "type:journal verify")
        await console.sees("Replay the whole ledger")
        await console.press("enter")
        await console.until(lambda: console.app.current_mode == "journal", "the journal")
        await console.sent("OV start=1")


@in_a_loop
async def test_the_overview_shows_state_figures_peers_warnings_and_events():
    async with opened(beats=3, size=(120, 40)) as console:
        for text in (CODE, "serving", "1.2 GB left", "AD", "10.1.2.9", "ConnectionRefused"):
            await console.sees(text)


@in_a_loop
async def test_draining_is_asked_first_and_cancel_has_the_focus():
    async with opened() as console:
        await console.press("d")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        assert console.app.focused.id == "cancel"
        await console.press("enter")
        assert not any(line.startswith("OX") for line in console.bank.lines)
        await console.press("d")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("y")
        await console.sent("OX do=drain")
        await console.sees("draining")


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
async def test_a_form_says_what_is_wrong_while_it_is_typed():
    async with opened(screen="accounts") as console:
        await console.until(lambda: _grid(console).key == 10_000, "the first account")
        await console.press("down", "a")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:5x")
        await console.sees("Not an amount")
        await console.press("backspace", "type:00")
        await console.sees("Only 37 is there")
        await console.press("enter")
        assert isinstance(console.app.screen, Form)
        await console.press("escape")
        assert not any(line.startswith("AW") for line in console.bank.lines)


@in_a_loop
async def test_an_account_that_holds_money_is_not_even_asked_about():
    async with opened(screen="accounts") as console:
        await console.until(lambda: _grid(console).key == 10_000, "the first account")
        await console.press("down", "x")
        await console.sees("still holds 37")


def _grid(console):
    return console.app.screen_stack[0].query_one("#accounts-grid", Grid)


@in_a_loop
async def test_ninety_thousand_accounts_are_fetched_as_they_come_into_sight():
    async with opened(FakeBank(accounts=90_000), screen="accounts") as console:
        grid = _grid(console)
        await console.until(lambda: grid.total == 90_000, "all accounts")
        await console.press("end")
        await console.until(lambda: grid.key == 99_999, "the last account")
        pages = [line for line in console.bank.lines if line.startswith("OC")]
        assert len(pages) <= 4


@in_a_loop
async def test_sorting_and_filtering_are_done_by_the_node():
    async with opened(screen="accounts") as console:
        await console.until(lambda: _grid(console).key == 10_000, "the first account")
        await console.press("s", "S")
        await console.until(lambda: _grid(console).sorted_by == "-balance", "by balance")
        richest = max(console.bank.balances, key=lambda n: (console.bank.balances[n], n))
        await console.until(lambda: _grid(console).key == richest, "the richest")
        await console.pilot.click("#accounts-grid", offset=(4, 0))
        await console.until(lambda: _grid(console).sorted_by == "number", "by number")
        await console.press("slash", "type:1039", "enter")
        await console.sees("10 of 400 accounts")
        assert console.app.focused is _grid(console)
        assert console.app.memory.now.sort["accounts"] == "number"


@in_a_loop
async def test_a_scan_is_started_drawn_and_stopped():
    async with opened(screen="network") as console:
        await console.press("n")
        await console.sent("ON start=1")
        await console.sees("179 of 254 asked")
        assert console.app.screen.query_one("#progress", ProgressBar).display
        await console.press("n")
        await console.sent("ON stop=1")


@in_a_loop
async def test_a_bank_is_added_asked_pinged_tried_and_forgotten():
    async with opened(screen="network") as console:
        await console.until(lambda: console.app.hub.peers.peers, "the banks")
        await console.press("a")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:10.1.2.99:65530", "enter")
        await console.sent("OI add=10.1.2.99:65530")
        await console.press("down", "v")
        await console.sent("OI ask=10.1.2.7")
        await console.press("i")
        await console.sent("OK to=10.1.2.7:65526 line=BC")
        await console.press("c")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:BA", "enter")
        await console.until(lambda: isinstance(console.app.screen, TextDialog), "the reply")
        await console.sees("BA 4711")
        await console.press("escape", "x")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("y")
        await console.sent("OI remove=10.1.2.7")


@in_a_loop
async def test_the_map_names_the_cell_under_the_cursor():
    async with opened(screen="network") as console:
        console.focus(SubnetMap)
        await console.press("right", "right", "right", "right", "right", "right", "right")
        await console.sees("10.1.2.7  verified")


@in_a_loop
async def test_a_robbery_is_planned_with_its_frontier_and_what_greed_wastes():
    async with opened(screen="robbery") as console:
        await console.press("type:1,000,000", "enter")
        await console.sent("OB number=1000000 objective=fewest frontier=1 points=60")
        for text in ("10.1.2.10", "18 clients", "proven", "for nothing", "silent for 3 minutes"):
            await console.sees(text)
        console.focus("#plan-grid")
        await console.press("o")
        await console.sent("OB number=1000000 objective=closest frontier=1 points=60")


@in_a_loop
async def test_a_target_beyond_all_banks_says_what_they_hold():
    async with opened(screen="robbery") as console:
        await console.press("type:9000000000000", "enter")
        await console.sees("All banks together hold 1,000,000,000,000")


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


@in_a_loop
async def test_old_blocks_are_fetched_as_they_come_into_sight():
    async with opened(screen="journal") as console:
        grid = console.app.screen.query_one("#blocks-grid", Grid)
        await console.until(lambda: grid.total == 512, "the blocks")
        await console.press("end")
        await console.until(lambda: grid.key == 1, "the first block")


@in_a_loop
async def test_the_console_sends_what_is_typed_and_explains_it():
    async with opened(screen="console") as console:
        await console.press("type:ad")
        await console.sees("adds money to an account")
        await console.press("backspace", "backspace", "type:bc", "enter")
        await console.sent("bc")
        await console.sees("BC 10.1.2.3")
        await console.press("type:@10.1.2.7:65526 BA", "enter")
        await console.sent("OK to=10.1.2.7:65526 line=BA")
        await console.press("up", "up")
        assert console.app.screen.query_one("#line", Input).value == "bc"
        await console.press("escape", "1")
        await console.until(lambda: console.app.current_mode == "overview", "the overview")


@in_a_loop
async def test_a_token_that_is_typed_is_neither_shown_nor_remembered():
    async with opened(screen="console") as console:
        await console.press("type:OA the-right-token", "enter")
        await console.sees("OA <token>")
        assert "the-right-token" not in text_of(console.app)
        assert console.app.memory.now.history == []


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
        await console.until(lambda: _grid(console).key == 10_012, "the account of the line")


@in_a_loop
async def test_the_traffic_is_read_only_while_it_is_looked_at():
    async with opened() as console:
        await console.press("7")
        await console.until(lambda: any(x.startswith("OL") for x in console.bank.lines), "the log")
        assert not any(line.startswith("OT") for line in console.bank.lines)
        await console.press("s")
        await console.until(lambda: any(x.startswith("OT") for x in console.bank.lines), "traffic")
        await console.sees("AD 10079")


@in_a_loop
async def test_a_live_setting_is_changed_and_another_one_is_not():
    async with opened(screen="settings") as console:
        await console.sees("network.host")
        await console.press("e")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("backspace", "backspace", "type:cs", "enter")
        await console.sent("OH key=language value=cs")
        await console.until(lambda: console.bank.language == "cs", "Czech")
        await console.press("down", "e")
        await console.sees("is read at the start")


@in_a_loop
async def test_a_key_is_changed_used_and_given_back():
    memory = Memory(None)
    async with opened(screen="settings", memory=memory) as console:
        console.focus("#keys-grid")
        grid = console.app.screen.query_one("#keys-grid", Grid)
        grid.cursor = list(actions.ACTIONS).index("app.pause")
        await console.press("e", "f9")
        await console.until(lambda: memory.now.keymap == {"app.pause": "f9"}, "the new key")
        await console.press("f9")
        assert console.app.hub.paused
        await console.press("p")
        assert console.app.hub.paused
        await console.press("backspace", "p")
        assert not console.app.hub.paused
        assert memory.now.keymap == {}


@in_a_loop
async def test_a_key_that_is_taken_is_refused():
    memory = Memory(None)
    async with opened(screen="settings", memory=memory) as console:
        console.focus("#keys-grid")
        await console.press("e", "q")
        await console.sees("is the key of Quit")
        assert memory.now.keymap == {}


@in_a_loop
async def test_a_read_only_console_changes_nothing():
    async with opened(read_only=True) as console:
        await console.sees("read-only")
        writing = [action for action in actions.ACTIONS.values() if action.writes]
        assert len(writing) > 10
        for action in writing:
            console.app.go(action.screen)
            await console.until(lambda a=action: a.screen == console.app.screen.NAME, "the screen")
            console.app.screen.action_do(action.id)
            await console.pilot.pause()
            assert len(console.app.screen_stack) == 1
        sent = {line.partition(" ")[0] for line in console.bank.lines}
        assert not sent & {"AC", "AD", "AW", "AR", "OX", "OI", "OH", "OZ", "OK"}


@in_a_loop
async def test_a_read_only_console_sends_no_line_that_may_change_something():
    async with opened(screen="console", read_only=True) as console:
        await console.press("type:AC", "enter")
        await console.sees("read-only, and this line")
        await console.press(*["backspace"] * 2, "type:BC", "enter")
        await console.sent("BC")
        assert "AC" not in console.bank.lines


@in_a_loop
async def test_what_is_said_is_one_key_away_and_holds_no_token():
    async with opened(screen="accounts", beats=0) as console:
        await console.press("f12", "r")
        await console.sees("OC first=0 count=200 sort=number")
        await console.press("f12")
        await console.until(lambda: _said(console, "OA <token>"), "the authentication")
        assert "the-right-token" not in text_of(console.app)
        await console.press("f12")
        assert not console.app.screen.query_one("#trace").display


def _said(console, line):
    grid = console.app.screen.query_one("#trace-grid", Grid)
    return any(line in row.cells for row in grid.rows)


@in_a_loop
async def test_help_tells_of_the_focused_pane_and_of_its_keys():
    async with opened(screen="accounts", size=(120, 60)) as console:
        console.focus("#history-grid")
        await console.press("question_mark")
        await console.sees("The last entries of the chosen account")
        await console.sees("Open an account with balance 0.")
        await console.press("escape")
        assert len(console.app.screen_stack) == 1


@in_a_loop
async def test_jump_mode_goes_to_a_pane_by_its_letter():
    async with opened(screen="accounts") as console:
        targets = list(console.app.screen.jump_targets())
        letter = "asdfghjklqwertuiopzxcvbnm"[targets.index("history-grid")]
        await console.press("grave_accent", letter)
        await console.until(lambda: console.app.focused.id == "history-grid", "the history")
        targets = list(console.app.screen.jump_targets())
        letter = "asdfghjklqwertuiopzxcvbnm"[targets.index("screen:log")]
        await console.press("grave_accent", letter)
        await console.until(lambda: console.app.current_mode == "log", "the log")


@in_a_loop
async def test_a_table_is_saved_whole_and_copied(tmp_path):
    bank = FakeBank(accounts=2_500)
    async with opened(bank, screen="accounts", save_folder=tmp_path) as console:
        await console.until(lambda: _grid(console).total == 2_500, "the accounts")
        await console.press("w")
        await console.until(lambda: list(tmp_path.glob("*.csv")), "the file")
        await console.sees("2,500 rows written")
        (saved,) = tmp_path.glob("accounts-*.csv")
        lines = saved.read_text().splitlines()
        assert lines[0] == "Account,Balance,Last entry"
        assert len(lines) == 2_501
        console.focus("#history-grid")
        await console.press("y")
        await console.sees("rows of history copied")
        assert console.app.clipboard.startswith("Time,Day,Kind")


@in_a_loop
async def test_a_table_that_cannot_be_saved_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    async with opened(save_folder=tmp_path / "file") as console:
        await console.press("w")
        await console.sees("cannot be written")


@in_a_loop
async def test_a_lost_node_is_shown_and_an_action_says_that_nothing_was_done():
    async with opened(screen="accounts") as console:
        await console.until(lambda: _grid(console).key == 10_000, "the first account")
        console.bank.lost = True
        console.app.hub.wake("pulse")
        await console.sees("✗ lost")
        await console.press("d")
        await console.sees("nothing was done")
        console.bank.lost = False
        console.app.hub.wake("pulse")
        await console.sees("● serving")


@in_a_loop
async def test_a_lost_deposit_is_called_unknown():
    async with opened(screen="accounts") as console:
        await console.until(lambda: _grid(console).key == 10_000, "the first account")
        await console.press("d")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:5", "enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        console.bank.lost = True
        await console.press("y")
        await console.sees("Nobody knows whether this was done")


@in_a_loop
async def test_a_wrong_token_is_told_in_the_header():
    async with opened(beats=0) as console:
        console.app.link.pulse._token = "wrong"
        await console.app.link.pulse.close()
        console.app.hub.wake("pulse")
        await console.sees("the token is wrong")


@in_a_loop
async def test_leaving_asks_only_when_an_embedded_bank_has_clients():
    async with opened(embedded=True) as console:
        await console.press("q")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.sees("clients are connected")
        await console.press("n")
        await console.until(lambda: len(console.app.screen_stack) == 1, "the overview")
        await console.press("q")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("y")
        await console.until(lambda: not console.app.is_running, "the end")


@in_a_loop
async def test_the_screen_theme_and_sorting_come_back_at_the_next_start(tmp_path):
    async with opened(memory=Memory(tmp_path)) as console:
        await console.press("2", "s", "ctrl+t")
        await console.until(lambda: console.app.theme == "bank-light", "the light theme")
    kept = json.loads((tmp_path / "console.json").read_text())
    assert (kept["screen"], kept["theme"], kept["sort"]["accounts"]) == (
        "accounts", "bank-light", "balance")  # fmt: skip


@in_a_loop
async def test_all_connections_are_closed_at_the_end():
    async with opened(screen="log") as console:
        callers = []
        connect = console.bank.connect

        async def counted():
            callers.append(await connect())
            return callers[-1]

        for line in vars(console.app.link).values():
            if hasattr(line, "_connect"):
                await line.close()
                line._connect = counted
        await console.app.hub.beat()
        await console.app.link.main.say("BC")
    assert callers
    assert all(caller.closed for caller in callers)


@in_a_loop
async def test_a_follower_says_so_and_is_promoted_after_a_question():
    bank = FakeBank()
    bank.replicas = {"role": "follower", "lag_blocks": 3, "connected": True, "problem": ""}
    async with opened(bank, beats=2) as console:
        await console.sees("follows")
        await console.sees("3 blocks behind")
        await console.press("P")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        assert console.app.focused.id == "cancel"
        await console.press("y")
        await console.sent("OR promote=1")
        await console.sees("leads the bank, in epoch 2")


@in_a_loop
async def test_a_leader_tells_how_far_its_followers_are_and_is_not_promoted():
    bank = FakeBank()
    bank.replicas = {"role": "leader", "followers": [{"node": "n", "behind": 1}]}
    async with opened(bank, beats=2) as console:
        await console.sees("1, 1 block behind")
        await console.press("P")
        await console.sees("does not follow another one")
    assert "OR promote=1" not in bank.lines
