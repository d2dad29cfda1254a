"""The application: screens by name, the actions that work everywhere, and the start and the end."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import App
from textual.cache import LRUCache
from textual.driver import Driver
from textual.screen import Screen
from textual.widget import Widget

from bank_node.telemetry.clock import Clock
from tui import actions, safe, themes
from tui.hub import Hub
from tui.link import Connect, Link, Said, Trace
from tui.model import formats
from tui.state import Memory
from tui.widgets.trace import MODES, TracePane

_SHEETS_MAX = 1_024


def _screen(name: str) -> Screen[Any]:
    """A screen by its name, loaded when it is first shown."""
    module = import_module(f"tui.screens.{name}")
    screen: Screen[Any] = getattr(module, actions.SCREENS[name])()
    return screen


def _browser_driver() -> type[Driver]:
    from tui.browser import BrowserDriver

    return BrowserDriver


class BankConsole(App[None]):
    """The console on one node."""

    CSS_PATH = "house.tcss"
    TITLE = "bank"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    MODES: ClassVar[Any] = {name: partial(_screen, name) for name in actions.SCREENS}
    BINDINGS: ClassVar[Any] = actions.bindings(actions.ANYWHERE)

    def __init__(
        self,
        connect: Connect,
        token: str,
        *,
        clock: Clock,
        memory: Memory,
        read_only: bool = False,
        embedded: bool = False,
        in_browser: bool = False,
        save_folder: Path | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """`on_ready` is called when the first screen is drawn. `save_folder` takes the files
        of saved tables; without one it is the working folder. `in_browser` draws for a browser:
        whoever looks there need not be the one who started it, and cannot end `read_only`.
        """
        # Textual reads the first mode from here.
        known = memory.now.screen in actions.SCREENS
        self.DEFAULT_MODE = memory.now.screen if known else "overview"  # type: ignore[misc]
        super().__init__(driver_class=_browser_driver() if in_browser else None)
        # Textual parses every sheet anew for each new kind of widget unless its cache, made for
        # 64 of them, holds all: that alone was half of the start and of a change of screens.
        self.stylesheet._parse_cache = LRUCache(_SHEETS_MAX)
        self.clock = clock
        self.memory = memory
        self.read_only = read_only
        self.embedded = embedded
        self.save_folder = save_folder or Path()
        self._on_ready = on_ready
        self.trace_mode = MODES[1] if memory.now.trace else ""
        self.only_looks = read_only and in_browser
        self.link = Link(connect, token, Trace(clock), only_looks=self.only_looks)
        self.hub = Hub(self.link, clock, self._changed)
        for theme in themes.THEMES:
            self.register_theme(theme)
        names = {theme.name for theme in themes.THEMES}
        self.theme = memory.now.theme if memory.now.theme in names else "bank-dark"
        self.set_keymap(memory.now.keymap)

    @property
    def read_only_told(self) -> str:
        """What an operator is told who would change something in a read-only console."""
        if self.only_looks:
            return "This console only looks; whoever started it has decided that."
        return "This console is read-only: ctrl+r changes that."

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.FALLBACK

    def on_mount(self) -> None:
        self.link.trace.on_said = self._said
        self.run_worker(self.hub.run(), exit_on_error=False, name="hub", group="hub")

    def on_ready(self) -> None:
        if self._on_ready is not None:
            self._on_ready()

    async def on_unmount(self) -> None:
        self.memory.now.screen = self.current_mode
        self.memory.save()
        self.workers.cancel_all()
        await self.link.close()

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        """Every action of the registry, by its name, for the palette."""
        from textual.app import SystemCommand

        here = getattr(screen, "NAME", "")
        for action in actions.ACTIONS.values():
            if action.writes and self.read_only:
                continue
            where = "" if action.screen in (here, actions.ANYWHERE) else action.screen.title()
            title = f"{where}: {action.title}" if where else action.title
            keys = actions.keys_of(action, self.memory.now.keymap)
            yield SystemCommand(title, f"{action.help}  ({keys})", partial(self.perform, action.id))
        for theme in themes.THEMES:
            yield SystemCommand(
                f"Theme: {theme.name}", "Change the colours.", partial(self.use_theme, theme.name)
            )

    # What happens in the background

    def _changed(self, topic: str) -> None:
        base = self.screen_stack[0] if self.screen_stack else None
        if base is not None and hasattr(base, "update"):
            base.update(topic)

    def _said(self, said: Said) -> None:
        if self.trace_mode and (self.trace_mode == MODES[2] or not said.background):
            for pane in self.screen_stack[0].query(TracePane):
                pane.update(self.link.trace)

    # Actions

    def perform(self, id: str) -> None:
        """Carries an action out, on its own screen."""
        action = actions.ACTIONS[id]
        if action.screen == actions.ANYWHERE:
            self.action_do(id)
            return
        self.go(action.screen)
        self.call_later(lambda: self.screen.action_do(id))  # type: ignore[attr-defined]

    def action_do(self, id: str) -> None:
        """Carries an action that works everywhere out."""
        name = actions.ACTIONS[id].name
        if name.startswith("go_"):
            self.go(name.removeprefix("go_"))
        else:
            getattr(self, f"do_{name}")()

    def go(self, screen: str) -> None:
        """Shows a screen."""
        if len(self.screen_stack) == 1:
            self.switch_mode(screen)

    def _step(self, by: int) -> None:
        names = list(actions.SCREENS)
        self.go(names[(names.index(self.current_mode) + by) % len(names)])

    def do_next_screen(self) -> None:
        self._step(1)

    def do_previous_screen(self) -> None:
        self._step(-1)

    def do_palette(self) -> None:
        self.action_command_palette()

    def do_help(self) -> None:
        from tui.screens.help import help_of

        self.push_screen(help_of(self))

    @work
    async def do_jump(self) -> None:
        from tui.widgets.jump import Jump

        screen: Any = self.screen
        if not hasattr(screen, "jump_targets"):
            return
        target = await self.push_screen_wait(Jump(screen.jump_targets()))
        if target is None:
            return
        if target.startswith("screen:"):
            self.go(target.removeprefix("screen:"))
        else:
            screen.query_one(f"#{target}", Widget).focus()

    def do_trace(self) -> None:
        self.trace_mode = MODES[(MODES.index(self.trace_mode) + 1) % len(MODES)]
        self.memory.now.trace = bool(self.trace_mode)
        pane = self.screen_stack[0].query_one(TracePane)
        pane.display_as(self.trace_mode)
        pane.update(self.link.trace)

    def do_pause(self) -> None:
        self.hub.pause(not self.hub.paused)

    def do_theme(self) -> None:
        names = [theme.name for theme in themes.THEMES]
        self.use_theme(names[(names.index(self.theme) + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        """Changes the colours, now and at the next start."""
        self.theme = self.memory.now.theme = name
        self._changed("all")

    def do_read_only(self) -> None:
        if self.only_looks:
            self.note(self.read_only_told, "warning")
            return
        self.read_only = not self.read_only
        self.refresh_bindings()
        self._changed("state")

    @work
    async def do_copy(self) -> None:
        from tui import tables

        await tables.copy(self)

    @work
    async def do_save(self) -> None:
        from tui import tables

        await tables.save(self)

    def note(self, text: str, severity: Any = "information") -> None:
        """A short note at the edge of the screen."""
        self.notify(safe.line(text, 400), markup=False, severity=severity)

    @work
    async def do_quit(self) -> None:
        clients = self.hub.metrics.connections
        if self.embedded and clients and self.hub.state not in ("lost", "error"):
            from tui.widgets.dialogs import Confirm

            told = safe.content(
                f"{formats.plural(clients, 'client is', 'clients are')} connected. The bank lives "
                "in this console: leaving stops it in order, and they are disconnected."
            )
            question = Confirm("Leave?", told, button="Stop and leave", danger=True)
            if not await self.push_screen_wait(question):
                return
        self.exit()
