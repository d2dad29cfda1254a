"""Banks with clients in one process, and what they say to each other by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from bank_node.service.letters import ABOUT_REQUESTS, read_answer
from support.nodes import Running, bank_port, running_node, some_host
from support.polling import until

_numbers = count()
HANDLES = ("prague", "brno", "plzen")


def serve(folder: Path, host: str, hosts: list[str], handle: str, **overrides: object):
    """A bank with a handle that looks for others on `hosts`."""
    given = {
        "network__host": host,
        "network__port": bank_port(host),
        "network__subnets": [f"{other}/32" for other in hosts],
        "network__scan_every": 0.3,
        "payments__handle": handle,
        "payments__pin_profile": "light",
    }
    return running_node(folder / host, **(given | overrides))


def knows(one: Running, other: Running) -> bool:
    peer = one.directory.verified(other.bank)
    return bool(peer and peer.introduced_at is not None)


@contextmanager
def two_banks(folder: Path, **overrides: object) -> Iterator[tuple[Running, Running]]:
    """Banks of Prague and Brno that know each other."""
    hosts = [some_host(), some_host()]
    asking = {"payments__asking": "everybody", "payments__dispute_ask_s": 60, **overrides}
    with (
        serve(folder, hosts[0], hosts, HANDLES[0], **asking) as prague,
        serve(folder, hosts[1], hosts, HANDLES[1], **asking) as brno,
    ):
        until(lambda: knows(prague, brno) and knows(brno, prague), "banks know each other", 20)
        yield prague, brno


def ask(bank: Running, line: str) -> str:
    with bank.wire(deadline_s=20) as wire:
        return wire.ask(line)


class Town:
    """A payer with 5000 in Prague and a shop in Brno, both with the PIN 2580."""

    def __init__(self, pair: tuple[Running, Running]) -> None:
        self.prague, self.brno = pair
        tag = f"{next(_numbers):03}".translate(str.maketrans("0123456789", "abcdefghjk"))
        self.pa, self.bo = self.join(self.prague, f"pa{tag}"), self.join(self.prague, f"bo{tag}")
        self.sh = self.join(self.brno, f"sh{tag}", "5411")
        self.other = self.join(self.brno, f"ot{tag}", "5411")

    def join(self, bank: Running, name: str, category: str = "") -> str:
        vpa, mobile = f"{name}@{handle(bank)}", f"420888{next(_numbers):06}"
        kind, more = ("PM", f"{category} ") if category else ("PU", "")
        words = ask(bank, f"{kind} {vpa} {name} {more}{mobile} 2580").split()
        assert words[0] == kind, words
        if not category:
            assert ask(bank, f"AD {words[1]} 5000") == "AD"
        return vpa

    def asked(self, amount: int = 700, reference: str = "bill", more: str = "") -> str:
        reply = self.ask_for(amount, reference, more)
        assert reply.startswith("PC BRN"), reply
        return reply.split()[1]

    def ask_for(self, amount: int = 700, reference: str = "bill", more: str = "") -> str:
        line = f"PC {self.sh} {self.pa} {amount} {reference} 2580 {more}".strip()
        return ask(self.brno, line)

    def states(self, paper: str) -> tuple[str, str]:
        """How a request stands at the bank of its payer, and at that of its payee."""
        return state(self.prague, paper)["state"], state(self.brno, paper)["state"]

    def both_are(self, paper: str, wanted: str) -> None:
        until(lambda: self.states(paper) == (wanted, wanted), f"both banks say {wanted}", 20)

    def owns(self) -> tuple[int, int]:
        return has(self.prague, self.pa), has(self.brno, self.sh)


def handle(bank: Running) -> str:
    return bank.node.settings.payments.handle


def has(bank: Running, vpa: str) -> int:
    """The balance of somebody whose PIN is 2580."""
    return int(ask(bank, f"PB {vpa} 2580").split()[1])


def state(bank: Running, paper: str) -> dict[str, object]:
    """What became of a payment, a request or a mandate."""
    reply = ask(bank, f"PS {paper}")
    assert reply.startswith("PS "), reply
    return json.loads(reply[3:])


def waiting(bank: Running, vpa: str) -> list[dict[str, object]]:
    return json.loads(ask(bank, f"PQ {vpa} 2580")[3:])["requests"]


def tell(sender: Running, receiver: Running, said, identity=None, *, to: str = "", by: str = ""):
    """What a bank is answered to a letter; None if the answer is not signed."""
    identity = identity or sender.node.payments.attendant._correspondence._identity
    line = ABOUT_REQUESTS.question(identity, sender.bank, to or receiver.bank, said.line).decode()
    code, _, word, signature = line.split()
    reply = ask(receiver, f"{code} {by or sender.bank} {word} {signature}")
    key = receiver.node.payments.attendant._correspondence._identity.key
    answer = read_answer(sender.bank, receiver.bank, said, reply.encode(), key)
    why = answer and (answer.refused.value if answer.refused else "heard")
    return SimpleNamespace(reply=reply, answer=why)


def join(bank: Running, name: str, money: int = 0, category: str = "") -> str:
    """Registers somebody; the account, and for a merchant its token."""
    handle = bank.node.settings.payments.handle
    with bank.wire() as wire:
        kind, word = ("PM", f"{category} ") if category else ("PU", "")
        words = wire.ask(f"{kind} {name}@{handle} {name} {word}420777123456 2580").split()
        assert words[0] == kind, words
        if money:
            assert wire.ask(f"AD {words[1]} {money}") == "AD"
    return words[-1] if category else words[1]


def records(bank: Running, kind: str) -> list[object]:
    """The open records of a kind."""
    return bank.node._store.open_notes(kind)


def assert_closed(*banks: Running) -> None:
    """Waits until no transfer and no record of a payment is open at any of the banks."""
    for bank in banks:
        until(lambda: not bank.node._store.open_transfers(), "transfers end", 20)  # noqa: B023
        until(lambda: not records(bank, "p:") + records(bank, "i:"), "records close")  # noqa: B023
