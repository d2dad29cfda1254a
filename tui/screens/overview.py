"""Overview: how the bank is, at one look."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import events, on
from textual.containers import Container, Vertical
from textual.widget import Widget

from tui import actions, safe
from tui.model import formats
from tui.model.rates import CommandRate
from tui.model.replies import Happening, State, Status
from tui.model.world import Peer, Replicas
from tui.screens.base import HouseScreen
from tui.themes import marked
from tui.widgets import chart
from tui.widgets.chart import Chart
from tui.widgets.columns import Column, Row
from tui.widgets.facts import Fact, Facts
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel
from tui.widgets.words import Words

_EVENTS_SHOWN = 300
_WARNINGS_SHOWN = 4
_PLACES = {
    "transfers_in_doubt": ("transfers", "doubt"),
    "transfers_not_taken": ("transfers", "flight"),
    "messages_refused": ("transfers", "flight"),
    "keys_changed": ("transfers", "keys"),
    "peers_silent": ("network", ""),
    "verification_failed": ("journal", ""),
    "store_errors": ("log", ""),
    "writes_refused": ("log", ""),
    "faults_on": ("settings", ""),
    "no_debit_cap": ("settings", ""),
}
"""Where a warning can be looked into, by its kind: the screen, and what to choose there."""
_CHART_EVERY = 4
_TALL = 30


class Overview(HouseScreen):
    """State, rates, latencies, peers, warnings and the last events."""

    NAME = "overview"
    BINDINGS: ClassVar[Any] = actions.bindings("overview")

    def __init__(self) -> None:
        super().__init__()
        self._looks = 1

    def body(self) -> Iterable[Widget]:
        yield Panel(
            "Warnings",
            Words(id="warnings-text"),
            id="warnings",
            help="What the node wants you to know: a disk that fills, silent peers, transfers "
            "in doubt. A click, or g, goes to where a warning can be looked into.",
        )
        with Container(id="columns"):
            with Vertical(id="left"):
                yield Panel(
                    "Bank",
                    Facts(id="facts"),
                    id="bank",
                    help="Who this bank is, what it holds, and the newest block of its journal.",
                )
                yield Panel(
                    "Peers",
                    _peers_grid(),
                    id="peers",
                    help="Other banks on the network that answered, and those that fell silent.",
                    keys="3 network",
                )
            with Container(id="right"):
                yield Panel("Commands", _commands_grid(), id="commands", help="Every command that "
                            "was ever called: rate, errors, and latency from receipt to reply. "
                            "Half of the calls stayed below p50, 99 of 100 below p99.")  # fmt: skip
                yield Panel(
                    "Requests a second",
                    _chart("rate-chart"),
                    id="rate-panel",
                    help="Commands answered in each second of the last two minutes.",
                )
                yield Panel("Events", _events_grid(), id="events", help="What has happened to the "
                            "node, the newest first.", keys="7 log")  # fmt: skip
                yield Panel("Commit time, p99", _chart("commit-chart"), id="commit-panel",
                            help="What 99 of 100 blocks took to become durable.")  # fmt: skip

    def show(self, topic: str) -> None:
        if topic in ("all", "status"):
            self._show_status(self.hub.status)
            rates = self.hub.rates
            self.query_one("#commands-grid", Grid).show([_command_row(c) for c in rates.commands])
            # A chart of two minutes need not be drawn each second.
            if topic == "all" or self._looks % _CHART_EVERY == 0:
                self.call_later(self._draw_charts)
            self._looks += 1
        if topic in ("all", "peers", "state"):
            peers = [p for p in self.hub.peers.peers if not p.own]
            now = self.hub.now_us
            self.query_one("#peers-grid", Grid).show([_peer_row(p, now) for p in peers])
            self.query_one("#peers", Panel).say(formats.plural(len(peers), "bank") if peers else "")
        if topic in ("all", "events"):
            self._show_events()

    def _show_status(self, status: Status) -> None:
        warnings = self.query_one("#warnings", Panel)
        warnings.display = bool(status.warnings)
        if status.warnings:
            rows = [
                safe.assemble(("▲ ", "$warning"), (f"{w.kind}  ", "bold $warning"), w.text)
                for w in status.warnings[:_WARNINGS_SHOWN]
            ]
            self.query_one("#warnings-text", Words).say(safe.lines(*rows))
            leads = any(w.kind in _PLACES for w in status.warnings[:_WARNINGS_SHOWN])
            told = formats.plural(len(status.warnings), "thing") + " to look at"
            warnings.say(told, keys=self.keys("overview.look") if leads else "")
        if self.hub.seen_us:
            self.query_one("#facts", Facts).say(self._facts(status))

    def _facts(self, status: Status) -> list[Fact]:
        metrics, rates = self.hub.metrics, self.hub.rates
        up_us = max(0, status.now_us - status.started_us)
        facts = [
            Fact("total", formats.amount(status.total), "bold"),
            Fact("accounts", formats.amount(status.clients), "bold"),
            Fact("free", formats.amount(status.free_numbers)),
            Fact("serves", f"{status.host or status.code}:{status.port}"),
            Fact("up", formats.duration(up_us)),
            Fact("clients", f"{metrics.connections:,} of {metrics.connections_accepted:,}"),
            Fact("blocks", formats.amount(status.height)),
        ]
        if self.size.height >= _TALL:
            facts += [
                Fact("head", status.head_hash[:16], "$bank-dim"),
                Fact("memory", formats.size(metrics.rss_bytes)),
                Fact("commit", f"{formats.duration(rates.commit_p50_us)} p50"),
            ]
        facts += _role(self.hub.replicas)
        if metrics.connections_refused:
            refused = formats.plural(metrics.connections_refused, "client")
            facts.append(Fact("refused", refused, "$warning"))
        if metrics.store_errors:
            facts.append(Fact("store", formats.plural(metrics.store_errors, "error"), "$error"))
        return facts

    async def _draw_charts(self) -> None:
        if not self.query_one("#rate-panel").region.area:
            return
        past = self.hub.past
        for key, series, told in (
            ("rate", past.requests, formats.short),
            ("commit", past.commit_us, formats.duration),
        ):
            paint = None
            if len(series) > 1:
                ago = [at - past.seconds[-1] for at in past.seconds]
                paint = chart.line(ago, series, x_ticks=_seconds_ago, y_ticks=told)
            await self.query_one(f"#{key}-chart", Chart).draw(series, paint)

    def _show_events(self) -> None:
        tail = self.hub.events
        newest = list(tail.items)[-_EVENTS_SHOWN:][::-1]
        self.query_one("#events-grid", Grid).show([event_row(event) for event in newest])
        missed = f", {tail.lost:,} missed" if tail.lost else ""
        self.query_one("#events", Panel).say(f"{tail.seen:,} seen{missed}")

    @on(events.Click, "#warnings-text")
    def _warning_clicked(self, event: events.Click) -> None:
        shown = self.hub.status.warnings[:_WARNINGS_SHOWN]
        offset = event.get_content_offset(self.query_one("#warnings-text"))
        if offset is not None and offset.y < len(shown):
            self.attempt(self._look_into(shown[offset.y].kind))

    async def do_look(self) -> None:
        kinds = [w.kind for w in self.hub.status.warnings[:_WARNINGS_SHOWN]]
        await self._look_into(next((kind for kind in kinds if kind in _PLACES), ""))

    async def _look_into(self, kind: str) -> None:
        screen, what = _PLACES.get(kind, ("", ""))
        if not screen:
            self.warn("No warning leads to another screen now.")
            return
        await self.app.switch_mode(screen)
        if what:
            self.app.screen.choose(what)  # type: ignore[attr-defined]

    async def do_drain(self) -> None:
        await self._change("drain", "Refuse new clients and all writes, until resumed. Open "
                           "connections may go on reading.", danger=True)  # fmt: skip

    async def do_resume(self) -> None:
        await self._change("resume", "Take new clients and writes again.")

    async def do_stop(self) -> None:
        await self._change("stop", "Stop the node in order: answer what has arrived, make it "
                           "durable, disconnect everybody.", danger=True)  # fmt: skip

    async def do_promote(self) -> None:
        from tui.widgets.dialogs import Confirm

        replicas = self.hub.replicas
        if replicas.role != "follower":
            self.warn("This node does not follow another one.")
            return
        told = safe.lines(
            safe.content(f"{replicas.leader} leads now. It is told, and takes no more changes."),
            safe.content("What it acknowledged and did not hand over is lost: this node is "
                         f"{formats.plural(replicas.lag_blocks, 'block')} behind.",
                         "bold $warning"),
            safe.content("OR promote=1", "$accent"),
        )  # fmt: skip
        question = Confirm("Let this node lead the bank?", told, button="Promote", danger=True)
        if await self.app.push_screen_wait(question):
            self.hub.replicas = await self.hub.link.main.ask("OR promote=1", Replicas)
            self.hub.wake("pulse")
            self.done(f"This node leads the bank, in epoch {self.hub.replicas.epoch}.")

    async def _change(self, what: str, effect: str, *, danger: bool = False) -> None:
        # Dialogs are not needed for the first screen, and neither are their widgets.
        from tui.widgets.dialogs import Confirm

        clients = formats.plural(self.hub.metrics.connections, "client is", "clients are")
        told = safe.lines(
            safe.content(effect),
            safe.content(f"{clients} connected now.", "$bank-dim"),
            safe.content(f"OX do={what}", "$accent"),
        )
        title = f"{what.title()} the bank {self.hub.status.code}?"
        question = Confirm(title, told, button=what.title(), danger=danger)
        if await self.app.push_screen_wait(question):
            state = await self.hub.link.main.ask(f"OX do={what}", State)
            self.hub.wake("pulse")
            self.done(f"The node is {state.state.replace('_', ' ')}.")


def _role(replicas: Replicas) -> list[Fact]:
    """What this node is among those of its bank; nothing of one that is alone."""
    if replicas.role == "follower":
        behind = formats.plural(replicas.lag_blocks, "block")
        state = f"{behind} behind" if replicas.connected else "not connected"
        trouble = [Fact("stopped", replicas.problem, "$error")] if replicas.problem else []
        return [Fact("follows", replicas.leader, "$warning"), Fact("", state), *trouble]
    if replicas.role == "deposed":
        return [Fact("deposed", f"by {replicas.leader}", "$error")]
    if not replicas.followers:
        return []
    behind = formats.plural(max(each.behind for each in replicas.followers), "block")
    return [Fact("followers", f"{len(replicas.followers)}, {behind} behind")]


def _seconds_ago(seconds: float) -> str:
    return "now" if seconds > -0.5 else f"{seconds:.0f}s"


def _chart(id: str) -> Chart:
    return Chart(id=id, empty="Here the last two minutes are drawn, from the second look on.")


def _commands_grid() -> Grid:
    return Grid(
        Column("code", "Code", 4),
        Column("rate", "Per second", 10, right=True, flex=1),
        Column("errors", "Errors/s", 8, right=True, flex=1, from_width=60),
        Column("p50", "p50", 8, right=True, flex=1),
        Column("p99", "p99", 8, right=True, flex=1),
        Column("count", "Calls", 7, right=True, flex=1, from_width=54),
        Column("failed", "Errors", 7, right=True, flex=1, from_width=70),
        id="commands-grid",
        name="commands",
        empty="No command was called yet. Every command that clients send appears here.",
    )


def _command_row(rate: CommandRate) -> Row:
    busy = rate.per_s > 0
    return Row(
        rate.code,
        (
            (rate.code, "accent" if busy else "dim"),
            (formats.short(rate.per_s), "" if busy else "dim"),
            (formats.short(rate.errors_per_s), "bad" if rate.errors_per_s else "dim"),
            (formats.duration(rate.p50_us), "" if busy else "dim"),
            (formats.duration(rate.p99_us), "" if busy else "dim"),
            (formats.short(rate.calls), "dim"),
            (formats.short(rate.errors), "warn" if rate.errors else "dim"),
        ),
    )


def _peers_grid() -> Grid:
    return Grid(
        Column("state", "State", 10),
        Column("code", "Bank", 13, flex=1),
        Column("latency", "Latency", 8, right=True, from_width=36),
        id="peers-grid",
        name="peers",
        empty="No other bank is known yet. 3 shows the network, where n searches for banks.",
    )


def _peer_row(peer: Peer, now_us: int) -> Row:
    latency = formats.duration(peer.latency_ms * 1000) if peer.latency_ms is not None else "–"
    if peer.state == "silent":
        latency = formats.age(peer.since_us, now_us)
    return Row(peer.code, (marked(peer.state), peer.code, (latency, "dim")))


def _events_grid() -> Grid:
    return Grid(
        Column("time", "Time", 8),
        Column("level", "Level", 9, from_width=60),
        Column("kind", "Event", 14, flex=1, from_width=50),
        Column("text", "What happened", 20, flex=4),
        id="events-grid",
        name="events",
        empty="Nothing has happened yet. Peers found, blocks sealed and refusals appear here.",
    )


_OWN_ROOMS = "bank_node."


def event_row(event: Happening) -> Row:
    """An event or a line of the log as a row: time, level, who, what."""
    tone = marked(event.level)[1]
    return Row(
        event.seq,
        (
            (formats.clock(event.time_us), "dim"),
            marked(event.level),
            (event.kind or event.logger.removeprefix(_OWN_ROOMS), "accent"),
            (event.text, tone if tone in ("bad", "warn") else ""),
        ),
    )
