"""Puts the tables of the last complete measurements into the documents that quote them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(r"(<!-- figures: .*? -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def quoted(readme: str, figures: str) -> str:
    """The README with these figures in their place."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{figures.strip()}\n\n{m[2]}", readme)


# Which document quotes which table.
QUOTES = {"README.md": "bench/results/latest.md", "docs/scaling.md": "bench/results/mysql.md"}

if __name__ == "__main__":
    for document, results in QUOTES.items():
        path = ROOT / document
        figures = (ROOT / results).read_text(encoding="utf-8")
        path.write_text(quoted(path.read_text(encoding="utf-8"), figures), encoding="utf-8")
