"""Console: the raw protocol, with history, completion and help from the command table."""

from collections import deque
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.events import Resize
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, RichLog

from bank_node.protocol.commands import COMMANDS
from tui import actions, safe
from tui.model import formats
from tui.model.lines import changes, command_of
from tui.model.world import PeerAnswer
from tui.screens.base import HouseScreen
from tui.widgets.dialogs import Field, Form
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_SHOWN = 4_000
_LINES_KEPT = 2_000


class Completion(Suggester):
    """Completes from what was typed before, then from the command table."""

    def __init__(self, history: list[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._history = history

    async def get_suggestion(self, value: str) -> str | None:
        for line in reversed(self._history):
            if line.startswith(value) and line != value:
                return line
        if " " not in value:
            return next((c for c in COMMANDS if c.startswith(value.upper()) and c != value), None)
        return None


class CommandLine(Typed):
    """The line; up and down go through what was typed before."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("up", "back(-1)", "Earlier", show=False),
        Binding("down", "back(1)", "Later", show=False),
    ]

    def __init__(self, history: list[str]) -> None:
        super().__init__(
            id="line",
            placeholder="HE, and enter: every command is told",
            suggester=Completion(history),
        )
        self._history = history
        self._place = len(history)

    def action_back(self, by: int) -> None:
        self._place = max(0, min(len(self._history), self._place + by))
        at_end = self._place == len(self._history)
        self.value = "" if at_end else self._history[self._place]
        self.cursor_position = len(self.value)

    def remember(self, line: str) -> None:
        """Takes a line into the history; a token is never kept."""
        if line[:2].upper() != "OA" and (not self._history or self._history[-1] != line):
            self._history.append(line)
        self._place = len(self._history)


class Talk(RichLog):
    """What was said, wrapped anew when the width changes: no line loses its end."""

    def __init__(self) -> None:
        # Textual's own smallest width of 78 is more than a narrow screen has.
        super().__init__(id="talk", wrap=True, markup=False, max_lines=_LINES_KEPT, min_width=0)
        self._said: deque[Text] = deque(maxlen=_LINES_KEPT)
        self._wrapped_at = 0

    def say(self, text: Text) -> None:
        """Adds a line at the bottom."""
        self._said.append(text)
        self.write(text, expand=True)

    def forget(self) -> None:
        """Empties it."""
        self._said.clear()
        self.clear()

    def on_resize(self, event: Resize) -> None:
        width = self.scrollable_content_region.width
        if self._wrapped_at not in (0, width):
            self.clear()
            for text in self._said:
                self.write(text, expand=True)
        self._wrapped_at = width


class Console(HouseScreen):
    """Replies above, the line below, and what is being typed explained between them."""

    NAME = "console"
    AUTO_FOCUS = "#line"
    BINDINGS: ClassVar[Any] = actions.bindings("console")

    def __init__(self) -> None:
        super().__init__()
        self._target = ""
        """The bank that is spoken to; empty is the own one."""

    def body(self) -> Iterable[Widget]:
        yield Panel(
            "Conversation",
            Talk(),
            id="talk-panel",
            help="What was said, the newest at the bottom. Replies are shortened after "
            f"{_SHOWN:,} characters.",
        )
        yield Panel(
            "Line",
            Words(id="explained"),
            CommandLine(self.console_app.memory.now.history),
            id="line-panel",
            help="One line of the protocol, sent as it is. Up and down bring earlier lines back, "
            "right takes the completion. ctrl+b chooses another bank; a line that starts with "
            "@ADDRESS goes there once.",
        )

    def on_mount(self) -> None:
        self._explain("")
        self._write(Text("Everything here is typed as telnet would send it. HE tells the commands, "
                         "HE AD explains one.", "dim italic"))  # fmt: skip

    def show(self, topic: str) -> None:
        where = self._target or self.hub.status.code or "this bank"
        self.query_one("#line-panel", Panel).say(f"to {where}", keys=self.keys(
            "console.target", "console.leave", "console.clear"))  # fmt: skip

    @on(Input.Changed, "#line")
    def _typing(self, event: Input.Changed) -> None:
        self._explain(event.value)

    def _explain(self, line: str) -> None:
        row = command_of(line)
        told = safe.content("Type a command: two letters, and what belongs to it.", "$bank-dim")
        if row is not None:
            told = safe.assemble((row.usage, "$accent"), ("  →  ", "$bank-dim"), row.reply,
                                 (f"  {row.summary}", "$bank-dim"))  # fmt: skip
        elif len(line.strip()) >= 2:
            told = safe.content("No command of this table; it is sent as it is.", "$warning")
        self.query_one("#explained", Words).say(told)

    @on(Input.Submitted, "#line")
    def _submitted(self, event: Input.Submitted) -> None:
        line = event.value.strip()
        box = self.query_one("#line", CommandLine)
        if not line:
            return
        if self.console_app.read_only and changes(line):
            self.warn("This console is read-only, and this line may change something.")
            return
        box.remember(line)
        box.value = ""
        self.attempt(self._send(line))

    async def _send(self, line: str) -> None:
        target, sent = self._target, line
        if line.startswith("@"):
            target, _, sent = line[1:].partition(" ")
        began = self.console_app.clock.monotonic_ns()
        shown = "OA <token>" if sent[:2].upper() == "OA" else sent
        self._write(_said(target, shown))
        if target:
            answer = await self.hub.link.main.ask(f"OK to={target} line={sent}", PeerAnswer)
            reply = answer.reply if answer.kind in ("done", "refused") else (
                f"({answer.kind}) {answer.reply}")  # fmt: skip
        else:
            reply = await self.hub.link.raw.say(sent)
            if sent.upper() == "QU":
                await self.hub.link.raw.close()
        took = (self.console_app.clock.monotonic_ns() - began) // 1000
        self._write(_reply(reply, took))

    def tell_error(self, error: Any) -> None:
        self._write(Text(safe.line(f"✗ {error}", 400), "bold red"))
        super().tell_error(error)

    def _write(self, text: Text) -> None:
        self.query_one(Talk).say(text)

    async def do_target(self) -> None:
        form = Form(
            "Which bank to speak to",
            [Field("to", "Address, with a port if needed; empty is this bank", value=self._target,
                   placeholder="10.1.2.7:65525")],
            button="Speak",
            effect=lambda values: safe.assemble(
                ("protocol  ", "$bank-dim"),
                (f"OK to={values['to']} line=…" if values["to"] else "sent as it is", "$accent"),
            ),
        )  # fmt: skip
        values = await self.app.push_screen_wait(form)
        if values is not None:
            self._target = "".join(values["to"].split())
            self.update("all")
        self.query_one("#line").focus()

    async def do_leave(self) -> None:
        self.query_one("#talk").focus()

    async def do_clear(self) -> None:
        self.query_one(Talk).forget()

    async def do_type(self) -> None:
        self.query_one("#line").focus()


def _said(target: str, line: str) -> Text:
    where = f"{safe.line(target, 60)} " if target else ""
    return Text.assemble((where, "dim"), ("› ", "cyan"), (safe.line(line, _SHOWN), "bold"))


def _reply(reply: str, took_us: int) -> Text:
    code, space, rest = safe.line(reply, _SHOWN).partition(" ")
    style = "bold red" if code.upper() == "ER" else "bold green"
    took = f"  {formats.duration(took_us)}"
    return Text.assemble(("  ", ""), (code, style), space, rest, (took, "dim"))
