"""What people try on a bank that serves, and on two of them: none of it moves a unit.

Codes to scan that somebody changed, refunds and requests have their tests in `tests/service/`; PINs
that are guessed across `kill -9` are in `test_payments_killed.py`, handles that look alike in
`test_payments_abroad.py`.
"""

import random
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from support.nodes import Running, bank_port, running_node, some_host
from support.polling import until
from support.wire import Wire

from bank_node.banking.payments.uri import MODE_SECURE_QR, PayUri, build
from bank_node.protocol.payment_values import Vpa
from bank_node.security.identity import read_identity
from bank_node.security.signing import CodeKey
from bank_node.service.steps import CheckPin, Walk

HANDLES = ("brno", "prague")
_numbers = count()


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Two banks that know each other, Brno and Prague."""
    hosts = [some_host(), some_host()]
    folder = tmp_path_factory.mktemp("banks")

    def serve(host: str, handle: str):
        return running_node(
            folder / handle, network__host=host, network__port=bank_port(host),
            network__subnets=[f"{each}/32" for each in hosts], network__scan_every=0.3,
            payments__handle=handle, payments__pin_profile="light", payments__per_minute=1000,
        )  # fmt: skip

    with serve(hosts[0], HANDLES[0]) as brno, serve(hosts[1], HANDLES[1]) as prague:
        yield [brno, prague]


@pytest.fixture
def brno(banks: list[Running]) -> Iterator[Wire]:
    with banks[0].wire(deadline_s=20) as wire:
        yield wire


def join(wire: Wire, name: str, money: int = 0, handle: str = "brno", category: str = "") -> str:
    """Registers somebody under a name of this test alone; the address."""
    tag = f"{next(_numbers):03}".translate(str.maketrans("0123456789", "abcdefghjk"))
    vpa = f"{name}{tag}@{handle}"
    kind = f"PM {vpa} {name} {category}" if category else f"PU {vpa} {name}"
    words = wire.ask(f"{kind} 420777{next(_numbers):06} 2580").split()
    assert words[0] in ("PU", "PM"), words
    if money:
        assert wire.ask(f"AD {words[1]} {money}") == "AD"
    return vpa


def has(wire: Wire, vpa: str) -> int:
    return int(wire.ask(f"PB {vpa} 2580").removeprefix("PB "))


NO_AMOUNTS = (
    "-1", "-1000000", "0", "-0", "0.5", "1.5", "1,5", "1e3", "0x10", "1_000", "+5", "nan", "NaN",
    "inf", "1.00000000000000000000001", "9223372036854775808", "18446744073709551617",
    "99999999999999999999999999999999", "\N{ARABIC-INDIC DIGIT FIVE}",
)  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "PP {a} {b} {amount} r1 2580", "PI {a} {amount} r1 2580", "PW {a} {amount} r1 2580",
        "PC {b} {a} {amount} r1 2580", "PX {a} BRN{id} {amount} r1 2580",
    ],
)  # fmt: skip
def test_negative_zero_fractional_nan_and_huge_amounts_are_refused(brno, line):
    payer, payee = join(brno, "amount", 500), join(brno, "payee")
    for amount in NO_AMOUNTS:
        asked = line.format(a=payer, b=payee, amount=amount, id="0" * 32)
        assert brno.ask(asked).startswith("ER The amount must be"), asked
    assert (has(brno, payer), has(brno, payee)) == (500, 0)


def test_the_largest_amount_overflows_nothing(brno):
    payer, payee = join(brno, "large", 500), join(brno, "payee")
    most = 2**63 - 1
    for line in (f"PP {payer} {payee} {most} r1 2580", f"PI {payer} {most} r2 2580"):
        assert brno.ask(line).startswith("ER "), line
    assert (has(brno, payer), has(brno, payee)) == (500, 0)


def test_nobody_pays_itself(brno):
    payer = join(brno, "selfish", 500)
    assert brno.ask(f"PV {payer} my{payer} 2580").startswith("PV ")
    assert brno.ask(f"PP {payer} my{payer} 5 r1 2580").startswith("ER ")
    assert has(brno, payer) == 500


def test_a_replayed_request_pays_once_and_one_with_another_amount_never(brno):
    payer, payee = join(brno, "replay", 500), join(brno, "payee")
    line = f"PP {payer} {payee} 10 r1 2580"
    brno.send(f"{line}\r\n".encode() * 20)
    assert len(set(brno.lines(20))) == 1
    assert brno.ask(line.replace(" 10 ", " 11 ")).startswith("ER U01")
    assert has(brno, payee) == 10


def test_an_expired_code_is_not_paid_although_its_signature_fits(banks, brno):
    payer, shop = join(brno, "late", 500), join(brno, "shop", category="5411")
    name, _, handle = shop.partition("@")
    identity = read_identity(Path(banks[0].node.settings.data) / "identity.key")
    key = CodeKey(identity.derive("codes"))
    for expires_us, told in ((1, "part qrexpire"), (2**52, "PY ")):
        code = PayUri(Vpa(name, handle), name="shop", category="5411", mode=MODE_SECURE_QR,
                      expires_us=expires_us)  # fmt: skip
        assert told in brno.ask(f"PY {payer} {build(code, key.sign)} 5 r1 2580")
    assert has(brno, shop) == 5


def test_a_guessed_vmid_makes_no_code_and_tells_nothing(brno):
    draw = random.Random(5)
    shop = join(brno, "vmid", category="5411")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    guesses = ["".join(draw.choices(letters, k=34)) for _ in range(200)]
    brno.send("".join(f"PG {guess} 5\r\nPE {guess} 0\r\n" for guess in guesses).encode())
    told = brno.lines(2 * len(guesses))
    assert set(told[::2]) == {"ER There is no such merchant."}
    assert all(each.startswith("ER ") for each in told[1::2])
    assert has(brno, shop) == 0


def test_an_address_that_looks_like_another_one_is_nobodys(brno):
    for name, alike in (
        ("millions", "m1llions"), ("bobbo", "b0bb0"), ("warner", "wamer"), ("savvy", "sawy"),
        ("list", "1ist"), ("plain", "pl.a-i_n"), ("shopping", "5hopping"), ("upper", "UPPER"),
    ):  # fmt: skip
        assert brno.ask(f"PU {name}@brno Somebody 420777000001 2580").startswith("PU "), name
        for line in (f"PU {alike}@brno Thief 420777000002 2580",
                     f"PV {name}@brno {alike}@brno 2580"):  # fmt: skip
            if alike.lower() != name or line.startswith("PU"):
                assert brno.ask(line).startswith("ER This address, or one that looks"), line
    cyrillic = "\N{CYRILLIC SMALL LETTER A}lice"
    assert brno.ask(f"PU {cyrillic}@brno Thief 420777000002 2580").startswith("ER A payment")


@pytest.mark.parametrize("name", ["bank", "adm1n", "sup-port", "helpdesk", "refund", "brno", "bmo"])
def test_nobody_squats_on_an_address_of_the_bank_itself(brno, name):
    taken = "ER This address, or one that looks like it, is taken."
    assert brno.ask(f"PU {name}@brno Thief 420777000002 2580") == taken


def test_registering_again_changes_neither_balance_nor_pin(brno):
    vpa = join(brno, "again", 500)
    alike = vpa.replace("again", "aga1n")
    for kind, category in (("PU", ""), ("PM", "5411 ")):
        for wanted in (vpa, vpa.upper(), alike):
            line = f"{kind} {wanted} Thief {category}420777000003 951623"
            assert brno.ask(line).startswith("ER This address"), line
    assert brno.ask(f"PB {vpa} 951623").startswith("ER ZM")
    assert has(brno, vpa) == 500


def test_a_pin_guessed_over_many_connections_and_commands_is_guessed_three_times(banks, brno):
    vpa, payee = join(brno, "guessed", 500), join(brno, "payee")
    asked = ("PB {a} {pin}", "PP {a} {b} 1 r1 {pin}", "PL {a} {pin}", "PF {a} {pin} frozen",
             "PN {a} {pin} 951623", "PK {a} {pin}", "PQ {a} {pin}",
             "PW {a} 1 w1 {pin}")  # fmt: skip
    wires = [banks[0].wire(deadline_s=20) for _ in range(8)]
    try:
        for number, wire in enumerate(wires):
            pins = (f"{1000 + 37 * (5 * number + n)}" for n in range(len(asked)))
            lines = (line.format(a=vpa, b=payee, pin=pin)
                     for line, pin in zip(asked, pins, strict=True))  # fmt: skip
            wire.send("".join(f"{line}\r\n" for line in lines).encode())
        told = [line[:5] for wire in wires for line in wire.lines(len(asked))]
    finally:
        for wire in wires:
            wire.close()
    assert told.count("ER ZM") == 2
    assert told.count("ER Z6") == len(told) - 2
    assert brno.ask(f"PB {vpa} 2580").startswith("ER Z6")


def test_an_unknown_user_and_a_wrong_pin_take_the_same_steps(banks, brno, monkeypatch):
    seen: list[object] = []
    send = Walk._send
    decide = Walk._decide

    def watched_send(self, result):
        step = send(self, result)
        seen.append("check" if isinstance(step, CheckPin) else len(getattr(step, "keys", ())))
        return step

    def watched_decide(self, step, submit):
        seen.append("ledger")
        return decide(self, step, submit)

    vpa = join(brno, "known", 500)
    monkeypatch.setattr(Walk, "_send", watched_send)
    monkeypatch.setattr(Walk, "_decide", watched_decide)
    took = []
    for name in (vpa, "ghost@brno"):
        seen.clear()
        height = banks[0].node._store.head.height
        told = brno.ask(f"PB {name} 1470")
        took.append((told, list(seen), banks[0].node._store.head.height - height))
    known, unknown = took
    assert known == unknown
    assert ("check" in known[1], known[2]) == (True, 1)


def test_replayed_and_reordered_messages_between_banks_move_nothing(banks, brno):
    payer = join(brno, "sender", 500)
    with banks[1].wire(deadline_s=20) as prague:
        payee = join(prague, "receiver", handle="prague")
        until(lambda: brno.ask(f"PR {payee}").startswith("PR "), "banks know each other", 20)
        assert brno.ask(f"PP {payer} {payee} 120 r1 2580").startswith("PP ")
        until(lambda: has(prague, payee) == 120, "the payment arrives", 20)
        log = Path(banks[1].node.settings.data) / "log"
        messages = until(lambda: _heard(log), "the messages are in the log", 20)
        draw = random.Random(1)
        for _ in range(5):
            draw.shuffle(messages)
            for message in messages:
                # The answer is that of the first time, or that it is over; no money follows it.
                assert prague.ask(message).startswith(("TM ", "ER ")), message
        assert has(prague, payee) == 120
        for message in messages:
            forged = message.replace("120", "121")
            if forged != message:
                assert prague.ask(forged).startswith("ER "), forged
        assert has(prague, payee) == 120
    assert has(brno, payer) == 380


def _heard(log: Path) -> list[str]:
    """The messages that a bank was sent about transfers: the one of a promise and of a commit."""
    text = "".join(path.read_text() for path in log.iterdir())
    found = re.findall(r"TM \S+ [A-Z]\S* \S+", text)
    return (
        sorted(set(found)) if any("120" in each for each in found) and len(set(found)) >= 2 else []
    )
