"""What the small bank of the console's tests knows of money between banks."""

START_US = 1_795_000_000_000_000
CODE = "10.1.2.3"
_CLASSIC = "10.1.2.9"


class Money:
    """Transfers, positions and keys of the bank; a part of `FakeBank`."""

    def begin_money(self):
        text = self.text
        self.decided = []
        self.reminders = {"bank": None, "running": False, "asked": 0, "kept": 0, "renewed": 0,
                          "denied": 0, "failed": 0, "trouble": ""}  # fmt: skip
        self.replicas = {"role": "leader", "epoch": 1, "followers": []}
        self.open = [
            _row("grant-7", 610, "payee", "reserved", 10_012, 20_003, 4_200, "10.1.2.41",
                 in_doubt=True, attempts=9, waits_for="retry", next_in_s=12.5,
                 trouble=text("10.1.2.41 answers QUESTION: refused"), age_s=5_400),
            _row("rent-2026-11", 640, "classic", "sent", 10_007, 10_001, 1_250, _CLASSIC,
                 in_doubt=True, waits_for="operator", age_s=840,
                 trouble=text("whether the deposit was carried out is unknown")),
            _row("wage-31", 702, "payer", "committed", 10_001, 20_044, 31_000, "10.1.2.7",
                 attempts=3, waits_for="retry", next_in_s=2.0, age_s=9),
        ]  # fmt: skip
        self.done = [
            _row(f"{text('coffee')}-{n:03}", 600 - n, ("payer", "payee", "local")[n % 3],
                 "aborted" if n % 7 == 3 else "ended", 10_000 + n, 20_000 + n, 35 + n * n,
                 None if n % 3 == 2 else "10.1.2.7", age_s=60 * n, waits_for="nothing",
                 reason="no_such_payee" if n % 7 == 3 else "")
            for n in range(450)
        ]  # fmt: skip
        self.pinned = {
            "10.1.2.7": {"since_us": START_US - 9_000_000_000},
            "10.1.2.8": {"since_us": START_US - 8_000_000_000,
                         "offered": "Q" * 43, "offered_us": START_US - 60_000_000},
        }  # fmt: skip

    def _of(self, rest, words):
        if "transfer" in words:
            return self._one(words["transfer"])
        doubt = [row for row in self.open if row["in_doubt"]]
        show = words.get("show", "open")
        count = int(words.get("count", 100))
        following = None
        if show == "done":
            below = int(words.get("before", 10**9))
            found = [row for row in self.done if row["entry"] < below]
            rows = found[:count]
            following = rows[-1]["entry"] if len(found) > count else None
        else:
            rows = doubt if show == "doubt" else self.open
        return {"show": show, "open": len(self.open), "in_doubt": len(doubt), "first": 0,
                "rows": rows, "next": following, "reminders": self.reminders}  # fmt: skip

    def _one(self, key):
        row = next((r for r in (*self.open, *self.done) if r["transfer"] == key), None)
        if row is None:
            return f"ER {self.text('There is no such transfer.')}"
        plans = {"payer": ("reserved", "committed", "ended"), "payee": ("reserved", "ended"),
                 "classic": ("sent", "ended"), "local": ("ended",)}  # fmt: skip
        phases = list(plans[row["role"]])
        if row["phase"] == "aborted":
            phases = ["reserved", "aborted"]
        elif row["phase"] in phases:
            phases = phases[: phases.index(row["phase"]) + 1]
        kinds = {"reserved": "held", "sent": "held", "committed": "posted", "ended": "credited",
                 "aborted": "voided"}  # fmt: skip
        steps = [
            {"time_us": row["since_us"] - 4_100 * (len(phases) - n), "state": row["state"],
             "phase": phase, "kind": self.text(kinds[phase]), "entry": row["entry"] + n,
             "height": 90 + n, "signed": n > 0, "reason": row["reason"], "note": row["note"]}
            for n, phase in enumerate(phases, 1)
        ]  # fmt: skip
        received = steps[0]["time_us"] - 900 if row["direction"] == "out" else None
        return {"transfer": row, "received_us": received, "steps": steps, "complete": True}

    def _oo(self, rest, words):
        stages, seq = [], 0
        for n in range(24):
            phases = ["received", "reserved", "committed", "ended"]
            if n % 8 == 5:
                phases[2:] = ["aborted"]
            if n > 21:
                phases = phases[: n - 20]
            if n % 5 == 3:
                phases = ["reserved", "ended"]
            for place, phase in enumerate(phases):
                seq += 1
                row = _row(f"{self.text('pay')}-{n:02}", 900 + n, "payee" if n % 5 == 3 else
                           "payer", phase, 10_000 + n, 20_000 + n, 120 + 37 * n, "10.1.2.7",
                           reason="insufficient_funds" if phase == "aborted" else "")  # fmt: skip
                stages.append({**row, "seq": seq, "time_us":
                               START_US - 2_000_000 * (24 - n) + 2_300 * place})  # fmt: skip
        return self._page("stages", words, stages)

    def _ow(self, rest, words):
        row = next(r for r in self.open if r["transfer"] == words["transfer"])
        self.open.remove(row)
        self.decided.append(rest)
        note = rest.partition("note=")[2]
        state = "committed" if words["do"] == "commit" else "aborted"
        return {"transfer": {**row, "state": state, "phase": state, "note": note}}

    def _tr(self, rest, words):
        return f"TR {rest.split()[3] if len(rest.split()) > 3 else '0064f-1'} committed"

    def _ou(self, rest, words):
        rows = [
            _position("10.1.2.7", 42_000, 31_000, 0, 250_000),
            _position(_CLASSIC, 9_100, 1_250, 0, 10_000),
            _position("10.1.2.41", -180_500, 0, 4_200, 250_000),
            _position("10.1.2.8", 0, 0, 0, 2**63 - 1),
        ]
        if "remind" in words:
            self.reminders |= {"bank": words["remind"], "running": True, "asked": 1_536,
                               "kept": 1_500, "renewed": 36}  # fmt: skip
        if "stop" in words:
            self.reminders["running"] = False
        return {"total": 4, "nostro": 180_500, "vostro": 51_100, "first": 0, "rows": rows,
                "reminders": self.reminders}  # fmt: skip

    def _or(self, rest, words):
        if "promote" in words:
            self.replicas = {"role": "leader", "epoch": 2}
        return {"leader": "10.1.2.3:65525", **self.replicas}

    def _oy(self, rest, words):
        if "accept" in words:
            pin = self.pinned[words["accept"]]
            if pin.get("offered") != words["key"]:
                return f"ER {self.text('no such key')}"
            self.pinned[words["accept"]] = {"since_us": START_US}
        if "forget" in words:
            del self.pinned[words["forget"]]
        rows = [
            {"bank": bank, "key": "K" * 43, "fingerprint": self.text("SHA256:" + "k9Zx" * 10),
             "since_us": pin["since_us"], "offered": pin.get("offered"),
             "offered_fingerprint":
                 self.text("SHA256:" + "Qw3e" * 10) if "offered" in pin else None,
             "offered_us": pin.get("offered_us")}
            for bank, pin in sorted(self.pinned.items(), key=lambda each: "offered" not in each[1])
        ]  # fmt: skip
        own = {"bank": CODE, "key": "O" * 43, "fingerprint": self.text("SHA256:" + "aB3d" * 10)}
        changed = sum("offered" in pin for pin in self.pinned.values())
        return {"own": own, "total": len(rows), "changed": changed, "first": 0, "rows": rows}


def _row(key, entry, role, phase, account, other, amount, bank, *, in_doubt=False, attempts=0,
         waits_for="bank", next_in_s=None, trouble="", reason="", age_s=0):  # fmt: skip
    states = {"ended": "committed", "sent": "unknown"}
    here, there = f"{account}/{CODE}", f"{other}/{bank or CODE}"
    is_payee = role == "payee"
    return {
        "transfer": f"{bank}/{key}" if is_payee else key, "bank": bank,
        "direction": {"payee": "in", "local": "within"}.get(role, "out"),
        "role": role, "state": states.get(phase, phase), "phase": phase,
        "payer": there if is_payee else here, "payee": here if is_payee else there,
        "amount": amount, "entry": entry, "reason": reason, "note": "",
        "since_us": START_US - 1_000_000 * age_s, "waits_for": waits_for, "next_in_s": next_in_s,
        "attempts": attempts, "in_doubt": in_doubt, "trouble": trouble,
    }  # fmt: skip


def _position(bank, owed, leaving, coming, cap):
    return {
        "bank": bank, "nostro": max(0, -owed), "vostro": max(0, owed), "net": -owed,
        "leaving": leaving, "coming": coming, "cap": cap,
        "room_out": max(0, cap - owed - leaving), "room_in": max(0, cap + owed - coming),
    }  # fmt: skip
