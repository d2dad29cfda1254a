"""A small bank that answers every command of the operator's channel, without a node.

It is deterministic: its clock stands still until a test moves it. With `hostile=True` every text
in it is one that a stranger could have chosen to break a terminal.
"""

import asyncio
import json
from dataclasses import dataclass, field

from bank_node.telemetry.clock import Clock
from support.console_money import CODE, START_US, Money
from support.console_network import Network
from support.console_payments import Payments
from tui.link import Lost

TOKEN = "the-right-token"

HOSTILE = (
    "\x1b]52;c;aGFja2Vk\x07\x1b[31mred\x1b[2J [/foo] [bold]x[/] [@click=app.quit]y[/] \u202eevil"
    " \x9b31m \x07\x08\x7f \u2066iso\u2069 {} %s $accent " + "A" * 10_000
)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self):
        self.us = START_US

    def clock(self):
        return Clock(lambda: self.us, lambda: self.us * 1000)


@dataclass
class FakeBank(Money, Network, Payments):
    """The bank's state, and one method for each command."""

    accounts: int = 400
    hostile: bool = False
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self):
        self.balances = {10_000 + n: (n * n * 37) % 90_001 for n in range(self.accounts)}
        self.last = {number: 1 + index for index, number in enumerate(self.balances)}
        self.entry = self.accounts + 1
        self.state = "serving"
        self.lost = False
        self.mute = False
        self.lines = []
        self.connections = 0
        self.looks = 0
        self.verifying = False
        self.language = "en"
        self.moves = {}
        self.warnings = [{"kind": self.text("disk"), "text": self.text("1.2 GB left of 80 GB")}]
        self.begin_network()
        self.begin_money()
        self.begin_payments()

    def text(self, plain):
        return HOSTILE if self.hostile else plain

    @property
    def now_us(self):
        return self.clock.us

    async def connect(self):
        if self.lost:
            raise Lost("127.0.0.1:65500 cannot be reached: Connection refused")
        self.connections += 1
        return FakeCaller(self)

    def answer(self, line):
        code, _, rest = line.partition(" ")
        method = getattr(self, f"_{code.lower()}", None)
        if method is None:
            return "ER unknown command"
        words = dict(word.partition("=")[::2] for word in rest.split() if "=" in word)
        told = method(rest, words)
        return told if isinstance(told, str) else f"{code} {json.dumps(told)}"

    # The classic commands

    def _bc(self, rest, words):
        return f"BC {CODE}"

    def _ba(self, rest, words):
        return f"BA {sum(self.balances.values())}"

    def _bn(self, rest, words):
        return f"BN {len(self.balances)}"

    def _he(self, rest, words):
        return "HE BC, AC, AD, AW, AB, AR, BA, BN"

    def _ac(self, rest, words):
        number = next(n for n in range(10_000, 100_000) if n not in self.balances)
        self.balances[number] = 0
        self._moved(number, "open", 0)
        return f"AC {number}/{CODE}"

    def _ad(self, rest, words):
        return self._move("AD", rest, 1)

    def _aw(self, rest, words):
        return self._move("AW", rest, -1)

    def _ab(self, rest, words):
        return f"AB {self.balances[int(rest.partition('/')[0])]}"

    def _ar(self, rest, words):
        number = int(rest.partition("/")[0])
        if self.balances.get(number):
            return "ER the account is not empty"
        del self.balances[number]
        return "AR"

    def _move(self, code, rest, sign):
        address, amount = rest.split()
        number = int(address.partition("/")[0])
        after = self.balances[number] + sign * int(amount)
        if after < 0:
            return f"ER {self.text('there is not enough money')}"
        self.balances[number] = after
        self._moved(number, "deposit" if sign > 0 else "withdraw", int(amount))
        return code

    def _moved(self, number, kind, amount):
        self.entry += 1
        self.last[number] = self.entry
        self.moves.setdefault(number, []).append(
            {"entry": self.entry, "height": self.entry, "time_us": self.now_us, "kind": kind,
             "amount": amount, "balance": self.balances[number]}
        )  # fmt: skip

    # The operator's commands

    def _oa(self, rest, words):
        return "OA" if rest == TOKEN else "ER the token is wrong"

    def _os(self, rest, words):
        return {
            "code": CODE, "host": CODE, "port": 65525, "name": self.text("bank"),
            "version": self.text("0.1.0"), "state": self.state,
            "started_us": START_US - 7_500_000_000, "now_us": self.now_us,
            "total": sum(self.balances.values()), "clients": len(self.balances),
            "free_numbers": 90_000 - len(self.balances), "height": self.entry,
            "head_hash": self.text("9f2c64a1d0b37e5588ab12cd34ef5678"), "language": "en",
            "extensions": True, "store": "sqlite", "data": self.text("/home/me/bank"),
            "pid": 4711, "warnings": self.warnings,
        }  # fmt: skip

    def _om(self, rest, words):
        self.looks += 1
        n = self.looks
        commands = {}
        for place, code in enumerate(("AB", "AC", "AD", "AW", "BC", "BN"), 1):
            calls = 40 * n * place + 25 * (n % (3 + place))
            buckets = [0] * 65
            buckets[6 + place] = calls * 9 // 10
            buckets[8 + place] = calls - buckets[6 + place]
            commands[code] = {
                "count": calls,
                "errors": calls // 400,
                "p50_us": 90 << place,
                "p99_us": 300 << place,
                "max_us": 9_000,
                "buckets": buckets,
            }
        buckets = [0] * 65
        buckets[11], buckets[12 + n % 3] = 30 * n, n
        return {
            "now_us": START_US + 1_000_000 * n, "batches": 31 * n,
            "batched_operations": 31 * n * 7 + 11 * (n % 5), "batch_operations_max": 64,
            "connections": 24 + n % 7, "connections_accepted": 500 + n,
            "connections_refused": 3, "connections_dropped": 1, "store_errors": 0,
            "traffic_lines_lost": 0,
            "commit": {"count": 31 * n, "p50_us": 1_800, "p99_us": 4_100, "max_us": 9_000,
                       "buckets": buckets},
            "commands": commands, "cpu_s": 0.31 * n, "rss_bytes": 61_000_000,
            "peers": {"verified": 3, "silent": 1, "known": 6},
        }  # fmt: skip

    def _oc(self, rest, words):
        sort = words.get("sort", "number")
        rows = [n for n in self.balances if _matches(n, self.balances[n], words.get("filter", ""))]
        keys = {"number": lambda n: n, "balance": lambda n: (self.balances[n], n),
                "last_entry": lambda n: self.last[n], "opened": lambda n: n}  # fmt: skip
        rows.sort(key=keys[sort.lstrip("-")], reverse=sort.startswith("-"))
        first, count = int(words.get("first", 0)), min(1000, int(words.get("count", 200)))
        return {
            "total": len(self.balances), "matching": len(rows), "first": first,
            "rows": [{"number": n, "balance": self.balances[n], "last_entry": self.last[n]}
                     for n in rows[first : first + count]],
            "sum_matching": sum(self.balances[n] for n in rows),
        }  # fmt: skip

    def _od(self, rest, words):
        number = int(words["account"])
        if number not in self.balances:
            return "ER there is no such account"
        before, balance = [], 10_000
        for n in range(1, 20):
            amount = 100 + (37 * n * n) % 900
            balance += -amount if n % 3 == 2 else amount
            kind = "withdraw" if n % 3 == 2 else "deposit"
            before.append(
                {"entry": 12 * n, "height": 3 * n, "time_us": START_US - 60_000_000 * (20 - n),
                 "kind": self.text(kind), "amount": amount, "balance": balance}
            )  # fmt: skip
        history = [*before, *self.moves.get(number, [])][::-1][: int(words.get("count", 50))]
        return {"number": number, "open": True, "balance": self.balances[number],
                "last_entry": self.last[number], "opened_us": START_US - 86_400_000_000,
                "history": history, "more": True}  # fmt: skip

    def _oe(self, rest, words):
        kinds = ("PeerFound", "BlockSealed", "AccountOpened", "PeerSilent", "ConnectionRefused")
        levels = ("info", "info", "info", "warning", "error")
        texts = ("10.1.2.7:65525 answered in 3 ms", "block 512: 37 entries, 1.9 ms",
                 "account 10044 is open", "10.1.2.9 has not answered for 3 minutes",
                 "192.0.2.44 was refused: 12,000 connections are open")  # fmt: skip
        return self._page("events", words, [
            {"seq": n, "time_us": START_US - 1_000_000 * (40 - n), "kind": self.text(kinds[n % 5]),
             "level": levels[n % 5], "text": self.text(texts[n % 5]), "fields": {}}
            for n in range(40)
        ])  # fmt: skip

    def _ol(self, rest, words):
        texts = (
            "ready on 10.1.2.3:65525",
            "10.1.2.7 verified: bank 0.9",
            "account 10012/10.1.2.3 is watched",
            "the disk took 41 ms for one sync",
        )
        return self._page("lines", words, [
            {"seq": n, "time_us": START_US - 1_000_000 * (60 - n),
             "level": ("info", "info", "debug", "warning")[n % 4],
             "logger": self.text("bank_node.network"), "text": self.text(texts[n % 4])}
            for n in range(60)
        ])  # fmt: skip

    def _ot(self, rest, words):
        return self._page("lines", words, [
            {"seq": n, "time_us": START_US - 500_000 * (80 - n), "peer": f"10.1.2.{n % 9}:4711",
             "us": 180 + 7 * n, "request": self.text(f"AD {10_000 + n}/{CODE} {n * 5}"),
             "reply": self.text("AD"), "dir": "in" if n % 4 else "out", "id": n}
            for n in range(80)
        ])  # fmt: skip

    def _page(self, name, words, items):
        after = int(words["after"]) if "after" in words else -1
        fresh = [item for item in items if item["seq"] > after]
        return {name: fresh, "next": items[-1]["seq"], "lost": 7 if after < 0 else 0}

    def _oj(self, rest, words):
        if "height" in words or "account" in words:
            account = int(words.get("account", 10_004))
            return {"entries": [
                {"entry": 900 - n, "height": int(words.get("height", 512 - n)),
                 "time_us": START_US - 2_000_000 * n, "kind": self.text("deposit"),
                 "debit": self.text("cash") if self.hostile else 0, "credit": account + n % 3,
                 "amount": 100 + n * 11, "balance": 9_000 - n}
                for n in range(30)
            ], "more": False}  # fmt: skip
        top = int(words.get("before", 513)) - 1
        count = min(int(words.get("count", 50)), top)
        return {
            "blocks": [
                {"height": top - n, "time_us": START_US - 1_500_000 * (512 - top + n),
                 "entries": 1 + (n * 7) % 40, "first_entry": 10 * (top - n),
                 "last_entry": 10 * (top - n) + 9,
                 "hash": self.text(f"{top - n:064x}"), "root": self.text(f"{9 * (top - n):064x}")}
                for n in range(count)
            ],
            "head": {"height": 512, "hash": self.text("9f2c64a1d0b37e5588ab12cd34ef5678"),
                     "sequence": 5129},
            "more": top > count,
        }  # fmt: skip

    def _ov(self, rest, words):
        self.verifying = (self.verifying or "start" in words) and "stop" not in words
        return {"running": self.verifying, "height": 230, "of": 512, "ok": None,
                "problem": None, "head_hash": self.text("9f2c64a1"), "seconds": 0.4}  # fmt: skip

    def _og(self, rest, words):
        rows = [
            ("language", self.language, "en", True, "Language of the messages.", '"en" or "cs"'),
            ("network.host", CODE, "127.0.0.1", False, "Address to listen on.", "an IPv4 address"),
            ("network.port", 65525, 65525, False, "Port to listen on.", "0 to 65535"),
            ("log.level", "info", "info", True, "The least serious message.", "a level"),
            ("limits.batch_operations", 4096, 4096, False, "Operations in one block.", "1 or more"),
        ]
        return {"settings": [
            {"key": key, "value": value, "origin": self.text("config.json"), "default": default,
             "doc": self.text(doc), "live": live, "expected": self.text(expected)}
            for key, value, default, live, doc, expected in rows
        ]}  # fmt: skip

    def _oh(self, rest, words):
        if words["value"] not in ("en", "cs", "info", "debug", "warning"):
            return f"ER {self.text('that is not a value of ' + words['key'])}"
        if words["key"] == "language":
            self.language = words["value"]
        return {"key": words["key"], "value": words["value"], "origin": "operator"}

    def _ox(self, rest, words):
        self.state = {"drain": "draining", "resume": "serving", "stop": "stopping"}[words["do"]]
        return {"state": self.state}

    def _oz(self, rest, words):
        if words:
            return {"running": True, "rows": 12, "path": "", "problem": ""}
        return {"running": False, "rows": 929, "problem": "",
                "path": self.text("/home/me/bank/journal.csv")}  # fmt: skip


class FakeCaller:
    """One connection to the fake bank; a long poll without news waits until it is cancelled."""

    def __init__(self, bank):
        self.bank = bank
        self.authenticated = False
        self.closed = False

    async def call(self, line):
        if self.bank.lost or self.closed:
            raise Lost("127.0.0.1:65500 did not answer: Connection reset by peer",
                       unknown=line[:2] in ("AC", "AD", "AW", "AR", "TR", "OW", "OQ"))  # fmt: skip
        self.bank.lines.append(line)
        if line.startswith("OA "):
            reply = self.bank.answer(line)
            self.authenticated = reply == "OA"
            return reply
        if not self.authenticated:
            return "ER authenticate first"
        if " wait=" in line or self.bank.mute:
            await asyncio.Event().wait()
        return self.bank.answer(line)

    async def close(self):
        self.closed = True


def _matches(number, balance, wanted):
    if not wanted:
        return True
    if ".." in wanted:
        low, _, high = wanted.partition("..")
        return int(low) <= balance <= int(high)
    tests = {">": lambda v: balance > v, "<": lambda v: balance < v, "=": lambda v: balance == v}
    if wanted[0] in tests:
        return wanted[1:].isdigit() and tests[wanted[0]](int(wanted[1:]))
    return wanted in str(number)
