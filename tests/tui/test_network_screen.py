"""Banks of the network on the screen: scanned, asked, and planned to be robbed."""

from support.console_pilot import opened
from support.loops import in_a_loop
from textual.widgets import ProgressBar

from tui.widgets.dialogs import Confirm, Form, TextDialog
from tui.widgets.subnet import SubnetMap


@in_a_loop
async def test_a_scan_is_started_drawn_and_stopped():
    async with opened(screen="network") as console:
        await console.press("n")
        await console.sent("ON start=1")
        await console.sees("179 of 254 asked")
        assert console.app.screen.query_one("#progress", ProgressBar).display
        await console.press("n")
        await console.sent("ON stop=1")


async def _asked_for_a_bank(console):
    """The form that adds a bank is open."""
    await console.until(lambda: console.app.hub.peers.peers, "the banks")
    await console.press("a")
    await console.until(lambda: isinstance(console.app.screen, Form), "a form")


@in_a_loop
async def test_an_odd_port_of_a_bank_is_said_and_not_sent():
    async with opened(screen="network") as console:
        await _asked_for_a_bank(console)
        # Python takes this for a digit, and for no number.
        await console.press("type:10.1.2.99:²", "enter")
        await console.sees("A port is a number from 1 to 65535.")
        await console.press("escape")
        assert not any(line.startswith("OI") for line in console.bank.lines)


@in_a_loop
async def test_a_bank_is_added_asked_pinged_tried_and_forgotten():
    async with opened(screen="network") as console:
        await _asked_for_a_bank(console)
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
        await console.sees("No banks to rob")
