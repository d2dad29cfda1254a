"""The rows of the README's table of settings, from the settings themselves."""

import json

from bank_node.config import keys

# Accepted for the sake of classic settings files, without effect in this version.
UNUSED = ()


def rows() -> list[str]:
    """One markdown row for each setting that has an effect."""
    return [
        f"| `{name}` | `{json.dumps(key.default)}` | {key.doc} |"
        for name, key in keys().items()
        if not name.startswith(UNUSED)
    ]


if __name__ == "__main__":
    print("\n".join(rows()))
