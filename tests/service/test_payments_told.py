"""Family P over the wire: clients, PINs, paying, codes to scan, and what the logs may show."""

import json
import re
from itertools import count
from types import SimpleNamespace

import pytest
from support.nodes import running_node

from bank_node.banking.payments.uri import UriRefused, parse
from bank_node.errors import Reason, Refused
from bank_node.protocol.commands import COMMANDS
from bank_node.service import payments
from bank_node.service.counter import Counter, in_steps
from bank_node.service.hiding import shown_junk, shown_request

_numbers = count()
SETTINGS = {"payments__handle": "brno", "payments__pin_profile": "light"}


class Client:
    """A wire, and the clients that were registered over it. Every PIN is 2580."""

    def __init__(self, running, wire):
        self.running, self.ask = running, wire.ask
        self.accounts, self.vmids = {}, {}
        # A mobile number has 50 accounts at most.
        self.mobile = f"420777{next(_numbers):06}"

    def join(self, name, money=0, category=None):
        if category is None:
            reply = self.ask(f"PU {name}@brno {name.title()}+X {self.mobile} 2580")
        else:
            reply = self.ask(f"PM {name}@brno {name.title()}+X {category} {self.mobile} 2580")
        words = reply.split()
        assert words[0] in ("PU", "PM"), reply
        self.accounts[name] = words[1]
        self.vmids[name] = words[-1]
        if money:
            assert self.ask(f"AD {words[1]} {money}") == "AD"
        return f"{name}@brno"

    def balance(self, name):
        return int(self.ask(f"AB {self.accounts[name]}").split()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_node(tmp_path_factory.mktemp("bank"), **SETTINGS) as running:
        yield running


@pytest.fixture
def client(running):
    with running.wire() as wire:
        yield Client(running, wire)


@pytest.fixture
def names(client):
    """Three clients of this test alone: a payer with money, a payee, a shop."""
    # Letters only, no two of which are taken for each other.
    tag = f"{next(_numbers):03}".translate(str.maketrans("0123456789", "abcdefghjk"))
    for name, money, category in (("pa", 5000, None), ("bo", 0, None), ("sh", 0, "5411")):
        client.join(name + tag, money, category)
    return ["pa" + tag, "bo" + tag, "sh" + tag]


def test_a_user_gets_an_account_and_an_mmid(client):
    reply = client.ask("PU newuser@brno New+User 420777999111 2580")
    assert re.fullmatch(r"PU \d{5}/[\d.]+ \d{7}", reply)


def test_payments_and_deposits_of_one_packet_are_decided_in_their_order(client, names):
    payer, payee, _ = names
    account, pay = client.accounts[payee], f"PP {payee}@brno {payer}@brno"
    asked = (f"AD {account} 100", f"{pay} 100 r1 2580", f"AB {account}",
             f"{pay} 1 r2 2580", f"AD {account} 7", f"AB {account}")  # fmt: skip
    with client.running.wire() as wire:
        wire.send("".join(f"{line}\r\n" for line in asked).encode())
        told = [line[:5] for line in wire.lines(len(asked))]
    assert [told[0], told[1][:3], *told[2:]] == ["AD", "PP ", "AB 0", "ER Z9", "AD", "AB 7"]


def test_a_payment_is_told_by_its_id_and_its_state_to_those_who_know_it(client, names):
    payer, payee, _ = names
    reply = client.ask(f"PP {payer}@brno {payee}@brno 120 r1 2580 two+coffees")
    code, payment, rrn = reply.split()
    assert code == "PP"
    told = json.loads(client.ask(f"PS {payment}")[3:])
    assert (told["payment"], told["rrn"], told["code"]) == (payment, rrn, "00")
    assert (told["amount"], told["note"]) == (120, "two coffees")
    assert client.ask(f"TS {payment}").split()[2] == "committed"
    assert client.balance(payee) == 120


def test_the_same_request_is_carried_out_once(client, names):
    payer, payee, _ = names
    replies = {client.ask(f"PP {payer}@brno {payee}@brno 120 r1 2580") for _ in range(3)}
    assert len(replies) == 1
    assert client.balance(payee) == 120
    assert client.ask(f"PP {payer}@brno {payee}@brno 121 r1 2580").startswith("ER U01")


def test_a_payment_has_the_same_answer_while_its_payee_cannot_be_found(client, names, monkeypatch):
    payer, payee, shop = names
    by_name = f"PP {payer}@brno {payee}@brno 120 r1 2580"
    by_code = f"PY {payer}@brno {client.ask(f'PG {client.vmids[shop]} 30 till')[3:]} 30 r2 2580"
    told = {line: client.ask(line) for line in (by_name, by_code)}

    def away(*_):
        raise Refused(Reason.PROVIDER_DOWN)
        yield

    monkeypatch.setattr("bank_node.service.payments.find_payee", away)
    assert {line: client.ask(line) for line in told} == told
    assert client.ask(by_name.replace(" 120 ", " 121 ")).startswith("ER U01")
    assert client.ask(by_name.replace(" r1 ", " r9 ")).startswith("ER U28")
    assert client.ask(by_name.replace("2580", "1470")).startswith("ER ZM")
    assert client.balance(payer) == 4850


def test_a_payee_is_named_in_three_ways(client, names):
    payer, payee, _ = names
    mmid = client.vmids[payee]
    for n, written in enumerate(
        (
            f"{payee}@brno",
            client.accounts[payee],
            f"{client.mobile}:{mmid}",
            f"+{client.mobile}:{mmid}",
        )
    ):
        reply = client.ask(f"PP {payer}@brno {written} 10 r{n} 2580")
        assert reply.startswith("PP "), (written, reply)
    assert client.balance(payee) == 40


@pytest.mark.parametrize(
    ("payee", "told"),
    [("nobody@brno", "U29"), ("bob@nowhere", "U17"), ("420777999999:1234567", "U29"),
     ("10001/10.9.9.9", "U17")],
)  # fmt: skip
def test_a_payee_that_nobody_knows_is_refused(client, names, payee, told):
    assert client.ask(f"PP {names[0]}@brno {payee} 10 r1 2580").startswith(f"ER {told}")


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "nan", "1e3", "9223372036854775808"])
def test_a_strange_amount_is_refused(client, names, amount):
    payer, payee, _ = names
    assert client.ask(f"PP {payer}@brno {payee}@brno {amount} r1 2580").startswith("ER The amount")


def test_a_pin_is_locked_after_three_wrong_ones(client, names):
    payer, payee, _ = names
    replies = [client.ask(f"PP {payer}@brno {payee}@brno 1 r1 {pin}")[:6]
               for pin in ("1470", "3691", "9512", "2580")]  # fmt: skip
    assert replies == ["ER ZM:", "ER ZM:", "ER Z6:", "ER Z6:"]
    assert client.balance(payee) == 0


def test_an_unknown_payer_and_a_wrong_pin_are_answered_alike(client, names):
    unknown = client.ask("PB nosuchuser@brno 2580")
    assert unknown == client.ask(f"PB {names[0]}@brno 1470")
    assert client.ask("PB alice@nowhere 2580").startswith("ER The addresses of this bank end")


def test_guesses_made_at_once_are_counted_one_by_one(client, names, running):
    payer = names[0]
    with running.wire() as wire:
        pins = [f"{n:04}" for n in range(1000, 1040)] + ["2580"]
        wire.send("".join(f"PB {payer}@brno {pin}\r\n" for pin in pins).encode())
        replies = wire.lines(len(pins))
    assert sum(reply.startswith("ER ZM") for reply in replies) <= 2
    assert client.ask(f"PB {payer}@brno 2580").startswith("ER Z6")


def test_a_changed_pin_counts_at_once(client, names):
    payer = names[0]
    assert client.ask(f"PN {payer}@brno 2580 147036") == "PN"
    assert client.ask(f"PB {payer}@brno 2580").startswith("ER ZM")
    assert client.ask(f"PB {payer}@brno 147036") == "PB 5000"


def test_limits_are_told_and_chosen(client, names):
    payer, payee, _ = names
    assert client.ask(f"PL {payer}@brno 2580") == "PL 10000000 10000000 10000000"
    assert client.ask(f"PL {payer}@brno 2580 100 150") == "PL 100 150 150"
    assert client.ask(f"PP {payer}@brno {payee}@brno 101 r1 2580").startswith("ER Z8")
    assert client.ask(f"PP {payer}@brno {payee}@brno 100 r1 2580").startswith("PP ")
    assert client.ask(f"PP {payer}@brno {payee}@brno 51 r2 2580").startswith("ER ZU")
    assert client.ask(f"PL {payer}@brno 2580") == "PL 100 150 50"


def test_a_frozen_account_stands_still(client, names):
    payer, payee, _ = names
    assert client.ask(f"PF {payee}@brno 2580 frozen") == "PF"
    assert client.ask(f"PP {payer}@brno {payee}@brno 1 r1 2580").startswith("ER YF")
    assert json.loads(client.ask(f"PR {payee}@brno")[3:])["state"] == "frozen"
    assert client.ask(f"PF {payee}@brno 2580 active") == "PF"
    assert client.ask(f"PP {payer}@brno {payee}@brno 1 r1 2580").startswith("PP ")


def test_a_client_is_known_by_each_of_its_addresses(client, names):
    payer, payee, _ = names
    assert client.ask(f"PV {payee}@brno second{payee}@brno 2580") == f"PV second{payee}@brno"
    assert client.ask(f"PP {payer}@brno second{payee}@brno 7 r1 2580").startswith("PP ")
    assert client.ask(f"PV {payee}@brno {payer}@brno 2580").startswith("ER This address")
    assert client.ask(f"PV {payee}@brno x1@prague 2580").startswith("ER The addresses of")


def test_a_code_of_a_shop_is_signed_and_paid(client, names):
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]} 250 till-1 600 2+coffees")[3:]
    said = parse(uri)
    assert (said.payee.name, said.amount, said.reference, said.note) == (
        shop, 250, "till-1", "2 coffees",
    )  # fmt: skip
    assert client.ask(f"PY {payer}@brno {uri} 250 r1 2580").startswith("PY ")
    assert client.balance(shop) == 250


def test_a_code_without_an_amount_leaves_it_to_the_payer(client, names):
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]}")[3:]
    assert client.ask(f"PY {payer}@brno {uri} 31 r1 2580").startswith("PY ")
    assert client.balance(shop) == 31


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda uri: uri.replace("am=2.50", "am=0.01"), "sign"),
        (lambda uri: uri.partition("&sign=")[0], "sign"),
        (lambda uri: uri.partition("&sign=")[0].replace("mode=16", "mode=01"), "sign"),
        (lambda uri: uri.partition("&sign=")[0].replace("mc=5411", "mc=0000"), "sign"),
        (lambda uri: uri + "&pa=thief@brno", "pa"),
        (lambda uri: uri.replace("cu=CZK", "cu=EUR"), "cu"),
    ],
)
def test_a_code_that_somebody_changed_is_not_paid(client, names, change, part):
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]} 250")[3:]
    amount = 1 if "0.01" in change(uri) else 250
    reply = client.ask(f"PY {payer}@brno {change(uri)} {amount} r1 2580")
    assert reply == f"ER This code must not be paid, because of its part {part}."
    assert client.balance(shop) == 0


def test_an_expired_code_is_not_paid(client, names):
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]} 250")[3:]
    for expiry, part in (("2001-01-01T00:00:00Z", "qrexpire"),):
        plain = uri.partition("&sign=")[0] + f"&qrexpire={expiry}"
        assert part in client.ask(f"PY {payer}@brno {plain} 250 r1 2580")


def test_what_was_paid_by_a_code_is_told_again_although_the_code_has_expired(
    client, names, monkeypatch
):
    """Whoever got no answer asks again, and must not be told that nothing was paid."""
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]} 250 till-1 600")[3:]
    paid = client.ask(f"PY {payer}@brno {uri} 250 r1 2580")
    assert paid.startswith("PY ")

    def expired(*_arguments):
        raise UriRefused("qrexpire", "it has expired")

    monkeypatch.setattr(payments, "check_code", expired)
    assert client.ask(f"PY {payer}@brno {uri} 250 r1 2580") == paid
    assert "part qrexpire" in client.ask(f"PY {payer}@brno {uri} 250 r2 2580")
    assert client.ask(f"PY {payer}@brno {uri} 250 r1 1111").startswith("ER ZM")
    assert client.balance(shop) == 250


def test_the_amount_of_a_code_is_the_one_that_is_paid(client, names):
    payer, _, shop = names
    uri = client.ask(f"PG {client.vmids[shop]} 250")[3:]
    assert "part am" in client.ask(f"PY {payer}@brno {uri} 249 r1 2580")


def test_a_made_up_token_makes_no_code(client, names):
    vmid = client.vmids[names[2]]
    changed = vmid[:-2] + ("BA" if vmid.endswith("AA") else "AA")
    for wrong in ("A" * len(vmid), changed, "short", vmid + "A"):
        assert client.ask(f"PG {wrong} 250") == "ER There is no such merchant."


def test_the_classic_commands_leave_a_clients_money_alone(client, names):
    payer, payee, _ = names
    account = client.accounts[payer]
    told = "ER This account pays with a PIN only."
    assert client.ask(f"AW {account} 1") == told
    assert client.ask(f"AR {account}") == told
    assert client.ask(f"TR {account} {client.accounts[payee]} 1") == told


def test_what_is_noted_of_clients_is_proven_to_nobody(client, running):
    client.ask("PU proven@brno Proven 420777999111 2580")
    last = running.node._store.head.sequence
    assert client.ask(f"LP {last}") == "ER There is no such entry."


def test_version_tells_the_handle_and_the_key_of_the_codes(client):
    words = client.ask("VE").split()
    assert "payments" in words
    assert "handle=brno" in words
    assert any(word.startswith("codekey=") for word in words)


def test_neither_pins_nor_tokens_are_ever_in_the_logs(tmp_path):
    with running_node(tmp_path, **SETTINGS) as running, running.wire() as wire:
        client = Client(running, wire)
        client.join("payer", 500)
        client.join("shop", 0, "5411")
        for line in (
            "PP payer@brno shop@brno 1 r1 739182",
            "PB payer@brno 739182 again",
            "PB payer@brno 7391823",
            "pb\tpayer@brno\t739182",
            "X\bPB payer@brno 739182",
            "PB payer@brno 11\b\b739182",
            f"PG {client.vmids['shop']} 1",
        ):
            client.ask(line)
    logged = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    assert "PP payer@brno shop@brno 1 r1 ***" in logged
    assert "739182" not in logged
    assert "2580" not in logged
    assert client.vmids["shop"] not in logged


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"PB al@brno 1234", b"PB al@brno ***"),
        (b"  pb  al@brno\t1234 ", b"pb al@brno ***"),
        (b"PB al@brno 12\x0834", b"PB ***"),
    ],
)
def test_a_request_shows_all_but_its_secrets(line, shown):
    assert shown_request(line, COMMANDS["PB"].secrets) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"AD 10001/127.0.0.1", b"AD 10001/127.0.0.1"),
        (b"PB al@brno 1234 x", b"PB ***"),
        (b"\xef\xbb\xbfPB al@brno 1234 x", b"\xef\xbb\xbfPB ***"),
        (b"X\x08PB al@brno 1234 x", b"***"),
        (b"BP al@brno 1234", b"BP ***"),
        (b"P B al@brno 1234", b"P ***"),
        (b"", b""),
    ],
)
def test_what_is_no_request_shows_no_secret_either(line, shown):
    assert shown_junk(line) == shown


def test_a_pin_over_a_connection_that_others_can_read_is_refused():
    counter = Counter(*[None] * (len(Counter.__struct_fields__) - 1))
    call = SimpleNamespace(
        bank=SimpleNamespace(counter=counter), session=SimpleNamespace(peer="192.0.2.7:4000")
    )
    with pytest.raises(Refused) as caught:
        in_steps(lambda counter, call: iter(()))(call, print)
    assert caught.value.reason is Reason.UNPROTECTED
