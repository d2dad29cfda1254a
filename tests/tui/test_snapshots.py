"""The text of every screen at three sizes, compared with files; `SNAPSHOTS=write` writes them."""

import os
from pathlib import Path

import pytest
from support.console_bank import FakeBank
from support.console_pilot import is_drawn, opened, text_seen
from support.loops import in_a_loop

from tui import actions

FOLDER = Path(__file__).with_name("screens")
SIZES = ((80, 24), (120, 40), (200, 60))
SEEN = {
    "overview": "ConnectionRefused", "accounts": "opened", "network": "10.1.2.66",
    "robbery": "for nothing", "journal": "of block 512", "console": "BC 10.1.2.3",
    "log": "the disk took", "settings": "Language of the messages",
    "transfers": "pay-20", "payments": "97.6 %",
}  # fmt: skip
KEYS = {"robbery": ("type:1000000", "enter"), "console": ("type:bc", "enter")}


@pytest.mark.snapshot
@in_a_loop
async def test_every_screen_looks_as_it_did():
    wrong = []
    async with opened(FakeBank(), size=SIZES[-1], beats=20) as console:
        for size in reversed(SIZES):
            await console.pilot.resize_terminal(*size)
            for screen in actions.SCREENS:
                console.app.go(screen)
                await console.until(lambda s=screen: console.app.current_mode == s, screen)
                drawn = await picture(console, screen)
                if not is_kept(drawn, screen, size):
                    wrong.append(f"{screen} {size}:\n{drawn}")
    assert not wrong, "SNAPSHOTS=write accepts what has changed:\n" + "\n".join(wrong)


def is_kept(drawn, screen, size):
    """Whether the file of a screen at a size holds what is drawn."""
    lines = drawn.splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    path = FOLDER / f"{screen}-{size[0]}x{size[1]}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    return drawn == path.read_text(encoding="utf-8")


async def picture(console, screen):
    """What the screen shows when nothing changes any more."""
    if not console.app.screen.query(".pictured"):
        await console.until(lambda: console.app.screen.query("#keys"), "the frame")
        await console.press(*KEYS.get(screen, ()))
        console.app.screen.query_one("#keys").add_class("pictured")
    if console.app.size.width >= 120:
        await console.sees(SEEN[screen])
    # A line that may not be typed into has no cursor that blinks.
    console.app.screen.query("Typed").set(disabled=True)
    for _ in range(100):
        drawn = text_seen(console.app)
        await console.pilot.pause(0.05)
        if is_drawn(console.app):
            return drawn + "\n"
    raise AssertionError(f"{screen} never rests")
