"""A network of make-believe: machines with ports that refuse, accept, answer or say nothing."""

import asyncio
import socket
from dataclasses import dataclass, field

from bank_node.network.client import Answer, Kind
from bank_node.network.peers import Directory
from bank_node.network.reach import Reach
from bank_node.network.scanner import ScanLimits, Scanner
from support.virtual_time import run

OWN = "10.1.2.3"
OURS = {"VE": "VE p2p-bank-node 1.0 session transfers"}
"""What a node of ours answers to the question for its version."""


@dataclass
class Bank:
    """A bank on the network, and what it answers after how long."""

    address: str
    port: int = 65525
    replies: dict[str, str] = field(default_factory=dict)
    latency_s: float = 0.01
    oddities: frozenset[str] = frozenset()
    is_mute: bool = False
    is_down: bool = False
    unheard: set[str] = field(default_factory=set)
    """What it does not answer."""

    def answer(self, code: str) -> Answer:
        text = self.replies.get(code, f"BC {self.address}" if code == "BC" else "ER unknown")
        kind = Kind.REFUSED if text.startswith("ER") else Kind.DONE
        return Answer(kind, text, self.oddities)


class FakeLan:
    """What `knock` and `ask` meet; where nobody is, packets vanish without an answer."""

    def __init__(self, *banks: Bank) -> None:
        self.banks = {bank.address: bank for bank in banks}
        self.dialled: list[tuple[str, int]] = []
        self.asked: list[tuple[str, int, str, float]] = []
        self.at_once = self.at_once_max = 0
        self.trouble: list[Exception] = []

    def add(self, bank: Bank) -> Bank:
        self.banks[bank.address] = bank
        return bank

    def accepts(self, address: str, port: int) -> Bank | None:
        bank = self.banks.get(address)
        return bank if bank and bank.port == port and not bank.is_down else None

    async def knock(self, address, ports, timeout_s, opened):
        self.dialled += [(address, port) for port in ports]
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            if self.trouble:
                raise self.trouble.pop()
            for port in ports:
                if self.accepts(address, port):
                    opened(port, socket.socket())
            await asyncio.sleep(0.001 if address in self.banks else timeout_s)
        finally:
            self.at_once -= 1

    async def ask(self, endpoint, line, deadlines, connect=None):
        if connect is None:
            self.dialled.append((endpoint.host, endpoint.port))
        bank = self.accepts(endpoint.host, endpoint.port)
        if bank is None:
            await asyncio.sleep(deadlines.connect_s)
            return Answer(Kind.UNREACHABLE, "no answer")
        time = asyncio.get_running_loop().time()
        self.asked.append((endpoint.host, endpoint.port, line, time))
        late = bank.is_mute or line in bank.unheard or bank.latency_s > deadlines.first_byte_s
        await asyncio.sleep(deadlines.first_byte_s if late else bank.latency_s)
        return Answer(Kind.UNREACHABLE, "it took too long") if late else bank.answer(line)

    def questions(self, address, line="BC"):
        """The times at which a bank was asked this."""
        return [at for host, _, asked, at in self.asked if host == address and asked == line]


class Station:
    """A scanner on such a network, all that it told, and its directory."""

    def __init__(self, lan, *, subnets=(), peers=(), own=OWN, addresses_max=65_536, **limits):
        self.told = []
        self.lan = lan
        self.directory = Directory(own, self.told.append)
        self.reach = Reach(own, subnets, peers, addresses_max=addresses_max)
        loop = asyncio.get_running_loop()
        self.scanner = Scanner(
            self.reach,
            self.directory,
            ScanLimits(**limits),
            loop.time,
            self.told.append,
            ask=lan.ask,
            knock=lan.knock,
        )

    def events(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def verified(self):
        return {peer.code: peer.port for peer in self.directory.banks()}


def scan(*banks, **options):
    """Scans once; the station afterwards and the end of the scan."""

    async def play():
        station = Station(FakeLan(*banks), **options)
        return station, await station.scanner.scan()

    return run(play())
