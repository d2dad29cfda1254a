"""Lines that an operator types, settings and keys that are changed."""

from support.console_pilot import opened, text_of
from support.loops import in_a_loop
from textual.widgets import Input

from tui import actions
from tui.screens.console import Talk
from tui.state import Memory
from tui.widgets.dialogs import Form
from tui.widgets.grid import Grid


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
async def test_no_reply_loses_its_end_when_the_screen_is_narrow_or_becomes_so():
    async with opened(screen="console", size=(120, 24)) as console:
        await console.sees("HE tells the commands, HE AD explains one.")
        await console.press("type:AB 10001/10.1.2.3", "enter")
        await console.sent("AB 10001/10.1.2.3")
        for width in (80, 40, 120):
            await console.pilot.resize_terminal(width, 24)
            talk = console.app.screen.query_one(Talk)
            await console.until(lambda: talk.size.width in range(width - 8, width), "the size")  # noqa: B023
            told = " ".join(strip.text for strip in talk.lines)
            assert "HE AD explains one." in " ".join(told.split())
            room = talk.scrollable_content_region.width
            assert max(len(strip.text.rstrip()) for strip in talk.lines) <= room


@in_a_loop
async def test_a_token_that_is_typed_is_neither_shown_nor_remembered():
    async with opened(screen="console") as console:
        await console.press("type:OA the-right-token", "enter")
        await console.sees("OA <token>")
        assert "the-right-token" not in text_of(console.app)
        assert console.app.memory.now.history == []


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
async def test_a_read_only_console_sends_no_line_that_may_change_something():
    async with opened(screen="console", read_only=True) as console:
        await console.press("type:AC", "enter")
        await console.sees("read-only, and this line")
        await console.press(*["backspace"] * 2, "type:BC", "enter")
        await console.sent("BC")
        assert "AC" not in console.bank.lines
