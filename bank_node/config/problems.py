"""The error of a wrong setting, and how a value is shown without giving a password away."""

import json
import re
from collections.abc import Collection
from typing import Final

from bank_node.errors import StartupError

SHOWN_MAX: Final = 80  # Characters of a value in a message; it has to stay one readable line.

_PASSWORD_IN_URL: Final = re.compile(r"(://[^:@/]*):(.*)@", re.DOTALL)
_PASSWORD_IN_QUERY: Final = re.compile(r"((?:pass\w*|pwd)=)[^&]*", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\w+:/+")
# A rate or a cap: nothing else that is written with a sign of equality is sure to be no secret.
_FIGURE: Final = re.compile(r"(?:[A-Z]{3}|[0-9.]{7,15})=-?[0-9.,]{0,24}")


class SettingsError(StartupError, ValueError):
    """A setting is unknown or wrong. `str(error)` is one line for the operator."""

    def __init__(self, message: str, *, key: str, value: object, expected: str) -> None:
        super().__init__("".join(c if c.isprintable() else "?" for c in message))
        self.key = key
        self.value = value
        self.expected = expected


def wrong(key: str, value: object, expected: str, origin: str) -> SettingsError:
    """A known key with a value that it cannot have."""
    message = f"{origin}: {key} = {shown(key, value)} is wrong; it must be {expected}"
    return SettingsError(message, key=key, value=value, expected=expected)


def unknown(name: str, value: object, known: Collection[str], origin: str) -> SettingsError:
    """A key that does not exist; `known` are the names that would be right in its place."""
    near = _near(name, known)
    hint = f"did you mean {near}?" if near else "`bank config` lists them all"
    message = f"{origin}: {name} = {shown(name, value)} is not a setting; {hint}"
    expected = near or "one of the settings that `bank config` lists"
    return SettingsError(message, key=name, value=value, expected=expected)


def bad_file(name: str, problem: str, expected: str) -> SettingsError:
    """The file as a whole cannot be used."""
    return SettingsError(f"file {name}: {problem}", key="config", value=name, expected=expected)


def _near(name: str, known: Collection[str]) -> str:
    """The names most like `name`; a key put into the wrong section counts as like."""
    import difflib  # Only a failing start needs it.

    leaf = name.rpartition(".")[2]
    moved = [key for key in known if key.rpartition(".")[2] == leaf]
    return " or ".join(moved or difflib.get_close_matches(name, known, n=1))


def shown(key: str, value: object) -> str:
    """The value as a message shows it: short, on one line, without a password.

    A refused value may be malformed in any way, so whatever could hold a password goes whole.
    """
    text = "***" if _SECRET_NAME.search(key) else _plain(value)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


def _plain(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(_without_credentials(value), ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    # An integer of thousands of digits cannot be printed at all.
    return repr(value) if not isinstance(value, int) or abs(value) < 2**256 else "(a huge number)"


def _without_credentials(text: str) -> str:
    if _FIGURE.fullmatch(text) and not _SECRET_NAME.match(text):
        return text
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    suspicious = "@" in rest or "=" in rest or (scheme is not None and ":" in rest)
    return (scheme.group() if scheme else "") + "***" if suspicious else text


def masked(url: str) -> str:
    """A store URL with its password replaced by `***`."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1:***@", url))
