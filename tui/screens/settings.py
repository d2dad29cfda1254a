"""Settings: those of the node with their origin, the keys, and the themes."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui import actions, safe, themes
from tui.actions import Action
from tui.model.replies import Setting
from tui.model.replies import Settings as Told
from tui.screens.filtering import Filtering
from tui.widgets.columns import Column, Row
from tui.widgets.dialogs import Field, Form
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.words import Words


class KeyQuestion(ModalScreen[str | None]):
    """Waits for one key."""

    BINDINGS: ClassVar[Any] = []

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(safe.lines(
                safe.content(f"Press the key for: {self._action.title}", "bold"),
                safe.content(self._action.help),
                safe.content("esc keeps what it is", "$bank-dim"),
            ))  # fmt: skip

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss(None if event.key == "escape" else event.key)


class Settings(Filtering):
    """The settings on the left; keys and themes on the right."""

    NAME = "settings"
    BINDINGS: ClassVar[Any] = actions.bindings("settings")

    def __init__(self) -> None:
        super().__init__()
        self._told = Told()

    def body(self) -> Iterable[Widget]:
        with Container(id="columns"):
            with Vertical(id="left"):
                yield Panel(
                    "Settings of the node",
                    Typed(id="filter", classes="filter", placeholder="a part of a key"),
                    _settings_grid(),
                    id="settings",
                    help="Every setting, and where its value comes from. e changes one that can "
                    "change while the node runs (marked ●); S writes it to the file as well.",
                )
                yield Panel("About it", Words(id="about"), id="about-panel",
                            help="What the chosen setting is for.")  # fmt: skip
            with Vertical(id="right"):
                yield Panel(
                    "Keys",
                    _keys_grid(),
                    id="keys-panel",
                    help="Every action of this "
                    "console. e gives it another key, backspace the default one.",
                )
                yield Panel(
                    "Themes",
                    _themes_grid(),
                    id="themes",
                    help="The colours. Enter uses "
                    "the chosen ones; NO_COLOR in the environment does without.",
                )

    def show(self, topic: str) -> None:
        if topic != "all":
            return
        self.query_one("#settings", Panel).say(keys=self.keys("settings.change", "settings.save"))
        self.query_one("#keys-panel", Panel).say(keys=self.keys("settings.change",
                                                                "settings.reset"))  # fmt: skip
        self._show_keys()
        self._show_themes()
        self.attempt(self._load())

    async def _load(self) -> None:
        self._told = await self.hub.link.main.ask("OG", Told)
        self._show_settings()

    def _show_settings(self) -> None:
        rows = [_setting_row(setting) for setting in self._told.settings]
        shown = self.fitting(rows)
        self.query_one("#settings-grid", Grid).show(shown)
        self._show_about()

    def _show_keys(self) -> None:
        keymap = self.console_app.memory.now.keymap
        self.query_one("#keys-grid", Grid).show([
            Row(a.id, ((actions.keys_of(a, keymap), "warn" if a.id in keymap else "accent"),
                       a.title, (actions.SCREENS.get(a.screen, "everywhere"), "dim"),
                       (a.line or "–", "dim")))
            for a in actions.ACTIONS.values()
        ])  # fmt: skip

    def _show_themes(self) -> None:
        now = self.app.theme
        self.query_one("#themes-grid", Grid).show([
            Row(theme.name, (("● " if theme.name == now else "○ ") + theme.name,
                             (_ABOUT_THEMES[theme.name], "dim")))
            for theme in themes.THEMES
        ])  # fmt: skip

    @on(Grid.Moved, "#settings-grid")
    def _show_about(self) -> None:
        setting = self._setting
        about = self.query_one("#about", Words)
        if setting is None:
            about.say(Content(""))
            return
        live = "● can change now" if setting.live else "○ needs a restart"
        about.say(safe.lines(
            safe.content(setting.doc),
            safe.assemble(("right is  ", "$bank-dim"), setting.expected or "–"),
            safe.assemble(("default   ", "$bank-dim"), _shown(setting.default),
                          (f"   {live}", "$success" if setting.live else "$bank-dim")),
        ))  # fmt: skip

    @property
    def _setting(self) -> Setting | None:
        key = self.query_one("#settings-grid", Grid).key
        return next((s for s in self._told.settings if s.key == key), None)

    @property
    def filtered_grid(self) -> Grid:
        return self.query_one("#settings-grid", Grid)

    def show_filtered(self) -> None:
        self._show_settings()

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        if event.grid.id == "themes-grid":
            self.console_app.use_theme(str(event.row.key))
        elif event.grid.id in ("settings-grid", "keys-grid"):
            self.action_do("settings.change")

    # Actions

    async def do_change(self) -> None:
        if self.focused is not None and self.focused.id == "keys-grid":
            await self._change_keys()
        else:
            await self._change_setting(save=False)

    async def do_save(self) -> None:
        await self._change_setting(save=True)

    async def _change_setting(self, *, save: bool) -> None:
        setting = self._setting
        if setting is None:
            return
        if self.console_app.read_only:
            self.warn(self.console_app.read_only_told)
            return
        if not setting.live:
            self.warn(f"{setting.key} is read at the start: change it in the settings file and "
                      "start the node again.")  # fmt: skip
            return
        kept = " save=1" if save else ""
        form = Form(
            f"Change {setting.key}",
            [Field("value", setting.expected or "Value", value=_shown(setting.value).strip('"'),
                   problem=lambda text: "" if text and " " not in text else "Type a value.")],
            button="Change and keep" if save else "Change",
            effect=lambda values: safe.lines(
                safe.content("Also written to the settings file." if save else
                             "Until the node stops; S keeps it.", "$bank-dim"),
                safe.assemble(("protocol  ", "$bank-dim"),
                              (f"OH key={setting.key} value={values['value']}{kept}", "$accent")),
            ),
        )  # fmt: skip
        values = await self.app.push_screen_wait(form)
        if values:
            line = f"OH key={setting.key} value={values['value']}{kept}"
            now = await self.hub.link.main.ask(line, Setting)
            self.done(f"{now.key} is {_shown(now.value)} now.")
            await self._load()

    async def _change_keys(self) -> None:
        action = self._action
        if action is None:
            return
        key = await self.app.push_screen_wait(KeyQuestion(action))
        if key is None:
            return
        clash = self._clash(action, key)
        if clash is not None:
            self.warn(f"{actions.spoken(key)} is the key of {clash.title} already.")
            return
        self._use_keys(action, key)

    def _clash(self, action: Action, key: str) -> Action | None:
        """Another action that the key would be taken from."""
        keymap = self.console_app.memory.now.keymap
        for other in actions.ACTIONS.values():
            together = action.screen == other.screen or actions.ANYWHERE in (
                action.screen, other.screen)  # fmt: skip
            keys = keymap.get(other.id, other.keys).split(",")
            if other.id != action.id and together and key in keys:
                return other
        return None

    async def do_reset(self) -> None:
        if self._action is not None:
            self._use_keys(self._action, "")

    @property
    def _action(self) -> Action | None:
        return actions.ACTIONS.get(str(self.query_one("#keys-grid", Grid).key))

    def _use_keys(self, action: Action, key: str) -> None:
        keymap = self.console_app.memory.now.keymap
        keymap.pop(action.id, None)
        if key:
            keymap[action.id] = key
        self.app.set_keymap(keymap)
        self._show_keys()


_ABOUT_THEMES = {
    "bank-dark": "dark, one blue accent",
    "bank-light": "light, for a bright room and a projector",
    "bank-safe": "colours that colour-blind eyes tell apart",
    "bank-ansi": "the sixteen colours of your terminal",
}


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _settings_grid() -> Grid:
    return Grid(
        Column("live", "", 1),
        Column("key", "Key", 16, flex=2),
        Column("value", "Value", 10, flex=1),
        Column("origin", "From", 9, flex=1, from_width=50),
        id="settings-grid",
        name="settings",
        empty="The node has not told its settings yet.",
    )


def _setting_row(setting: Setting) -> Row:
    is_default = setting.value == setting.default
    return Row(
        setting.key,
        (
            ("●", "good") if setting.live else ("○", "dim"),
            (setting.key, "accent"),
            (_shown(setting.value), "dim" if is_default else ""),
            (setting.origin, "dim"),
        ),
    )


def _keys_grid() -> Grid:
    return Grid(
        Column("keys", "Key", 9),
        Column("title", "Action", 11, flex=1),
        Column("screen", "Where", 10),
        Column("line", "Protocol", 10, flex=2, from_width=60),
        id="keys-grid",
        name="keys",
        empty="",
    )


def _themes_grid() -> Grid:
    return Grid(
        Column("name", "Theme", 13),
        Column("about", "", 20, flex=1),
        id="themes-grid",
        name="themes",
        empty="",
    )
