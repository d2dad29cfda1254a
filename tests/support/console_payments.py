"""What the small bank of the console's tests knows of payments and clients."""

from support.console_money import START_US

_KEYS = ("number", "time_us", "asked_us", "state", "code", "why", "kind", "payment", "rrn", "payer",
         "payee", "payee_name", "amount", "currency", "reference", "note", "bank",
         "transfer")  # fmt: skip
_NAMES = ("alice", "bohdan", "cecilie", "david", "eva", "filip")
_SHOPS = ("bakery", "books", "tea-room")
# Text that is signed, as long as a real one.
URI = (
    "upi://pay?pa=tea-room@brno&pn=Tea%20Room&mc=5812&cu=CZK&mode=02&sign="
    + "MEUCIQDx7vJ0aW9uIGlzIG5vdCBhIHJlYWwgb25lLCBvbmx5IGFzIGxvbmcgYXMgb25lLCB5b3Uga25vdw"
)


class Payments:
    """The flow, clients, requests and mandates of the bank; a part of `FakeBank`."""

    def begin_payments(self):
        self.pin = "284913"
        self.clients = [self._person(n) for n in range(240)]
        self.papers = [
            _paper("collect", "BRN0c" + "7" * 30, "pending", "bohdan@brno", "eva@brno", 1_250,
                   note=self.text("half of the tickets"),
                   expires="2026-11-18T11:20:00+00:00"),
            _paper("mandate", "BRN0m" + "3" * 30, "active", "cecilie@brno", "books@brno", 24_900,
                   amount_rule="max", recurrence="monthly:on:5", start="2026-06-01",
                   end="2027-06-01", paid=5, next_from="2026-12-05", next_until="2026-12-08",
                   next_amount=19_900, payee_name=self.text("Book shop")),
            _paper("mandate", "BRN0m" + "4" * 30, "paused", "david@brno", "tea-room@brno", 900,
                   amount_rule="exact", recurrence="weekly", start="2026-01-05",
                   end="2026-12-31", paid=41, tries=3, why="not_enough_money"),
            _paper("dispute", "BRN0d" + "5" * 30, "raised", "alice@brno", "bakery@brno", 4_400,
                   said=[{"by": "payer", "text": self.text("the bread never came"),
                          "time": "2026-11-18T10:50:00+00:00"}], payment="BRN" + "6" * 32,
                   deadline="2026-12-28T10:50:00+00:00"),
            _paper("dispute", "BRN0d" + "8" * 30, "contested", "eva@brno", "books@praha", 700,
                   said=[{"by": "payer", "text": "a wrong book", "time": ""}],
                   payment="BRN" + "9" * 32, payee_bank="10.1.2.7"),
        ]  # fmt: skip

    def _person(self, n):
        is_shop = n % 12 == 11
        name = f"{_SHOPS[n // 12 % 3] if is_shop else _NAMES[n % 6]}"
        vpa = f"{name}@brno" if n < 36 and (is_shop or n < 6) else f"{name}{n}@brno"
        return {
            "account": 10_000 + n,
            "vpas": [vpa, f"also-{vpa}"] if n == 3 else [vpa],
            "name": self.text(f"{name.title()} {n}"),
            "mobile": f"420777{100_000 + n}", "mmid": f"0001{n:03}",
            "category": "5812" if is_shop else "0000", "balance": (n * n * 3_700) % 900_001,
            "state": {7: "frozen", 9: "held"}.get(n, "active"), "wrong_pins": 3 if n == 4 else 0,
            "locked_until_us": START_US + 80_000_000_000 if n == 4 else None,
            "opened_us": START_US - 3_600_000_000 * (n + 1),
        }  # fmt: skip

    def _flow(self):
        rows, number = [], 0
        for n in range(60):
            at = START_US - 2_000_000 * (60 - n)
            bank = {0: "10.1.2.7", 4: "10.1.2.41"}.get(n % 7)
            payer, payee = f"{_NAMES[n % 6]}@brno", f"{_SHOPS[n % 3]}@{'praha' if bank else 'brno'}"
            key = f"BRN{n:032}"
            row = dict(zip(_KEYS, (
                0, at + 2_100 + 170 * n, at, "success", "00", "", "pay", key, f"6322{n:08}",
                payer, payee, self.text("A shop"), 900 + 613 * n, "CZK",
                self.text(f"lunch-{n}"), self.text("thank you"), bank or "",
                (f"{bank}/{key}" if n % 7 == 4 else key) if bank else "",
            ), strict=True))  # fmt: skip
            if n % 7 == 4:
                row["payer"], row["payee"] = payee, payer
            told = [row]
            if n % 9 == 2 or n == 20:
                why, code = (("wrong_pin", "ZM"), ("not_enough_money", "Z9"))[n % 2]
                row |= {"state": "refused", "why": why, "code": code}
                for gone in ("payment", "rrn", "note", "kind", "payee_name", "currency", "bank",
                             "transfer"):  # fmt: skip
                    del row[gone]
            elif n % 7 == 0:
                told = [{**row, "state": "pending", "code": "01", "time_us": at + 900}, row]
                if n == 49:
                    del told[1]
                if n == 35:
                    row |= {"state": "failed", "code": "U28", "why": "provider_down"}
            for each in told:
                number += 1
                rows.append({**each, "number": number})
        return rows

    def _oq(self, rest, words):
        if "do" in words:
            return self._does(rest, words)
        return getattr(self, f"_shows_{words.get('show', 'flow')}")(rest, words)

    def _shows_flow(self, rest, words):
        rows = self._flow()
        after = int(words.get("after", 0))
        reasons = {"wrong_pin": 40, "not_enough_money": 17, "provider_down": 1}
        return {"rows": [r for r in rows if r["number"] > after], "next": len(rows), "lost": 0,
                "paid": 2_311, "refused": 58, "reasons": reasons, "currency": "CZK"}  # fmt: skip

    def _shows_find(self, rest, words):
        wanted = rest.partition("find=")[2]
        found = [row for row in self._flow() if wanted in " ".join(map(str, row.values()))]
        return {"rows": found[::-1]}

    def _shows_clients(self, rest, words):
        wanted = rest.partition("find=")[2].lower()
        rows = [c for c in self.clients if wanted in str([*c.values()]).lower()]
        first, count = int(words.get("first", 0)), int(words.get("count", 200))
        last = min(len(rows), first + count)
        return {"total": len(rows), "first": first, "rows": rows[first:last],
                "next": last if last < len(rows) else None}  # fmt: skip

    def _shows_papers(self, rest, words):
        wanted = rest.partition("find=")[2]
        rows = [p for p in self.papers if wanted in str(p)]
        return {"total": len(rows), "first": 0, "rows": rows, "next": None}

    def _does(self, rest, words):
        if words["do"] in ("charge", "reject"):
            paper = next(p for p in self.papers if p["id"] == words["find"])
            self.papers.remove(paper)
            state = {"charge": "charged_back", "reject": "rejected"}[words["do"]]
            return {"paper": {**paper, "state": state}}
        if words["do"] == "revoke":
            paper = next(p for p in self.papers if p["id"] == words["find"])
            self.papers.remove(paper)
            return {"paper": {**paper, "state": "revoked"}}
        client = next(c for c in self.clients if c["account"] == int(words["account"]))
        if words["do"] == "code":
            return {"uri": URI, "name": client["name"], "vpa": client["vpas"][0]}
        if words["do"] == "reset":
            client |= {"wrong_pins": 0, "locked_until_us": None}
            return {"client": client, "pin": self.pin}
        client["state"] = "held" if words["do"] == "freeze" else "active"
        return {"client": client}


def _paper(kind, key, state, payer, payee, amount, **more):
    return {"kind": kind, "id": key, "state": state, "payer": payer, "payee": payee,
            "payee_name": "", "amount": amount, "reference": f"{kind}-1", "note": "",
            "time": "2026-11-18T10:50:00+00:00", **more}  # fmt: skip
