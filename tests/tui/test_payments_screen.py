"""The screen Payments: what is shown of payments and clients, and what the operator does."""

import re

import numpy
import pytest
import zxingcpp
from support.console_bank import FakeBank
from support.console_payments import URI
from support.console_pilot import opened, text_of
from support.loops import in_a_loop

from tui import themes
from tui.model import purse, ways
from tui.model.payments import PaymentFlow, PaymentRow
from tui.widgets.code import CodeScreen
from tui.widgets.dialogs import Confirm, TextDialog


def row(state="success", **more):
    return PaymentRow(**{"payment": "p", "state": state, "asked_us": 10, "time_us": 90, **more})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row()], "●━●"),
        ([row("refused", payment="")], "●━✗"),
        ([row("pending", transfer="p")], "●━●╌○"),
        ([row("pending", transfer="p"), row(transfer="p")], "●━●━●"),
        ([row("pending", transfer="p"), row("failed", transfer="p")], "●━●━✗"),
        ([row("failed", transfer="p")], "●━✗"),
        ([row(transfer="10.1.2.7/p", bank="10.1.2.7")], "●━●"),
        ([row(refunded=5, amount=9)], "●━●━↺"),
        ([row("of tomorrow")], "●━●"),
    ],
)
def test_every_state_of_a_payment_has_a_picture(rows, told):
    (paid,) = purse.gathered(rows)
    assert ways.dots(purse.stations(paid)) == told


def test_payments_are_gathered_the_latest_first_with_the_time_of_each_state():
    told = purse.gathered([row("pending", transfer="p", time_us=20), row(payment="q"),
                           row(transfer="p"), row("refused", payment="", number=7)])  # fmt: skip
    assert [paid.key for paid in told] == ["refused 7", "p", "q"]
    assert told[1].reached == {"pending": 20, "success": 90}
    assert told[1].took_us == 80


def test_the_list_is_bounded():
    many = purse.gathered(row(payment=str(n)) for n in range(purse.SHOWN_MAX + 9))
    assert len(many) == purse.SHOWN_MAX


def test_health_is_of_all_and_latencies_of_the_latest_that_were_paid():
    flow = PaymentFlow(paid=30, refused=10, reasons={"a": 3, "b": 7})
    latest = [row(time_us=10 + n) for n in range(1, 101)]
    told = purse.health(flow, [*latest, row("refused", time_us=10**9), row("pending")])
    assert (told.share, told.of) == (0.75, 100)
    assert (told.p50_us, told.p90_us, told.p99_us) == (50, 90, 99)
    assert told.reasons == (("b", 7), ("a", 3))
    assert purse.health(PaymentFlow(), []).share is None


def grid(console):
    return console.app.screen_stack[0].grid


async def clients(console):
    """Opens the tab of the clients, the cursor on alice."""
    await console.press("c")
    await console.until(lambda: grid(console).key == 10_000, "the clients")


async def asked(console):
    """Waits for a question."""
    await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")


@in_a_loop
async def test_payments_pass_with_their_states_and_how_well_they_go():
    async with opened(screen="payments", size=(120, 40)) as console:
        for text in (
            "●━●╌○",
            "●━✗",
            "97.6 % of 2,369",
            "p50",
            "wrong pin",
            "lunch-59",
            "under way",
        ):
            await console.sees(text)
        lines = console.bank.lines
        await console.until(lambda: any(re.match(r"OQ after=\d+ wait", s) for s in lines), "a wait")


@in_a_loop
async def test_tabs_are_one_key_and_one_click_away():
    async with opened(screen="payments", size=(80, 24)) as console:
        screen = console.app.screen
        for key, tab in (("e", "reasons"), ("c", "clients"), ("m", "papers"), ("d", "disputes"),
                         ("i", "flow"), ("right", "reasons"), ("left", "flow"),
                         ("left", "disputes")):  # fmt: skip
            await console.press(key)
            await console.until(lambda tab=tab: screen.tab == tab, tab)
            assert screen.grid.display
        await console.pilot.click("#tabs", offset=(2, 0))
        await console.until(lambda: screen.tab == "flow", "the first tab")


@in_a_loop
async def test_a_payment_is_searched_for_at_the_node_and_the_flow_comes_back():
    async with opened(screen="payments") as console:
        await console.until(lambda: grid(console).total > 10, "the flow")
        await console.press("slash", "type:632200000042", "enter")
        await console.until(lambda: grid(console).total == 1, "the one that was found")
        await console.sees("1 payment found")
        await console.press("i")
        await console.until(lambda: grid(console).total > 10, "the flow")


@in_a_loop
async def test_clients_are_fetched_and_searched_by_the_node():
    async with opened(screen="payments", size=(120, 40)) as console:
        await clients(console)
        assert grid(console).total == 240
        await console.sees("MMID")
        await console.press("end")
        await console.sent("OQ show=clients first=200 count=40")
        await console.press("slash", "type:tea-room", "enter")
        await console.until(lambda: 0 < grid(console).total < 20, "the tea rooms")
        await console.sees("merchant 5812")


@in_a_loop
async def test_the_payer_of_a_payment_is_frozen_after_a_question_and_let_go_on():
    async with opened(screen="payments", size=(100, 30)) as console:
        await console.until(lambda: grid(console).total, "the flow")
        await console.press("z")
        await asked(console)
        assert console.app.focused.id == "cancel"
        await console.sees("OQ do=freeze account=10005")
        await console.press("enter")
        await console.until(lambda: len(console.app.screen_stack) == 1, "no question")
        await console.press("c")
        await console.until(lambda: grid(console).key == 10_000, "the clients")
        await console.press("z")
        await asked(console)
        await console.press("y")
        await console.sees("✗ held")
        await console.press("u")
        await asked(console)
        assert console.app.focused.id == "accept"
        await console.press("enter")
        await console.sent("OQ do=release account=10000")
        await console.sees("can pay and be paid again")
        assert sum("do=freeze" in line for line in console.bank.lines) == 1


@in_a_loop
async def test_a_new_pin_is_shown_once_and_not_in_the_protocol():
    async with opened(screen="payments", size=(100, 30)) as console:
        await clients(console)
        await console.press("n")
        await asked(console)
        assert console.app.focused.id == "cancel"
        await console.press("y")
        await console.until(lambda: isinstance(console.app.screen, TextDialog), "the PIN")
        await console.sees(console.bank.pin)
        assert console.bank.pin not in str(console.app.link.trace.said)
        await console.press("escape", "f12")
        await console.sees("do=reset")
        assert console.bank.pin not in text_of(console.app)


@in_a_loop
async def test_mandates_are_listed_and_one_is_revoked():
    async with opened(screen="payments", size=(120, 40)) as console:
        await console.press("m")
        await console.until(lambda: grid(console).total == 3, "the requests")
        await console.press("x")
        await console.sees("Only a mandate can be revoked")
        await console.press("down")
        await console.sees("monthly:on:5")
        await console.press("x")
        await asked(console)
        assert console.app.focused.id == "cancel"
        await console.press("y")
        await console.sees("The mandate is revoked")
        await console.until(lambda: grid(console).total == 2, "two are left")


@in_a_loop
async def test_a_dispute_is_decided_where_it_is_to_be_after_a_question():
    async with opened(screen="payments", size=(120, 40)) as console:
        await console.sees("Disputes  2")
        await console.press("d")
        await console.until(lambda: grid(console).total == 2, "the disputes")
        await console.sees("the bread never came")
        await console.sees("╭─ Dispute ─")
        await console.press("down", "b")
        await console.sees("The bank of the payee decides: 10.1.2.7")
        await console.press("up", "b")
        await asked(console)
        assert console.app.focused.id == "cancel"
        await console.sees("4,400 are taken from bakery@brno")
        await console.press("y")
        await console.sees("The dispute is charged back")
        await console.until(lambda: grid(console).total == 1, "one is left")


@in_a_loop
async def test_a_read_only_console_changes_nothing_and_shows_codes():
    async with opened(screen="payments", read_only=True) as console:
        await clients(console)
        await console.press("z", "u", "n", "x")
        await console.sees("read-only")
        await console.press("v")
        await console.until(lambda: isinstance(console.app.screen, CodeScreen), "the code")
    assert not any("do=" in line and "do=code" not in line for line in console.bank.lines)


INK = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def pixels(app):
    """What the screen looks like: a cell is one module wide and two high."""
    lines = []
    for strip in app.screen._compositor.render_strips():
        upper, lower = [], []
        for segment in strip:
            paper, ink = (_grey(c) for c in (segment.style.bgcolor, segment.style.color))
            for cell in segment.text:
                shape = INK.get(cell, (0, 0))
                upper.append(ink if shape[0] else paper)
                lower.append(ink if shape[1] else paper)
        lines += [upper, lower]
    return numpy.array(lines, numpy.uint8).repeat(4, 0).repeat(4, 1)


def _grey(colour):
    # What the terminal itself chooses may be anything; most are dark.
    return 40 if colour is None or colour.triplet is None else sum(colour.triplet) // 3


@pytest.mark.parametrize("no_color", [False, True])
@in_a_loop
async def test_a_code_is_read_from_the_screen_in_every_theme(no_color, monkeypatch):
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    async with opened(screen="payments", size=(110, 50)) as console:
        await clients(console)
        await console.press("v")
        await console.until(lambda: isinstance(console.app.screen, CodeScreen), "the code")
        await console.sees("alice@brno")
        for theme in themes.THEMES[:1] if no_color else themes.THEMES:
            console.app.theme = theme.name
            await console.pilot.pause(0.05)
            found = zxingcpp.read_barcodes(pixels(console.app))
            assert [code.text for code in found] == [URI], theme.name


@in_a_loop
async def test_a_code_that_does_not_fit_is_not_shown_but_written_as_a_picture(tmp_path):
    async with opened(screen="payments", size=(80, 24), save_folder=tmp_path) as console:
        await clients(console)
        await console.press("v")
        await console.sees("this terminal 80 by 24")
        assert "▀" not in text_of(console.app).replace("▀▀", "")
        await console.press("s")
        await console.until(lambda: len(list(tmp_path.iterdir())) == 2, "two files")
        await console.sees("Written to")
        await console.press("escape")
        await console.until(lambda: len(console.app.screen_stack) == 1, "the clients")


@in_a_loop
async def test_hostile_names_of_clients_are_text_in_every_dialog():
    async with opened(FakeBank(hostile=True), screen="payments", size=(120, 40)) as console:
        await clients(console)
        for key in ("z", "v"):
            await console.press(key)
            await console.until(lambda: len(console.app.screen_stack) == 2, key)
            assert "\x1b" not in text_of(console.app)
            assert "\u202e" not in text_of(console.app)
            await console.press("escape")
            await console.until(lambda: len(console.app.screen_stack) == 1, "the clients")
