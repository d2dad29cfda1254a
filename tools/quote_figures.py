"""Puts the table of the last complete measurement into the README."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(r"(<!-- figures: .*? -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def quoted(readme: str, figures: str) -> str:
    """The README with these figures in their place."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{figures.strip()}\n\n{m[2]}", readme)


if __name__ == "__main__":
    path = ROOT / "README.md"
    figures = (ROOT / "bench/results/latest.md").read_text(encoding="utf-8")
    path.write_text(quoted(path.read_text(encoding="utf-8"), figures), encoding="utf-8")
