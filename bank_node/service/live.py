"""The settings of a running node: what they are, and changing those that can change."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from bank_node.config import (
    DEFAULT_ORIGIN,
    Effective,
    Settings,
    SettingsError,
    changed,
    keys,
    save,
)
from bank_node.errors import Reason, Refused
from bank_node.telemetry.events import Events

_ORIGIN = "operator"


class Setting(NamedTuple):
    """One setting as an operator sees it; secrets are masked."""

    key: str
    value: object
    origin: str
    default: object
    doc: str
    live: bool
    expected: str


class LiveSettings:
    """See the module; `apply` hands changes to whom they concern."""

    def __init__(
        self,
        effective: Effective,
        path: Path,
        apply: Callable[[Settings], object],
        events: Events,
    ) -> None:
        """`path` is the settings file that changes are saved to."""
        # Changes come from the operator's I/O thread and from workers.
        self._lock = Lock()
        self._effective = effective
        self._path = path
        self._apply = apply
        self._events = events

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._effective.settings

    def is_default(self, name: str) -> bool:
        """Whether nobody has chosen the value of a setting."""
        return self._effective.origins[name] == DEFAULT_ORIGIN

    def rows(self) -> list[Setting]:
        """Every setting in the order of the table."""
        table = keys()
        return [
            Setting(key, value, origin, table[key].default, doc, table[key].live,
                    table[key].expected)
            for key, value, origin, doc in self._effective.describe()
        ]  # fmt: skip

    def change(self, name: str, text: str, *, and_save: bool) -> Setting:
        """Sets a key from text, for the running node and, if asked, for later starts.

        Raises Refused with SETTING_WRONG or NOT_LIVE, and changes nothing then.
        """
        with self._lock:
            return self._change(name, text, and_save=and_save)

    def change_peers(self, change: Callable[[list[str]], list[str]], *, and_save: bool) -> None:
        """Makes another list of the static peers. Raises Refused(SETTING_WRONG)."""
        with self._lock:
            before = list(self.settings.network.peers)
            after = change(before)
            if after != before:
                self._change("network.peers", json.dumps(after), and_save=and_save)

    def _change(self, name: str, text: str, *, and_save: bool) -> Setting:
        try:
            after = changed(self._effective, name, text, _ORIGIN)
            if not keys()[name].live:
                raise Refused(Reason.NOT_LIVE, key=name)
            if and_save:
                save(self._path, name, next(r.value for r in after.describe() if r.key == name))
            self._apply(after.settings)
        except (SettingsError, OSError) as error:
            raise Refused(Reason.SETTING_WRONG, problem=str(error)) from None
        self._effective = after
        row = next(row for row in self.rows() if row.key == name)
        self._events.tell("SettingChanged", f"{name} is now {row.value}", key=name, value=row.value)
        return row
