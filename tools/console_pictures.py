"""Draws the pictures of the README: the console itself, over the bank of its tests.

`python tools/console_pictures.py` writes docs/pictures/*.svg.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZE = (110, 34)
BEATS = 60
SCREENS = {
    "overview": (),
    "network": ("down",),
    "robbery": ("type:1000000", "enter"),
    "transfers": ("down",),
    "payments": (*["down"] * 10,),
}
# Nothing in the repository is fetched from elsewhere; any monospaced font will do.
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
GENERATOR = re.compile(r"\s*<!-- Generated with .*? -->")


async def draw(screen: str, keys: tuple[str, ...]) -> str:
    """One screen as SVG, as the application exports it."""
    from support.console_bank import FakeBank
    from support.console_pilot import opened

    bank = FakeBank(accounts=1_200)
    async with opened(bank, screen=screen, size=SIZE, beats=BEATS) as console:
        await console.press(*keys)
        await console.pilot.pause(0.5)
        if screen == "robbery":
            console.focus("#plan-grid")
        console.app.screen.update("all")
        await console.pilot.pause(0.5)
        svg: str = console.app.export_screenshot(title="bank")
        return GENERATOR.sub("", FONTS.sub("", svg))


def main() -> None:
    """Writes all pictures."""
    os.environ["TZ"] = "UTC"
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for screen, keys in SCREENS.items():
        path = folder / f"{screen}.svg"
        path.write_text(asyncio.run(draw(screen, keys)), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
