"""The screen Transfers: what is shown of money between banks, and what the operator does."""

import pytest
from support.console_bank import CODE, START_US, FakeBank
from support.console_pilot import opened, text_of
from support.loops import in_a_loop

from tui.model import ways
from tui.model.money import TransferDetail, TransferRow
from tui.model.replies import Happening
from tui.model.ways import Going
from tui.state import Memory
from tui.widgets.dialogs import Confirm, Form
from tui.widgets.grid import Grid

NOTE = "Eva of that bank said nothing came"


def row(role="payer", phase="reserved", **more):
    return TransferRow(transfer="t", role=role, phase=phase, amount=5, **more)


def marks(going):
    return [(stop.label, stop.mark) for stop in ways.stations(going)]


def test_the_way_of_a_transfer_has_what_was_what_is_and_what_lies_ahead():
    going = Going(row(phase="committed"), {"received": 1, "reserved": 2, "committed": 5})
    assert marks(going) == [
        ("received", "done"), ("reserved", "done"), ("committed", "here"), ("confirmed", "ahead"),
    ]  # fmt: skip
    assert ways.small(going) == ("●━●━●╌○", "good")
    assert going.took_us == 4


@pytest.mark.parametrize(
    ("role", "phase", "in_doubt", "told"),
    [
        ("payer", "ended", False, ("●━●━●━●", "good")),
        ("payee", "reserved", False, ("●╌○", "accent")),
        ("payee", "reserved", True, ("●╌?", "warn")),
        ("payee", "ended", False, ("●━●", "good")),
        ("classic", "sent", False, ("●━●╌○", "accent")),
        ("classic", "sent", True, ("●━●╌?", "warn")),
        ("local", "ended", False, ("●", "good")),
        ("payer", "aborted", False, ("✗", "bad")),
        ("of tomorrow", "somewhere", False, ("●", "accent")),
    ],
)
def test_every_role_and_phase_has_a_picture(role, phase, in_doubt, told):
    assert ways.small(Going(row(role, phase, in_doubt=in_doubt), {})) == told


def test_a_transfer_that_was_given_up_ends_where_it_was():
    going = Going(row(phase="aborted"), {"received": 1, "reserved": 2, "aborted": 9})
    assert marks(going) == [("received", "done"), ("reserved", "done"), ("aborted", "failed")]


def test_states_are_gathered_by_their_transfer_the_latest_first_and_bounded():
    def stage(key, phase, at):
        return TransferRow(transfer=key, role="payer", phase=phase, time_us=at)

    told = ways.gathered([stage("a", "received", 1), stage("b", "received", 2),
                          stage("a", "reserved", 3)])  # fmt: skip
    assert [(going.row.transfer, dict(going.reached)) for going in told] == [
        ("a", {"received": 1, "reserved": 3}), ("b", {"received": 2}),
    ]  # fmt: skip
    many = ways.gathered(stage(str(n), "received", n) for n in range(ways.GOING_MAX + 50))
    assert len(many) == ways.GOING_MAX
    assert many[0].row.transfer == str(ways.GOING_MAX + 49)


def test_a_detail_without_steps_is_a_way_without_times():
    assert ways.of_detail(TransferDetail()).reached == {}


def grid(console):
    return console.app.screen_stack[0].grid


@in_a_loop
async def test_states_appear_as_they_happen_with_their_times():
    async with opened(screen="transfers", size=(120, 40)) as console:
        await console.sees("pay-20")
        await console.sees("3 under way")
        for text in ("●━●━●━●", "●━●╌○╌○", "aborted", "insufficient f", "4.6 ms"):
            assert text in text_of(console.app), text
        await console.until(lambda: any(line.startswith("OO") for line in console.bank.lines), "OO")
        await console.press("end")
        await console.sees("31,000")
        await console.sees("the next try, in 2.0 s")


@in_a_loop
async def test_tabs_are_one_key_and_one_click_away():
    async with opened(screen="transfers", size=(80, 24)) as console:
        screen = console.app.screen
        for key, tab in (("u", "doubt"), ("d", "done"), ("o", "positions"), ("K", "keys"),
                         ("i", "flight"), ("right", "doubt"), ("left", "flight"),
                         ("left", "keys")):  # fmt: skip
            await console.press(key)
            await console.until(lambda tab=tab: screen.tab == tab, tab)
            assert screen.grid.display
        await console.pilot.click("#tabs", offset=(2, 0))
        await console.until(lambda: screen.tab == "flight", "the first tab")


@in_a_loop
async def test_a_transfer_in_doubt_is_decided_with_a_warning_and_a_note():
    async with opened(screen="transfers") as console:
        await console.press("u")
        await console.until(lambda: grid(console).total == 2, "two in doubt")
        await console.press("down")
        await console.until(lambda: grid(console).key == "rent-2026-11", "the deposit")
        await console.press("e")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:maybe")
        await console.sees("Type commit or abort")
        await console.press(*["backspace"] * 5, "type:abort", "tab", f"type:{NOTE}")
        await console.sees("1,250 go back to 10007/10.1.2.3.")
        await console.press("enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        assert console.app.focused.id == "cancel"
        await console.sees("Ask it first")
        await console.press("y")
        await console.sent(f"OW transfer=rent-2026-11 do=abort note={NOTE}")
        await console.sees("decided by hand")
        await console.until(lambda: grid(console).total == 1, "one is left")


@in_a_loop
async def test_nothing_is_decided_without_the_last_yes_or_outside_of_doubt():
    async with opened(screen="transfers") as console:
        await console.until(lambda: grid(console).total, "transfers")
        await console.press("e")
        await console.sees("Only a transfer that is in doubt")
        await console.press("u")
        await console.until(lambda: grid(console).total == 2, "two in doubt")
        await console.press("e")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:commit", "tab", "type:x")
        await console.sees("10012/10.1.2.3 gets 4,200")
        await console.press("enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("enter")
        await console.until(lambda: len(console.app.screen_stack) == 1, "the table")
    assert not console.bank.decided


@in_a_loop
async def test_a_transfer_is_begun_with_a_look_at_what_it_would_do():
    async with opened(screen="transfers") as console:
        await console.press("t")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:10005", "tab", "type:20002/10.1.2.7", "tab", "type:25", "tab",
                            "type:rent")  # fmt: skip
        line = f"TR 10005/{CODE} 20002/10.1.2.7 25 rent"
        await console.sees(line)
        await console.press("enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.sees("925")
        await console.sees("900")
        await console.press("y")
        await console.sent(line)
        await console.sees("rent committed; it is on disk")


@in_a_loop
async def test_a_form_for_a_transfer_says_what_is_wrong():
    async with opened(screen="transfers") as console:
        await console.press("t")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:5", "tab", "type:20002/x", "tab", "type:0", "tab", "type:a/b")
        for text in ("An account of this bank", "the address of its bank", "moves nothing",
                     "At most 36 letters"):  # fmt: skip
            await console.sees(text)


@in_a_loop
async def test_an_answer_that_does_not_come_is_told_as_unknown():
    async with opened(screen="transfers") as console:
        await console.press("t")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.press("type:10005", "tab", "type:10006", "tab", "type:25", "enter")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        console.bank.lost = True
        await console.press("y")
        await console.sees("Nobody knows whether this was done")


@in_a_loop
async def test_what_has_ended_is_fetched_page_by_page():
    async with opened(screen="transfers") as console:
        await console.press("d")
        await console.until(lambda: grid(console).total == 200, "the first page")
        await console.sees("200 transfers and more")
        await console.press("end")
        await console.until(lambda: grid(console).total == 400, "the second")
        await console.press("end")
        await console.until(lambda: grid(console).total == 450, "the third")
        await console.press("home")
        await console.sees("+4.1 ms")


@in_a_loop
async def test_rows_are_filtered_by_any_text():
    async with opened(screen="transfers") as console:
        await console.press("d")
        await console.until(lambda: grid(console).total == 200, "the first page")
        await console.press("slash", "type:aborted", "enter")
        await console.until(lambda: 0 < grid(console).total < 50, "the aborted ones")
        await console.sees("of 200 transfers")


@in_a_loop
async def test_positions_show_both_ways_and_the_room_that_is_left():
    async with opened(screen="transfers", size=(200, 60)) as console:
        await console.press("o")
        for text in ("180,500", "-42,000", "no limit", "177,000", "this bank owes", "250k"):
            await console.sees(text)


@in_a_loop
async def test_the_bank_of_a_transfer_is_reminded_after_a_question_and_the_same_key_stops_it():
    async with opened(screen="transfers", size=(120, 40)) as console:
        await console.press("d")
        await console.until(lambda: grid(console).total == 200, "those that have ended")
        await console.press("down", "down", "m")
        await console.sees("No other bank is chosen")
        await console.press("i", "end")
        await console.until(lambda: grid(console).key == "wage-31", "one that is not taken")
        await console.press("m")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.sees("Ask 10.1.2.7 about all")
        await console.press("y")
        await console.sent("OU count=1 remind=10.1.2.7")
        await console.sees("10.1.2.7 is asked: m stops it")
        await console.sees("1,536 transfers: 1,500 there, 36 there again")
        await console.press("m")
        await console.sees("Stop asking 10.1.2.7?")
        await console.press("y")
        await console.sent("OU count=1 stop=1")
        await console.sees("done")
        await console.until(lambda: "m stops it" not in text_of(console.app), "it has ended")
        await console.press("o")
        await console.sees("10.1.2.7 was asked  1,536 transfers")


@in_a_loop
async def test_nobody_is_reminded_or_left_alone_without_a_yes():
    async with opened(screen="transfers") as console:
        await console.press("o")
        await console.until(lambda: grid(console).key == "10.1.2.7", "positions")
        await console.press("m")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("n")
        console.bank.reminders |= {"bank": "10.1.2.41", "running": True}
        await console.press("m")
        await console.sees("Stop asking 10.1.2.41?")
        await console.press("n")
        await console.until(lambda: len(console.app.screen_stack) == 1, "the table")
    assert not any("remind=" in line or "stop=" in line for line in console.bank.lines)


@in_a_loop
async def test_an_event_of_a_lost_promise_leads_to_the_position_of_its_bank():
    memory = Memory(None)
    memory.now.log_source = "events"
    async with opened(screen="log", memory=memory, size=(120, 40)) as console:
        text = "transfer rent: 10.1.2.41 had lost its promise"
        happening = Happening(99, START_US, "warning", "PromiseLost", text=text)
        console.app.hub.events.items.append(happening)
        console.app.hub.changed("events")
        await console.sees("had lost its promise")
        await console.press("g")
        await console.until(lambda: console.app.current_mode == "transfers", "the transfers")
        await console.until(lambda: grid(console).key == "10.1.2.41", "its position")


@in_a_loop
async def test_a_changed_key_is_accepted_after_a_look_at_both_fingerprints():
    async with opened(screen="transfers") as console:
        await console.press("a")
        await console.sees("Only a changed key can be accepted")
        await console.press("K")
        await console.until(lambda: grid(console).key == "10.1.2.8", "the changed one first")
        await console.sees("Its messages are refused")
        await console.press("a")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.sees("SHA256:Qw3e")
        await console.press("y")
        await console.sent("OY accept=10.1.2.8 key=" + "Q" * 43)
        await console.press("x")
        await console.until(lambda: isinstance(console.app.screen, Confirm), "a question")
        await console.press("n")
        assert not any("forget" in line for line in console.bank.lines)


@in_a_loop
async def test_a_read_only_console_changes_nothing():
    async with opened(screen="transfers", read_only=True) as console:
        await console.press("u")
        await console.until(lambda: grid(console).total == 2, "two in doubt")
        await console.press("e", "t", "a", "x", "E", "m")
        await console.sees("read-only")
        assert len(console.app.screen_stack) == 1


@in_a_loop
async def test_the_operations_log_of_an_account_is_exported():
    async with opened(screen="transfers") as console:
        await console.press("d")
        await console.until(lambda: grid(console).total == 200, "the first page")
        await console.press("E")
        await console.until(lambda: isinstance(console.app.screen, Form), "a form")
        await console.sees("OZ format=csv what=journal account=10000")
        await console.press("enter")
        await console.sent("OZ format=csv what=journal account=10000")
        await console.sees("929 rows written")


@in_a_loop
async def test_a_warning_leads_to_the_transfers_in_doubt():
    bank = FakeBank()
    bank.warnings = [{"kind": "transfers_in_doubt", "text": "2 transfers"}]
    async with opened(bank, size=(120, 40)) as console:
        await console.sees("g look into")
        await console.press("g")
        await console.until(lambda: console.app.current_mode == "transfers", "the transfers")
        await console.until(lambda: console.app.screen.tab == "doubt", "those in doubt")
        await console.press("1")
        await console.until(lambda: console.app.screen.query("#warnings-text"), "the overview")
        await console.pilot.click("#warnings-text", offset=(3, 0))
        await console.until(lambda: console.app.current_mode == "transfers", "the transfers")


@in_a_loop
async def test_the_row_under_the_cursor_stays_while_others_come():
    async with opened(screen="transfers", size=(120, 40)) as console:
        await console.sees("pay-20")
        shown = grid(console)
        await console.press("down", "down", "down")
        chosen = shown.key
        stage = console.app.hub.stages.items[-1]
        import msgspec

        for n in range(3):
            new = msgspec.structs.replace(stage, transfer=f"new-{n}", time_us=START_US + n)
            console.app.hub.stages.items.append(new)
        console.app.hub.changed("stages")
        await console.sees("new-2")
        assert isinstance(shown, Grid)
        assert shown.key == chosen
