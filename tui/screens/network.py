"""Network: the other banks, how old each figure of them is, and the search for more."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ProgressBar

from bank_node.values import port_number
from tui import actions, safe
from tui.model import formats
from tui.model.world import Peer, PeerAnswer, PeerChanged, Scan
from tui.screens.filtering import Filtering
from tui.themes import marked
from tui.widgets.columns import Column, Row
from tui.widgets.dialogs import Confirm, Field, Form, TextDialog
from tui.widgets.grid import Grid
from tui.widgets.inputs import Typed
from tui.widgets.panel import Panel
from tui.widgets.subnet import SubnetMap
from tui.widgets.words import Words

_SORTS = ("code", "state", "latency", "amount", "clients")


class Network(Filtering):
    """The banks in a table, the chosen one beside it, and the subnet as a map."""

    NAME = "network"
    BINDINGS: ClassVar[Any] = actions.bindings("network")

    def body(self) -> Iterable[Widget]:
        with Container(id="columns"):
            yield Panel(
                "Banks",
                Typed(id="filter", classes="filter", placeholder="a part of an address or a name"),
                _banks_grid(),
                id="banks",
                help="Every bank that this one knows. Each figure shows its age beside it; what "
                "is odd about a bank's way to speak stands at the right.",
            )
            with Vertical(id="side"):
                yield Panel("Bank", Words(id="bank-facts"), id="bank",
                            help="What is known of the chosen bank.")  # fmt: skip
                yield Panel(
                    "Subnet",
                    ProgressBar(id="progress", show_eta=False, show_percentage=False),
                    SubnetMap(id="map", empty="n searches the subnets; each address is one cell."),
                    Words(id="legend"),
                    id="subnet",
                    help="One cell an address. A search asks every address of the subnets for BC "
                    "on the ports of the protocol. Arrow keys, or a click, name a cell.",
                )

    def on_mount(self) -> None:
        self.query_one("#banks-grid", Grid).sorted_by = self._sort
        self._show_legend()

    def _show_legend(self, address: str = "") -> None:
        parts: list[str | tuple[str, str]] = [
            (" ◆", "$accent"), (" this bank ", "$bank-dim"), ("●", "$success"),
            (" verified ", "$bank-dim"), ("○", "$warning"), (" silent ", "$bank-dim"),
            ("◌", "$warning"), (" mute ", "$bank-dim"), ("·", "$bank-dim"), (" empty", "$bank-dim"),
        ]  # fmt: skip
        if address:
            parts = [f" {address}"]
        self.query_one("#legend", Words).say(safe.assemble(*parts))

    def show(self, topic: str) -> None:
        if topic == "all":
            self.query_one("#banks", Panel).say(keys=self.keys(
                "network.ask", "network.ping", "network.command", "network.remove"))  # fmt: skip
        if topic in ("all", "peers", "state"):
            self._show_banks()
            self._show_scan(self.hub.scan)

    @property
    def _sort(self) -> str:
        return self.console_app.memory.now.sort.get("banks", "code")

    def _show_banks(self) -> None:
        now = self.hub.now_us
        everyone = self.hub.peers.peers
        rows = [_bank_row(peer, now) for peer in _sorted(everyone, self._sort)]
        shown = self.fitting(rows)
        self.query_one("#banks-grid", Grid).show(shown)
        self.query_one("#banks", Panel).say(formats.count_of(len(shown), len(rows), "banks"))
        self._show_facts()

    def _show_facts(self) -> None:
        peer = self._peer
        panel = self.query_one("#bank", Panel)
        panel.say(peer.code if peer else "")
        facts = self.query_one("#bank-facts", Words)
        if peer is None:
            facts.say(safe.content("No bank is chosen.", "$bank-dim"))
            return
        state = marked(peer.state)[0]
        odd = ", ".join(peer.oddities) or "none"
        # Those with a value are keys and names, which would fill the pane.
        can = " ".join(can for can in peer.capabilities if "=" not in can) or "the classic nine"
        facts.say(safe.lines(
            _fact("state", f"{state}  since {formats.age(peer.since_us, self.hub.now_us)}"),
            _fact("name", f"{peer.name or '–'} {peer.version or ''}"),
            _fact("speaks", can),
            _fact("oddities", odd, "$warning" if peer.oddities else ""),
            _fact("breaker", peer.breaker, "" if peer.breaker == "closed" else "$warning"),
            _fact("trouble", peer.absurd or peer.error or "none",
                  "$error" if peer.absurd or peer.error else ""),
        ))  # fmt: skip

    def _show_scan(self, scan: Scan) -> None:
        bar = self.query_one("#progress", ProgressBar)
        bar.display = scan.running
        if scan.running:
            bar.update(total=max(1, scan.total), progress=scan.done)
        own = {p.code: "own" for p in self.hub.peers.peers if p.own}
        known = {p.code: p.state for p in self.hub.peers.peers if p.state in ("verified", "silent")}
        reach = scan.cells.base or self.hub.peers.reach
        self.query_one("#map", SubnetMap).show(reach, {**scan.cells.states, **known, **own})
        told = f"{' '.join(reach[:2])}"
        if scan.running:
            told = f"{scan.done:,} of {scan.total:,} asked, {scan.found:,} found"
        elif scan.seconds is not None and scan.total:
            told += f"  {scan.found:,} found in {scan.seconds:.1f} s"
        key = "n stop" if scan.running else "n scan"
        self.query_one("#subnet", Panel).say(told, keys=key)

    @property
    def _peer(self) -> Peer | None:
        key = self.query_one("#banks-grid", Grid).key
        return next((peer for peer in self.hub.peers.peers if peer.code == key), None)

    def _chosen(self) -> Peer | None:
        peer = self._peer
        if peer is None:
            self.warn("No bank is chosen: n searches for banks, a adds one.")
        return peer

    def choose(self, code: str) -> None:
        """Puts the cursor on a bank."""
        grid = self.query_one("#banks-grid", Grid)
        found = [index for index, row in enumerate(grid.rows) if row.key == code]
        if found:
            grid.cursor = found[0]
        grid.focus()

    @on(Grid.Moved, "#banks-grid")
    def _moved(self) -> None:
        self._show_facts()

    @on(Grid.Chosen, "#banks-grid")
    def _chosen_row(self) -> None:
        self.action_do("network.command")

    @on(Grid.SortAsked, "#banks-grid")
    def _sort_asked(self, event: Grid.SortAsked) -> None:
        self._sort_by(f"-{event.column}" if self._sort == event.column else event.column)

    def _sort_by(self, sort: str) -> None:
        self.console_app.memory.now.sort["banks"] = sort
        self.query_one("#banks-grid", Grid).sorted_by = sort
        self._show_banks()

    @property
    def filtered_grid(self) -> Grid:
        return self.query_one("#banks-grid", Grid)

    def show_filtered(self) -> None:
        self._show_banks()

    @on(SubnetMap.Moved)
    def _on_cell(self, event: SubnetMap.Moved) -> None:
        self._show_legend(f"{event.address}  {event.state or 'nothing known'}")
        if any(peer.code == event.address for peer in self.hub.peers.peers):
            grid = self.query_one("#banks-grid", Grid)
            found = [i for i, row in enumerate(grid.rows) if row.key == event.address]
            grid.cursor = found[0] if found else grid.cursor

    # Actions

    async def do_sort(self) -> None:
        self._sort_by(_SORTS[(_SORTS.index(self._sort.lstrip("-")) + 1) % len(_SORTS)])

    async def do_scan(self) -> None:
        what = "stop" if self.hub.scan.running else "start"
        self.hub.scan = await self.hub.link.main.ask(f"ON {what}=1", Scan)
        self.update("peers")
        self.hub.wake("pulse")

    async def do_add(self) -> None:
        form = Form(
            "Add a bank",
            [Field("address", "Address, with a port if it is not found on 65525 to 65535",
                   placeholder="10.1.2.3 or 10.1.2.3:65530", problem=_address_problem)],
            button="Add",
            effect=lambda values: _protocol(f"OI add={values['address']}"),
        )  # fmt: skip
        values = await self.app.push_screen_wait(form)
        if values:
            await self._change(f"OI add={values['address']}", f"{values['address']} is added.")

    async def do_remove(self) -> None:
        peer = self._chosen()
        if peer is None:
            return
        told = safe.lines(
            safe.content("It is forgotten until it is found again; its figures are dropped."),
            _protocol(f"OI remove={peer.code}"),
        )
        question = Confirm(f"Forget the bank {peer.code}?", told, button="Forget", danger=True)
        if await self.app.push_screen_wait(question):
            await self._change(f"OI remove={peer.code}", f"{peer.code} is forgotten.")

    async def do_ask(self) -> None:
        peer = self._chosen()
        if peer is not None:
            await self._change(f"OI ask={peer.code}", f"{peer.code} was asked.")

    async def _change(self, line: str, told: str) -> None:
        await self.hub.link.main.ask(line, PeerChanged)
        self.done(told)
        await self.hub.look_round()

    async def do_ping(self) -> None:
        peer = self._chosen()
        if peer is not None:
            answer = await self._ask_peer(peer, "BC")
            took = formats.duration(answer.us)
            self.done(f"{peer.code}: {answer.reply} ({answer.kind}, {took})")

    async def do_command(self) -> None:
        peer = self._chosen()
        if peer is None:
            return
        form = Form(
            f"Try a command at {peer.code}",
            [Field("line", "The line, as it is sent", placeholder="BC",
                   problem=lambda text: "" if text else "Type a command, for example BC.")],
            button="Send",
            effect=lambda values: _protocol(f"OK to={_endpoint(peer)} line={values['line']}"),
        )  # fmt: skip
        values = await self.app.push_screen_wait(form)
        if not values:
            return
        answer = await self._ask_peer(peer, values["line"])
        told = safe.lines(
            safe.assemble(("sent      ", "$bank-dim"), values["line"]),
            safe.assemble(("answered  ", "$bank-dim"), (answer.reply, "bold")),
            safe.assemble(("outcome   ", "$bank-dim"), answer.kind),
            safe.assemble(("took      ", "$bank-dim"), formats.duration(answer.us)),
        )
        await self.app.push_screen_wait(TextDialog(f"Reply of {peer.code}", told))

    async def _ask_peer(self, peer: Peer, line: str) -> PeerAnswer:
        return await self.hub.link.main.ask(f"OK to={_endpoint(peer)} line={line}", PeerAnswer)


def _endpoint(peer: Peer) -> str:
    return f"{peer.code}:{peer.port}" if peer.port else peer.code


def _protocol(line: str) -> Content:
    return safe.assemble(("protocol  ", "$bank-dim"), (line, "$accent"))


def _fact(name: str, value: str, style: str = "") -> Content:
    return safe.assemble((f"{name:<10}", "$bank-dim"), (safe.line(value, 200), style))


def _address_problem(text: str) -> str:
    from ipaddress import AddressValueError, IPv4Address

    address, colon, port = text.partition(":")
    try:
        IPv4Address(address)
    except AddressValueError:
        return "Type an address: four numbers with dots between them."
    if colon and port_number(port) is None:
        return "A port is a number from 1 to 65535."
    return ""


def _sorted(peers: Iterable[Peer], sort: str) -> list[Peer]:
    key = sort.lstrip("-")
    down = sort.startswith("-")

    def value(peer: Peer) -> tuple[bool, object]:
        if key == "code":
            parts = peer.code.split(".")
            told: object = [int(p) if p.isdigit() else 0 for p in parts]
        elif key == "latency":
            told = peer.latency_ms
        else:
            told = getattr(peer, key)
        # A figure that nobody knows comes last in either order.
        return (told is None) != down, 0 if told is None else told

    known = sorted(peers, key=lambda p: p.code)
    return sorted(known, key=value, reverse=down)


def _banks_grid() -> Grid:
    return Grid(
        Column("state", "State", 11, sorts=True),
        Column("code", "Bank", 13, flex=1, sorts=True),
        Column("port", "Port", 5, right=True, from_width=84),
        Column("latency", "Latency", 8, right=True, sorts=True),
        Column("amount", "Total", 9, right=True, flex=3, sorts=True),
        Column("amount_age", "age", 4, right=True, from_width=52),
        Column("clients", "Accts", 6, right=True, sorts=True),
        Column("clients_age", "age", 4, right=True, from_width=100),
        Column("name", "Name", 13, from_width=92),
        Column("notes", "Notes", 8, flex=2, from_width=66),
        id="banks-grid",
        name="banks",
        empty="No bank is known yet. n searches the subnets, a adds one by its address.",
    )


def _age(figure: int | None, at_us: int | None, now_us: int) -> str:
    return "" if figure is None else formats.age(at_us, now_us)


def _bank_row(peer: Peer, now_us: int) -> Row:
    latency = formats.duration(peer.latency_ms * 1000) if peer.latency_ms is not None else "–"
    trouble = peer.absurd or peer.error
    note = trouble or ", ".join(peer.oddities) or ("static" if peer.static else "")
    if peer.own:
        note = "this bank"
    return Row(
        peer.code,
        (
            marked(peer.state),
            (peer.code, "accent"),
            (str(peer.port or "–"), "dim"),
            latency,
            formats.amount(peer.amount),
            (_age(peer.amount, peer.amount_at_us, now_us), "dim"),
            formats.amount(peer.clients),
            (_age(peer.clients, peer.clients_at_us, now_us), "dim"),
            peer.name or "–",
            (note, "bad" if trouble else "dim"),
        ),
    )
