"""What the fake bank says of other banks: who is there, what they answer, how they are robbed."""

from support.console_money import CODE, START_US


class Network:
    """The commands about other banks; a part of `FakeBank`."""

    def begin_network(self):
        self.scanning = False
        self.peers = _peers(self.text)

    def _op(self, rest, words):
        return {"peers": self.peers, "reach": ["10.1.2.0/24"]}

    def _oi(self, rest, words):
        address = (words.get("add") or words.get("remove") or words.get("ask")).partition(":")[0]
        found = next((p for p in self.peers if p["code"] == address), None)
        if "remove" in words:
            self.peers = [p for p in self.peers if p["code"] != address]
        elif found is None:
            found = {"code": address, "port": 65525, "state": "known", "static": True}
            self.peers.append(found)
        return {"peer": found}

    def _on(self, rest, words):
        self.scanning = (self.scanning or "start" in words) and "stop" not in words
        cells = {f"10.1.2.{n}": "empty" for n in range(1, 180)}
        cells |= {p["code"]: p["state"] for p in self.peers if not p.get("own")}
        cells |= {f"10.1.2.{n}": "pending" for n in range(180, 190)}
        return {"running": self.scanning, "done": 179, "total": 254, "found": 4,
                "started_us": START_US, "ended_us": None, "seconds": 0.8,
                "cells": {**cells, "base": ["10.1.2.0/24"]}}  # fmt: skip

    def _ok(self, rest, words):
        line = rest.partition("line=")[2]
        reply = {"BC": "BC " + words["to"].partition(":")[0], "BA": "BA 4711", "BN": "BN 12"}
        return {"kind": "done", "reply": self.text(reply.get(line, "ER no")), "us": 2_400}

    def _ob(self, rest, words):
        target = int(words["number"])
        banks = [{"address": f"10.1.2.{7 + n}", "amount": target // 4, "clients": 3 + n}
                 for n in range(4)]  # fmt: skip
        if target > 10**12:
            return {"target": target, "objective": words.get("objective", "fewest"), "plan": None,
                    "unreachable": {"holds": 10**12}, "asked": 4, "us": 900}  # fmt: skip
        frontier = [{"amount": target * n // 12, "clients": n * n // 8} for n in range(1, 25)]
        return {
            "target": target, "objective": words.get("objective", "fewest"),
            "plan": {"banks": banks, "amount": 4 * (target // 4), "clients": 18,
                     "distance": target % 4, "proven": True, "clients_off_at_most": 0,
                     "distance_off_at_most": 0},
            "unreachable": None, "greedy": {"banks": 6, "amount": target + 900, "clients": 31},
            "frontier": frontier, "frontier_complete": True,
            "left_out": [{"address": "10.1.2.66", "why": self.text("it tells a negative amount")},
                         {"address": "10.1.2.9", "why": self.text("silent for 3 minutes")}],
            "asked": 6, "us": 21_000,
        }  # fmt: skip


def _peers(text):
    rows = [
        {"code": CODE, "port": 65525, "state": "verified", "own": True, "name": text("bank")},
        {"code": "10.1.2.7", "state": "verified", "latency_ms": 1.4, "amount": 812_000,
         "clients": 41, "name": text("bank"), "version": text("0.9"), "breaker": "closed"},
        {"code": "10.1.2.8", "state": "verified", "latency_ms": 22.0, "amount": 9_100,
         "clients": 3, "oddities": [text("greets"), text("no line end")]},
        {"code": "10.1.2.9", "state": "silent", "error": text("did not answer"),
         "breaker": "open", "amount": 77, "clients": 2},
        {"code": "10.1.2.41", "state": "verified", "latency_ms": 0.8, "amount": None,
         "absurd": text("BA -5: a negative amount"), "clients": 0},
        {"code": "10.1.2.66", "state": "known", "static": True},
    ]  # fmt: skip
    for n, row in enumerate(rows):
        row.setdefault("port", 65525 + n)
        row["amount_at_us"] = row["clients_at_us"] = START_US - 4_000_000 * n
        row["since_us"] = START_US - 200_000_000
    return rows
