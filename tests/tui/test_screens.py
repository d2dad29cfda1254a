"""What an operator does on every screen, and the lines that go to the bank for it."""

import json

import pytest
from support.console_bank import CODE, START_US, FakeBank
from support.console_pilot import opened, text_of, text_seen
from support.loops import in_a_loop

from tui import actions
from tui.state import Memory
from tui.widgets.dialogs import Confirm
from tui.widgets.grid import Grid
from tui.widgets.keybar import KeyBar


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
async def test_while_a_line_is_typed_into_the_last_row_tells_only_keys_that_work():
    async with opened(size=(100, 30)) as console:
        await console.press("4", "type:5")
        await console.sees("esc leave line  f1 help  ctrl+p commands")
        bar = console.app.screen.query_one(KeyBar)
        assert "plan" not in str(bar.render())
        await console.pilot.click(KeyBar, offset=(2, 0))
        await console.sees("? help  / amount")
        await console.press("5")
        await console.until(lambda: console.app.current_mode == "journal", "the journal")


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
async def test_who_looks_in_a_browser_cannot_end_what_read_only_means_there(monkeypatch):
    monkeypatch.setattr("tui.app._browser_driver", lambda: None)
    async with opened(read_only=True, in_browser=True) as console:
        for screen in actions.SCREENS:
            console.app.go(screen)
            await console.until(lambda s=screen: s == console.app.screen.NAME, "the screen")
            await console.pilot.pause()
            assert "only looks" not in text_seen(console.app)
        await console.press("ctrl+r")
        await console.sees("only looks")
        assert console.app.read_only
    async with opened(read_only=True) as console:
        await console.press("ctrl+r")
        assert not console.app.read_only


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
        await console.until(lambda: console.accounts.total == 2_500, "the accounts")
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
        await console.until(lambda: console.accounts.key == 10_000, "the first account")
        console.bank.lost = True
        console.app.hub.wake("pulse")
        await console.sees("✗ lost")
        await console.press("d")
        await console.sees("nothing was done")
        console.bank.lost = False
        console.app.hub.wake("pulse")
        await console.sees("● serving")


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


class OneCommandASecond(FakeBank):
    """A bank of which only one command is ever asked."""

    code = "BC"

    def _om(self, rest, words):
        self.looks += 1
        buckets = [0] * 65
        buckets[9] = self.looks
        called = {self.code: {"count": self.looks, "buckets": buckets}}
        return {"now_us": START_US + 1_000_000 * self.looks, "commands": called}


@pytest.mark.parametrize(("code", "rests"), [("BC", False), ("OM", True)])
@in_a_loop
async def test_a_bank_that_only_its_operators_ask_is_at_rest(code, rests):
    bank = OneCommandASecond()
    bank.code = code
    async with opened(bank, beats=3) as console:
        assert (console.app.hub._quiet > 0) is rests
