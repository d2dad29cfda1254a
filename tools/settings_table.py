"""Writes the table of docs/settings.md from the settings themselves."""

import json
from pathlib import Path

from bank_node.config import keys

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"
_BEGIN = "<!-- settings: written by tools/settings_table.py -->"
_END = "<!-- end of settings -->"


def rows() -> list[str]:
    """One markdown row for each setting."""
    return [
        f"| `{name}` | `{json.dumps(key.default)}` | {'yes' if key.live else ''} | {key.doc} |"
        for name, key in keys().items()
    ]


def written(text: str) -> str:
    """The document with the rows between its marks."""
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    table = "\n".join(["| key | default | live | |", "|---|---|---|---|", *rows()])
    return f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
