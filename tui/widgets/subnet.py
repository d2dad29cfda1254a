"""The map of the subnets: one cell an address, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import safe

_GLYPHS = {
    "own": ("◆", "accent"),
    "verified": ("●", "good"),
    "silent": ("○", "warn"),
    "mute": ("◌", "warn"),
    "pending": ("∙", "busy"),
    "empty": ("·", "dim"),
    "": ("·", "dim"),
}
_LABEL = 17
# A /24 is a block of eight lines; larger subnets are packed.
_FEW, _FEW_COLUMNS, _MANY_COLUMNS = 1024, 32, 128


class SubnetMap(ScrollView, can_focus=True):
    """Each address is one cell; the cursor names the one it is on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"subnet--{name}" for name in ("good", "warn", "busy", "dim", "accent", "label", "cursor")
    }
    BINDINGS: ClassVar[list[Any]] = [
        Binding("left", "move(-1,0)", "Left", show=False),
        Binding("right", "move(1,0)", "Right", show=False),
        Binding("up", "move(0,-1)", "Up", show=False),
        Binding("down", "move(0,1)", "Down", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another address."""

        address: str
        state: str

    def __init__(self, *, id: str, empty: str) -> None:
        super().__init__(id=id)
        self.empty = empty
        self.cursor = 0
        self._networks: list[IPv4Network] = []
        self._names: tuple[str, ...] = ()
        self._states: Mapping[str, str] = {}

    def show(self, networks: Sequence[str], states: Mapping[str, str]) -> None:
        """Draws these subnets, with the state of the addresses that have one."""
        self._states = states
        if self._names != tuple(networks):
            self._names = tuple(networks)
            self._networks = [n for n in map(_network, networks) if n is not None]
            self.cursor = 0
        self._measure()

    @property
    def columns(self) -> int:
        """Addresses in a line: a power of two that fits, as subnets are cut."""
        room = max(16, self.scrollable_content_region.width - _LABEL)
        whole = sum(network.num_addresses for network in self._networks)
        most = _FEW_COLUMNS if whole <= _FEW else _MANY_COLUMNS
        return int(min(most, 1 << (room.bit_length() - 1)))

    @property
    def cell(self) -> int:
        """The width of an address: as wide as there is room, so that few of them breathe."""
        room = self.scrollable_content_region.width - _LABEL
        return max(1, min(3, room // self.columns))

    def _measure(self) -> None:
        rows = sum(self._rows_of(network) for network in self._networks)
        self.virtual_size = Size(self.scrollable_content_region.width, rows)
        self.refresh()

    def on_resize(self) -> None:
        self._measure()

    def _rows_of(self, network: IPv4Network) -> int:
        return -(-network.num_addresses // self.columns)

    def _place(self, row: int) -> tuple[IPv4Network, int] | None:
        """The network that a line shows, and the number of its first address in it."""
        for network in self._networks:
            rows = self._rows_of(network)
            if row < rows:
                return network, row * self.columns
            row -= rows
        return None

    def address_at(self, column: int, row: int) -> str | None:
        """The address of a cell of the map."""
        place = self._place(row)
        if place is None or not 0 <= column < self.columns:
            return None
        network, first = place
        index = first + column
        return str(network[index]) if index < network.num_addresses else None

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        style = self.rich_style
        if not self._networks:
            middle = y == self.scrollable_content_region.height // 2
            text = self.empty[:width].center(width) if middle else ""
            return Strip([Segment(text, style + self._tone("dim"))]).adjust_cell_length(
                width, style
            )
        row = y + self.scroll_offset.y
        place = self._place(row)
        if place is None:
            return Strip.blank(width, style)
        network, first = place
        base = int(network.network_address) + first
        count = min(self.columns, network.num_addresses - first)
        label = f" {IPv4Address(base)}".ljust(_LABEL)
        segments = [Segment(label, style + self._tone("label"))]
        for column in range(count):
            state = self._states.get(str(IPv4Address(base + column)), "")
            glyph, tone = _GLYPHS.get(state, _GLYPHS[""])
            cell_style = style + self._tone(tone)
            if self.has_focus and row * self.columns + column == self.cursor:
                cell_style += self._tone("cursor")
            segments.append(Segment(glyph, cell_style))
            segments.append(Segment(" " * (self.cell - 1), style))
        return Strip(segments).simplify().adjust_cell_length(width, style)

    def _tone(self, name: str) -> Any:
        return self.get_component_rich_style(f"subnet--{name}", partial=True)

    def action_move(self, right: int, down: int) -> None:
        self._go(self.cursor % self.columns + right, self.cursor // self.columns + down)

    def _go(self, column: int, row: int) -> None:
        address = self.address_at(column, row)
        if address is None:
            return
        self.cursor = row * self.columns + column
        if not self.scroll_offset.y <= row < self.scroll_offset.y + self.size.height:
            self.scroll_to(y=row - self.size.height // 2, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved(address, safe.line(self._states.get(address, ""), 20)))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self._go((offset.x - _LABEL) // self.cell, offset.y + self.scroll_offset.y)


def _network(text: str) -> IPv4Network | None:
    try:
        network = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
    # A map of more than a /16 is nothing that anybody could look at.
    return network if network.prefixlen >= 16 else None
