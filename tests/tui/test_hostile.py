"""A bank full of texts that strangers chose to break a terminal, on every screen.

Every text is full of escape sequences, markup, bidi controls and ten thousand letters. Nothing of
that may be drawn, and nothing may crash.
"""

from rich.segment import Segment
from support.console_bank import FakeBank
from support.console_pilot import opened, text_of
from support.loops import in_a_loop

from tui import actions
from tui.model.interfaces import Interface
from tui.widgets.dialogs import Form, TextDialog

KEYS = {
    "overview": ("#events-grid",),
    "robbery": ("#amount", "type:5000", "enter"),
    "console": ("#line", "type:OS", "enter", "type:@10.1.2.7 XX", "enter"),
    "journal": ("#blocks-grid", "v"),
    "log": ("#log-grid", "s", "s", "s"),
    "network": ("#banks-grid", "down", "v", "i"),
    "accounts": ("#accounts-grid", "down"),
    "settings": ("#settings-grid", "down"),
    "payments": ("#flow-grid", "down", "e", "c", "m", "d", "i"),
    "transfers": ("#flight-grid", "down", "d", "down", "o", "K", "u"),
}


def is_harmless(app):
    """Whether everything that is drawn is printable, in every segment of every line."""
    return all(
        segment.text.isprintable()
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if isinstance(segment, Segment) and not segment.control
    )


@in_a_loop
async def test_nothing_hostile_is_drawn_and_nothing_crashes():
    async with opened(FakeBank(hostile=True), size=(200, 60), beats=2) as console:
        await console.press("f12", "f12")
        for screen in actions.SCREENS:
            console.app.go(screen)
            await console.until(lambda s=screen: console.app.screen.query(KEYS[s][0]), screen)
            console.focus(KEYS[screen][0])
            await console.press(*KEYS[screen][1:])
            await console.sees("]52;c;aGFja2Vk")
            shows_nothing_hostile(console)
        await console.pilot.resize_terminal(80, 24)
        for screen in actions.SCREENS:
            console.app.go(screen)
            await console.until(lambda s=screen: console.app.screen.query(KEYS[s][0]), screen)
            await console.pilot.pause()
            shows_nothing_hostile(console)


def shows_nothing_hostile(console):
    shown = text_of(console.app)
    assert is_harmless(console.app)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert console.app.is_running


@in_a_loop
async def test_the_reply_of_a_hostile_bank_is_only_read():
    async with opened(FakeBank(hostile=True), screen="network") as console:
        await console.until(lambda: console.app.hub.peers.peers, "the banks")
        await console.press("down", "c")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:BC", "enter")
        await console.until(lambda: isinstance(console.app.screen, TextDialog), "the reply")
        assert is_harmless(console.app)


@in_a_loop
async def test_a_hostile_refusal_is_told_as_text():
    async with opened(FakeBank(hostile=True), screen="accounts") as console:
        await console.until(lambda: console.app.screen.query_one("#accounts-grid").row, "a row")
        console.app.screen.attempt(_refused(console))
        await console.sees("The node refuses")
        assert is_harmless(console.app)


async def _refused(console):
    from tui.link import accepted

    accepted(await console.app.link.main.say("AW 10000/10.1.2.3 99999999"))


@in_a_loop
async def test_what_is_pasted_into_a_line_loses_its_control_characters():
    from textual.events import Paste

    async with opened(screen="console") as console:
        line = console.app.screen.query_one("#line")
        line.post_message(Paste("AB \x1b]52;c;aGFja2Vk\x07\u202e10001"))
        await console.until(lambda: "10001" in line.value, "the pasted text")
        assert line.value.isprintable()
        assert is_harmless(console.app)


@in_a_loop
async def test_hostile_names_of_interfaces_are_text():
    from support.console_bank import HOSTILE

    from tui.first_start import FirstStart

    app = FirstStart([Interface(HOSTILE, "10.1.2.3", HOSTILE)], lambda config: None)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert is_harmless(app)


@in_a_loop
async def test_a_saved_table_holds_no_escape_and_no_formula(tmp_path):
    bank = FakeBank(hostile=True)
    bank.peers[1]["name"] = "=cmd|' /C calc'!A0"
    async with opened(bank, screen="network", save_folder=tmp_path) as console:
        await console.press("w")
        await console.until(lambda: list(tmp_path.glob("*.csv")), "the file")
        (saved,) = tmp_path.glob("*.csv")
        await console.until(lambda: saved.stat().st_size, "its content")
        text = saved.read_text()
        assert "\x1b" not in text
        assert ",=cmd" not in text
