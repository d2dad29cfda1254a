"""What operators see of payments and clients, and what they do to them."""

import json

import pytest

from tui.model import documents, payments

PIN = "2580"
SETTINGS = {"payments__handle": "brno", "payments__pin_profile": "light"}


class Scene:
    """A house with a payer, a shop, and one payment of 120."""

    def __init__(self, start, **more):
        self.house = start(**SETTINGS, **more)
        self.client, self.console = self.house.client(), self.house.console()
        ask = self.client.ask
        joined = ask(f"PU alice@brno Alice 420777123456 {PIN}").split()[1]
        self.payer = int(joined[:5])
        self.shop = int(ask(f"PM shop@brno Shop 5411 420777654321 {PIN}")[3:8])
        ask(f"AD {joined} 5000")
        self.payment, self.rrn = ask(f"PP alice@brno shop@brno 120 lunch-1 {PIN}").split()[1:]

    def ask(self, words=""):
        return self.console.document(f"OQ {words}".strip())


@pytest.fixture
def scene(start):
    return Scene(start)


def test_what_was_paid_and_what_was_refused_passes_in_order(scene):
    scene.client.ask("PP alice@brno shop@brno 120 r2 2581")
    told = scene.ask()
    assert [row["state"] for row in told["rows"]] == ["success", "refused"]
    assert (told["paid"], told["refused"], told["reasons"]) == (1, 1, {"wrong_pin": 1})
    assert told["rows"][1]["code"] == "ZM"
    assert (told["rows"][1]["payee"], told["rows"][1]["amount"]) == ("shop@brno", 120)
    assert "2581" not in str(told)
    assert scene.ask(f"after={told['next']}")["rows"] == []


def test_who_waits_for_the_next_payment_hears_of_it_at_once(scene):
    after = scene.ask()["next"]
    heard = scene.house.console()
    heard.wire.send(f"OQ after={after} wait=20\r\n".encode())
    scene.client.ask(f"PP alice@brno shop@brno 7 r3 {PIN}")
    (row,) = json.loads(heard.wire.line()[3:])["rows"]
    assert (row["amount"], row["state"]) == (7, "success")
    assert 0 < row["asked_us"] <= row["time_us"]


def test_what_is_given_back_was_paid_once(scene):
    scene.client.ask(f"PX shop@brno {scene.payment} 20 back-1 {PIN}")
    told = scene.ask()
    assert told["paid"] == 2, "the payment and its refund"
    assert [row["kind"] for row in told["rows"]] == ["pay", "refund"]
    (row,) = scene.ask(f"show=find find={scene.payment}")["rows"]
    assert row["refunded"] == 20


@pytest.mark.parametrize("by", ["payment", "rrn", "vpa", "reference", "both"])
def test_a_payment_is_found_by_what_people_know_of_it(scene, by):
    wanted = {"payment": scene.payment, "rrn": scene.rrn, "vpa": "alice@brno",
              "reference": "lunch-1", "both": "alice@brno/lunch-1"}[by]  # fmt: skip
    (row,) = scene.ask(f"show=find find={wanted}")["rows"]
    assert (row["payment"], row["amount"]) == (scene.payment, 120)
    assert scene.ask("show=find find=nothing-like-it")["rows"] == []


def test_clients_are_listed_and_searched(scene):
    told = scene.ask("show=clients")
    assert [(r["vpas"], r["balance"]) for r in told["rows"]] == [
        (["alice@brno"], 4880), (["shop@brno"], 120)
    ]  # fmt: skip
    assert scene.ask("show=clients find=420777654")["total"] == 1


def test_what_the_bank_has_frozen_only_the_bank_lets_go_on(scene):
    assert scene.ask(f"do=freeze account={scene.payer}")["client"]["state"] == "held"
    assert scene.client.ask(f"PP alice@brno shop@brno 1 r2 {PIN}").startswith("ER YE")
    told = scene.client.ask(f"PF alice@brno {PIN} active")
    assert told == "ER The bank has frozen this account, only the bank lets it go on."
    assert scene.ask(f"do=release account={scene.payer}")["client"]["state"] == "active"
    assert scene.client.ask(f"PP alice@brno shop@brno 1 r2 {PIN}").startswith("PP")


def test_a_locked_client_gets_a_new_pin_and_the_old_one_is_worth_nothing(scene):
    for _ in range(3):
        scene.client.ask("PB alice@brno 1111")
    assert scene.client.ask(f"PB alice@brno {PIN}").startswith("ER Z6")
    assert scene.ask("show=clients find=alice")["rows"][0]["locked_until_us"]
    pin = scene.ask(f"do=reset account={scene.payer}")["pin"]
    assert scene.client.ask(f"PB alice@brno {PIN}").startswith("ER ZM")
    assert scene.client.ask(f"PB alice@brno {pin}") == "PB 4880"
    assert scene.client.ask(f"PN alice@brno {pin} {PIN}") == "PN"


def test_a_new_pin_is_in_no_log(scene):
    pin = scene.ask(f"do=reset account={scene.payer}")["pin"]
    shown = scene.console.document("OT count=1000")["lines"]
    assert pin not in str(shown)


def test_papers_are_listed_and_a_mandate_is_revoked(scene):
    line = "PH shop@brno alice@brno exact 99 daily 2098-01-01 2099-01-01 m1"
    mandate = scene.client.ask(f"{line} {PIN}").split()[1]
    request = scene.client.ask(f"PC shop@brno alice@brno 7 bill {PIN}").split()[1]
    assert {row["id"] for row in scene.ask("show=papers")["rows"]} == {mandate, request}
    assert scene.ask(f"do=revoke find={mandate}")["paper"]["state"] == "revoked"
    assert {row["id"] for row in scene.ask("show=papers")["rows"]} == {request}
    assert scene.console.ask(f"OQ do=revoke find={request}").startswith("ER There is no such")


def test_the_console_understands_all_that_is_told(scene):
    ask = scene.client.ask
    line = "PH shop@brno alice@brno max 99 daily 2098-01-01 2099-01-01 m1"
    mandate = ask(f"{line} {PIN}").split()[1]
    request = ask(f"PC shop@brno alice@brno 7 bill {PIN} 600 for+tea").split()[1]
    dispute = ask(f"PZ alice@brno {scene.payment} raise {PIN} broken+cup").split()[1]

    def told(words, shape):
        return documents.read(scene.console.ask(f"OQ {words}".strip()), shape)

    papers = {each.id: each for each in told("show=papers", payments.Papers).rows}
    assert papers[mandate].amount_rule == "max"
    assert papers[request].note == "for tea"
    assert papers[dispute].said[0].text == "broken cup"
    assert (papers[dispute].payment, papers[dispute].payee_bank) == (scene.payment, "")
    assert papers[dispute].deadline
    (passed,) = told("", payments.PaymentFlow).rows
    assert passed.payment == told(f"show=find find={scene.rrn}", payments.Found).rows[0].payment
    assert passed.asked_us <= passed.time_us
    alice = told("show=clients find=alice", payments.Clients).rows[0]
    assert (alice.address, alice.is_merchant) == ("alice@brno", False)
    assert told(f"do=reject find={dispute}", payments.PaperChanged).paper.state == "rejected"
    assert told(f"do=freeze account={alice.account}", payments.ClientChanged).client.state == "held"
    assert told(f"do=code account={alice.account}", payments.Code).vpa == "alice@brno"


def test_the_code_of_a_shop_is_the_one_that_is_signed(scene):
    uri = scene.ask(f"do=code account={scene.shop}")["uri"]
    assert uri.startswith("upi://pay?pa=shop@brno")
    assert scene.client.ask(f"PY alice@brno {uri} 50 r9 {PIN}").startswith("PY")


def test_nobody_but_clients_can_be_frozen(scene):
    assert "no such client" in scene.console.ask("OQ do=freeze account=10000")
    assert "no such client" in scene.console.ask("OQ do=reset")


@pytest.mark.parametrize("do", ["freeze", "release", "reset"])
def test_who_may_only_look_changes_nothing(start, do):
    scene = Scene(start, operator__read_only=True)
    assert scene.console.ask(f"OQ do={do} account={scene.payer}").startswith("ER ")
    assert scene.ask("show=clients find=alice")["rows"][0]["state"] == "active"
