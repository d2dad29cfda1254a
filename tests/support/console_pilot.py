"""A console over the fake bank, driven by a test."""

import asyncio
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import WeakKeyDictionary

from support.console_bank import TOKEN, FakeBank
from tui.app import BankConsole
from tui.state import Memory

# So long a beat that a test sees none but those that it asks for.
_NEVER_S = 3_600.0
_ROUNDS_MAX = 400


class Opened(NamedTuple):
    """A running console and what is around it."""

    app: BankConsole
    pilot: object
    bank: FakeBank

    async def until(self, condition, what):
        """Lets the console work until something is true."""
        for _ in range(_ROUNDS_MAX):
            value = condition()
            if value:
                return value
            text_seen(self.app)
            # The console works while nobody looks; Textual's own pause would cost more than it.
            await asyncio.sleep(0.015)
        raise AssertionError(f"never: {what}\n{text_of(self.app)}")

    async def press(self, *keys):
        """Presses keys one after the other; `type:abc` types letters."""
        for key in keys:
            if key.startswith("type:"):
                await self.pilot.press(*(_KEYS.get(c, c) for c in key.removeprefix("type:")))
            else:
                await self.pilot.press(key)
        await self.pilot.pause()

    async def sees(self, text):
        """Waits until the screen shows a text."""
        await self.until(lambda: text in text_seen(self.app), f"{text!r} on the screen")

    async def sent(self, line):
        """Waits until the bank has received a line."""
        await self.until(lambda: line in self.bank.lines, f"{line!r} at the bank")

    @property
    def accounts(self):
        """The table of accounts, also while dialogs lie over it."""
        return self.app.screen_stack[0].query_one("#accounts-grid")

    def focus(self, selector):
        """Gives a widget of the screen the focus."""
        self.app.screen.query_one(selector).focus()


_KEYS = {
    " ": "space", ".": "full_stop", "/": "slash", ":": "colon", "=": "equals_sign",
    ">": "greater_than_sign", "<": "less_than_sign", "@": "at", "-": "minus",
}  # fmt: skip


@asynccontextmanager
async def opened(bank=None, screen="overview", size=(100, 30), memory=None, beats=1, **more):
    """A console that shows a screen, after so many beats of its pulse."""
    bank = bank or FakeBank()
    memory = memory or Memory(None)
    memory.now.screen = screen
    app = BankConsole(bank.connect, TOKEN, clock=bank.clock.clock(), memory=memory, **more)
    app.hub.pulse_s = _NEVER_S
    async with app.run_test(size=size, notifications=True) as pilot:
        console = Opened(app, pilot, bank)
        if beats:
            await console.until(lambda: app.hub.seen_us or bank.lost, "the first answer")
            for _ in range(beats - 1):
                await app.hub.beat()
            app.screen_stack[0].update("all")
            await pilot.pause()
        yield console
        if app.is_running:
            # Whatever the test looked at: the last frame can be drawn.
            text_of(app)


async def a_few_rounds(min_sleep=0, max_sleep=0):
    """Stands for Textual's pause, which waits until the machine is idle: tests wait for what they
    expect to see instead."""
    await asyncio.sleep(0.002)
    for _ in range(5):
        await asyncio.sleep(0)


# What was last drawn of a screen, until something on it changes.
_DRAWN: WeakKeyDictionary[object, str] = WeakKeyDictionary()


def drawn_when_looked_at(compositor, full=False, screen_stack=None, simplify=False):
    """Stands for the frames that Textual renders at every change: without a terminal it throws
    them away, and they were half of the work of these tests. A test that looks draws for itself."""
    compositor._dirty_regions.clear()
    _DRAWN.pop(compositor, None)


def text_of(app):
    """What the terminal shows, line by line."""
    compositor = app.screen._compositor
    strips = compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
    _DRAWN[compositor] = text
    return text


def is_drawn(app):
    """Whether nothing has changed since the last frame."""
    return app.screen._compositor in _DRAWN


def text_seen(app):
    """What the terminal showed at its last frame, line by line."""
    return _DRAWN[app.screen._compositor] if is_drawn(app) else text_of(app)
